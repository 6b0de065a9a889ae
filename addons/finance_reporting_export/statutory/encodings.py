"""Encodings of text files, and how PostgreSQL finds what one of them does not have."""

ENCODINGS = {"utf-8": "UTF-8", "iso8859-15": "ISO 8859-15"}
# Signs that become a blank in any file (see `books.text`), whether the encoding has them or not.
BLANKS = "\u2028\u2029"


def strange(encoding):
    """Return the regular expression of one sign that an encoding lacks; "" where it has all."""
    if encoding == "utf-8":
        return ""
    upper = bytes(range(0xA0, 0x100)).decode(encoding)
    return f"[^\x01-\x9f{upper}{BLANKS}]"
