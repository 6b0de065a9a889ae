"""Ways to files: a folder on this host, or a directory on an SFTP server."""

# How names of files begin or end that somebody is still writing.
WRITING = (".part", ".tmp", ".filepart", ".crdownload", ".swp", "~")


class TransportError(Exception):
    """Why a place can't be used, or one of its files.

    code: a key of `WORDS`. values: what it is about, as text. `str` has it in English.
    """

    def __init__(self, code, **values):
        super().__init__(code, values)
        self.code = code
        self.values = {name: str(value) for name, value in values.items()}

    def __str__(self):
        return WORDS[self.code] % self.values


WORDS = {
    "closed": "No folder is open. An administrator names one in odoo.conf: %(option)s.",
    "outside": "%(path)s is not below a folder that odoo.conf opens (%(option)s).",
    "link": "%(path)s is, or lies behind, a symbolic link. Name the folder itself.",
    "missing": "%(path)s is not there, or is no folder.",
    "denied": "%(path)s can't be read or written by Odoo's account.",
    "name": "%(name)s is no plain name of a file.",
    "size": "%(name)s has more than %(most)s MB. Ask for shorter periods.",
    "changed": "%(name)s was written to while it was read.",
    "paramiko": "SFTP needs the Python package paramiko: pip install paramiko, and start Odoo again.",
    "host": "%(host)s is not on the list of hosts in odoo.conf (finance_allowed_hosts).",
    "host_key": "%(host)s shows another key than the one that is kept here. Nothing was exchanged. "
    "Ask its owner whether the key has changed, and enter the new one only then.",
    "key": "The private key can't be read: OpenSSH or PEM, without a passphrase, Ed25519, ECDSA or "
    "RSA.",
    "login": "%(host)s does not let %(user)s in with this key.",
    "person": "Nobody imports these files. Choose whose rights the imports have.",
    "connection": "%(host)s can't be reached: %(error)s",
}


def is_waiting(name: str) -> bool:
    """Tell whether a file of this name may be read: no hidden one, none that is being written.

    >>> [is_waiting(name) for name in ("a.xml", ".a.xml", "a.xml.part", "A.XML.PART", "a~")]
    [True, False, False, False, False]
    """
    return not name.startswith(".") and not name.lower().endswith(WRITING)


def plain(name: str) -> str:
    """Return a name of a file that leads nowhere else. Raises TransportError for all others.

    >>> plain("camt 2026-03-02.xml")
    'camt 2026-03-02.xml'
    """
    if name in ("", ".", "..") or any(sign in name for sign in "/\\\0") or not name.isprintable():
        raise TransportError("name", name=repr(name)[:80])
    return name
