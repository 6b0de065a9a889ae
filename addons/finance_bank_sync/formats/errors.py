"""Why a file is not read."""


class FormatError(Exception):
    """A file that is refused, whole.

    code: what is wrong, for machines. what: the same in words. line: of the file, counted from 1,
    None where a format has no lines. element: element, tag, record or column. value: what stood
    there, shortened. advice: what the person does next. `str` has all of it.

    Codes: empty, size, unknown, encoding, syntax, truncated, forbidden, missing, value, amount,
    date, currency, status, account, control, unsupported, ambiguous.
    """

    def __init__(self, code, what, *, line=None, element="", value="", advice=""):
        super().__init__(code, what, line, element, value)
        self.code = code
        self.what = what
        self.line = line
        self.element = element
        self.value = shortened(value)
        self.advice = advice or ADVICE.get(code, ASK_BANK)

    def __str__(self):
        where = [f"line {self.line}"] if self.line else []
        where += [self.element] if self.element else []
        where += [f"“{self.value}”"] if self.value else []
        place = f" ({', '.join(where)})" if where else ""
        return f"{self.what}{place}. {self.advice}"


ASK_BANK = "Fetch the file from the bank again; if it stays the same, show the bank this message."
ADVICE = {
    "empty": "Choose a file that has statements in it.",
    "size": "Ask the bank for a shorter period, or import several files.",
    "unknown": "Choose a camt, MT940, MT942, OFX, BAI2 or QIF file, or set up the columns of a "
    "CSV or XLSX file.",
    "truncated": "The file was cut off on its way: fetch it from the bank again.",
    "unsupported": "Ask the bank for another format of the same statement.",
    "ambiguous": "Choose the format of dates and amounts, and import the file again.",
}


def shortened(value, length=60):
    """Return ``value`` as one printable line of at most ``length`` characters."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(value)[: length + 1])
    return text if len(text) <= length else text[: length - 1] + "…"
