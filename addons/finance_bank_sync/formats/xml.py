"""XML as it comes from outside: streamed, well-formed to the last byte, and nothing else."""

from functools import lru_cache

from lxml import etree

from .errors import FormatError


def events(file, events=("start", "end"), tags=None):
    """Yield (event, element) of a binary file while it is read.

    tags: local names to be told of, all when None. A document type, entities, XML that is not
    well-formed, text of more than 10 MB and more than 256 levels are refused with a FormatError.
    Nothing is fetched from anywhere.
    """
    parser = etree.iterparse(
        file,
        events=events,
        tag=tags and [f"{{*}}{tag}" for tag in tags],
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    checked = False
    try:
        for event, element in parser:
            if not checked:
                checked = True
                if element.getroottree().docinfo.doctype:
                    raise FormatError("forbidden", "The file declares a document type or entities")
            yield event, element
    except etree.XMLSyntaxError as error:
        raise _refused(error) from None


def name(element) -> str:
    """Return the local name of an element, "" for None."""
    return "" if element is None else local(element.tag)


@lru_cache(maxsize=4096)
def local(tag: str) -> str:
    """Return the local name of a tag."""
    return tag[tag.rfind("}") + 1 :]


def line(element) -> int | None:
    """Return the line of an element, None behind the last one that the parser can count."""
    return element.sourceline if element.sourceline and element.sourceline < LAST_LINE else None


LAST_LINE = 65_535
CUT_OFF = {
    etree.ErrorTypes.ERR_DOCUMENT_END,
    etree.ErrorTypes.ERR_TAG_NOT_FINISHED,
    etree.ErrorTypes.ERR_GT_REQUIRED,
    etree.ErrorTypes.ERR_LTSLASH_REQUIRED,
}


def _refused(error):
    words = error.msg or ""
    cut = error.code in CUT_OFF and "Extra content" not in words
    code = "truncated" if cut else "syntax"
    if any(word in words.lower() for word in ("huge", "depth", "limit", "too long")):
        code = "size"
    return FormatError(
        code, "The file is not well-formed XML", line=error.lineno or None, value=words
    )
