"""Structured references of invoices: recognised by their check digits.

Sources: ISO 11649 (RF); Belgian structured communication (Febelfin, modulo 97); Finnish viite and
Estonian viitenumber (7-3-1); Norwegian KID (Bits, modulo 10 or 11); Swiss QR reference (SIX, modulo 10
recursive); Swedish OCR (Bankgirot, Luhn); Slovenian SI (models 00 to 12, modulo 11).
"""

import re

RF = re.compile(r"(?<![A-Z0-9])RF ?\d ?\d(?: ?[A-Z0-9]){1,21}(?![A-Z0-9])")
BELGIAN = re.compile(r"(?:\+{3}|\*{3})\s*(\d{3})[/ ]?(\d{4})[/ ]?(\d{5})\s*(?:\+{3}|\*{3})")
SLOVENIAN = re.compile(r"(?<![A-Z0-9])SI ?(\d\d) ?(\d[\d-]{2,24})(?![A-Z0-9])")
_CARRY = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)


def is_rf(text: str) -> bool:
    """Tell whether ``text`` (without blanks) is ISO 11649 with the right check digits.

    >>> is_rf("RF18539007547034"), is_rf("RF19539007547034")
    (True, False)
    """
    if not re.fullmatch(r"RF\d\d[A-Z0-9]{1,21}", text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def is_belgian(digits: str) -> bool:
    """Tell whether 12 figures end with their remainder modulo 97 (97 for 0).

    >>> is_belgian("090933755493"), is_belgian("090933755494")
    (True, False)
    """
    return (
        len(digits) == 12 and digits.isdigit() and (int(digits[:10]) % 97 or 97) == int(digits[10:])
    )


def is_finnish(digits: str) -> bool:
    """Tell whether 4 to 20 figures end with their 7-3-1 check figure.

    >>> is_finnish("1232"), is_finnish("1233")
    (True, False)
    """
    if not (digits.isdigit() and 4 <= len(digits.lstrip("0")) <= 20):
        return False
    total = sum(
        int(figure) * (7, 3, 1)[place % 3] for place, figure in enumerate(reversed(digits[:-1]))
    )
    return -total % 10 == int(digits[-1])


def is_luhn(digits: str) -> bool:
    """Tell whether the figures end with their Luhn check figure (KID modulo 10, Swedish OCR).

    >>> is_luhn("2345676"), is_luhn("2345677")
    (True, False)
    """
    if not (digits.isdigit() and 2 <= len(digits) <= 25):
        return False
    doubled = (int(figure) * (1 + place % 2) for place, figure in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def is_kid_11(digits: str) -> bool:
    """Tell whether the figures end with their modulo 11 check figure (KID; 10 is written "-").

    >>> is_kid_11("12345678903"), is_kid_11("12345678904")
    (True, False)
    """
    if not re.fullmatch(r"\d{1,24}[\d-]", digits):
        return False
    total = sum(int(figure) * (2 + place % 6) for place, figure in enumerate(reversed(digits[:-1])))
    check = -total % 11
    return digits[-1] == ("-" if check == 10 else str(check))


def is_swiss(digits: str) -> bool:
    """Tell whether 27 figures end with their modulo 10 recursive check figure (QRR, ESR).

    >>> is_swiss("210000000003139471430009017"), is_swiss("210000000003139471430009018")
    (True, False)
    """
    if not (len(digits) == 27 and digits.isdigit()):
        return False
    carry = 0
    for figure in digits[:-1]:
        carry = _CARRY[(carry + int(figure)) % 10]
    return (10 - carry) % 10 == int(digits[-1])


def is_slovenian(text: str) -> bool:
    """Tell whether SI, model and reference agree (00: free; 12: modulo 11 over all figures).

    >>> is_slovenian("SI001234-5"), is_slovenian("SI121234567890"), is_slovenian("SI121234567891")
    (True, True, False)
    """
    found = re.fullmatch(r"SI(\d\d)(\d[\d-]*)", text)
    if not found:
        return False
    model, reference = found.groups()
    if model != "12":
        return model in ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11")
    digits = reference.replace("-", "")
    total = sum(
        int(figure) * (2 + place % 12) for place, figure in enumerate(reversed(digits[:-1]))
    )
    check = 11 - total % 11
    return int(digits[-1]) == (0 if check in (10, 11) else check)


# A run of figures is taken for a reference where its check figure fits; too short ones fit by chance.
CHECKS = (
    ("swiss", is_swiss, 27, 27),
    ("belgian", is_belgian, 12, 12),
    ("finnish", is_finnish, 7, 20),
    ("kid", is_luhn, 7, 25),
    ("kid", is_kid_11, 7, 25),
)


def scheme(reference: str) -> str:
    """Return the scheme that the check figures of ``reference`` fit: "rf", "belgian"… or "".

    >>> scheme("RF18 5390 0754 7034"), scheme("+++090/9337/55493+++"), scheme("INV/2026/00001")
    ('rf', 'belgian', '')
    """
    text = re.sub(r"\s", "", reference).upper()
    if is_rf(text):
        return "rf"
    if is_slovenian(text):
        return "slovenian"
    if not re.fullmatch(r"[+*]*[\d/.\-]+[+*]*", text) or re.fullmatch(r"\d{1,6}", text):
        return ""
    digits = re.sub(r"\D", "", text)
    for name, check, least, most in CHECKS:
        if least <= len(digits) <= most and check(digits):
            return name
    return ""


def found(text: str) -> tuple[list[str], list[str]]:
    """Return the structured references in free ``text`` without blanks: (right ones, wrong ones).

    Only shapes that nothing else has are looked for (RF, +++, SI); figures alone are found by
    comparing them with what is open.

    >>> found("pay RF18 5390 0754 7034 now"), found("+++090/9337/55494+++")
    ((['RF18539007547034'], []), ([], ['090933755494']))
    """
    text = text.upper()
    right, wrong = [], []
    for match in RF.finditer(text):
        parts, best = match.group().split(" "), ""
        for end in range(len(parts), 0, -1):  # words behind it may look like its next group
            candidate = "".join(parts[:end])
            if is_rf(candidate):
                best = candidate
                break
        if best:
            right.append(best)
        elif len(re.sub(r"\s", "", match.group())) >= 8:
            wrong.append("".join(parts))
    for match in BELGIAN.finditer(text):
        digits = "".join(match.groups())
        (right if is_belgian(digits) else wrong).append(digits)
    for match in SLOVENIAN.finditer(text):
        reference = f"SI{match.group(1)}{match.group(2)}"
        if is_slovenian(reference):
            right.append(reference)
    return right, wrong
