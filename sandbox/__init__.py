"""Stand-ins for the vendors: real HTTP on loopback, with state, that can be told to misbehave.

``python -m sandbox`` starts one process that serves every vendor, each under its own path prefix
(``/avatax`` ...), and a control interface under ``/_sandbox/`` (see :mod:`sandbox.control`).
A vendor is one file or package with one subclass of :class:`sandbox.vendor.Vendor`; it is found by
itself. Only the standard library is used.
"""
