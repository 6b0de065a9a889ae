"""From a fresh clone to a running Odoo, tests, benchmarks and lint: ``python3 -m scripts``.

Standard library only, so that it runs before anything is installed.
"""
