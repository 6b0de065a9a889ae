"""Small trees of the audit file, written one by one."""

from lxml import etree

NAMESPACE = "{urn:StandardAuditFile-Taxation-Financial:NO}"
NSMAP = {None: NAMESPACE[1:-1]}


def tree(name, *content):
    """Return the element ``name``; content: its text, elements, or tuples of the same shape.

    A tuple without content, or with an empty one, is left out.
    """
    element = etree.Element(f"{NAMESPACE}{name}", nsmap=NSMAP)
    add(element, *content)
    return element


def add(element, *content):
    """Put content into an element, shaped as for `tree`."""
    for one in content:
        if isinstance(one, str):
            element.text = one
        elif isinstance(one, tuple):
            if len(one) > 1 and any(part not in (None, "") for part in one[1:]):
                add(etree.SubElement(element, f"{NAMESPACE}{one[0]}"), *one[1:])
        elif one is not None:
            element.append(one)


def side(before, after, amount):
    """Return the tuple of an amount on the side that its sign says: debit where it is positive."""
    name = "Credit" if amount < 0 else "Debit"
    return (f"{before}{name}{after}", str(abs(amount)))
