"""FEC: the file of accounting entries of France.

Contract: article A47 A-1 of the Livre des procédures fiscales (VII, 1: eighteen columns of books
kept by double entry), and its XML twin in the administration's own test tool.
"""

import re
from decimal import Decimal

from .books import Finding, OtherTotals, StatutoryFile, Written, digits, text
from .checks import ACCOUNTS, MOVE, PARTNERS, listed, of_the_books
from .encodings import ENCODINGS, strange
from .ledger import (
    ACCOUNT_CODE,
    ACCOUNT_NAME,
    BALANCES,
    OPENING,
    PARTNER,
    PAYABLE,
    PERIOD,
    RECEIVABLE,
    TOTALS,
    USED_ACCOUNTS,
    items,
)

COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib",
    "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit",
    "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise",
)  # fmt: skip
# The opening balances are one entry of a journal of their own, the first of the file.
OPENING_JOURNAL, OPENING_NAME, OPENING_LABEL = "OUV", "Balance initiale", "Report à nouveau"
SEPARATORS = str.maketrans("\t|", "  ")
PLAN = re.compile(r"[0-9]{3}[0-9a-zA-Z]*")
ZERO = Decimal(0)
# So many of the signs that an encoding lacks are told.
MOST_SIGNS = 20

JOURNAL_NAME = "COALESCE(journal.name->>%(lang)s, journal.name->>'en_US')"
JOINS = """
  JOIN account_move AS move ON move.id = line.move_id
  JOIN account_journal AS journal ON journal.id = move.journal_id
  LEFT JOIN res_partner AS partner ON partner.id = line.partner_id
  LEFT JOIN res_currency AS currency ON currency.id = line.currency_id
  LEFT JOIN account_full_reconcile AS letters ON letters.id = line.full_reconcile_id"""
# Items without an amount say nothing; all lines of an entry stand together.
LINES = f"""
SELECT journal.code, {JOURNAL_NAME}, move.name,
       move.date, account.id, {ACCOUNT_CODE}, {ACCOUNT_NAME},
       CASE WHEN account.account_type IN ('{RECEIVABLE}', '{PAYABLE}') THEN {PARTNER} END,
       CASE WHEN account.account_type IN ('{RECEIVABLE}', '{PAYABLE}') THEN partner.name END,
       CASE WHEN move.move_type IN ('out_invoice', 'out_refund', 'out_receipt') THEN move.name
            ELSE COALESCE(NULLIF(btrim(move.ref), ''), move.name) END,
       COALESCE(move.invoice_date, move.date), COALESCE(NULLIF(btrim(line.name), ''), move.ref),
       round(line.debit, %(decimals)s)::text, round(line.credit, %(decimals)s)::text,
       letters.id::text, letters.create_date::date,
       CASE WHEN line.currency_id <> line.company_currency_id AND line.amount_currency <> 0
            THEN round(line.amount_currency, currency.decimal_places)::text END,
       CASE WHEN line.currency_id <> line.company_currency_id AND line.amount_currency <> 0
            THEN currency.name END,
       move.id
  FROM {items(JOINS)}
   AND (line.debit <> 0 OR line.credit <> 0)
 ORDER BY move.date, journal.code COLLATE "C", move.sequence_prefix COLLATE "C",
          move.sequence_number, move.id, line.id
"""
# Entries all of whose items are without an amount: they leave no line in the file.
EMPTY = f"""
SELECT line.move_id FROM {PERIOD} GROUP BY line.move_id
HAVING bool_and(line.debit = 0 AND line.credit = 0) ORDER BY 1
"""
# What each record brings into the file: model, (id, text).
TEXTS = (
    (
        MOVE,
        f"""SELECT line.move_id, concat_ws(' ', move.name, move.ref, line.name)
              FROM {items(JOINS)} AND (line.debit <> 0 OR line.credit <> 0)""",
    ),
    (
        "account.journal",
        f"""SELECT journal.id, concat_ws(' ', journal.code, {JOURNAL_NAME})
              FROM account_journal AS journal WHERE journal.id IN (
                   SELECT line.journal_id FROM {PERIOD})""",
    ),
    (
        ACCOUNTS,
        f"""SELECT account.id, {ACCOUNT_NAME}
              FROM ({USED_ACCOUNTS}) AS used JOIN account_account AS account ON account.id = used.id""",
    ),
    (
        PARTNERS,
        f"""SELECT partner.id, concat_ws(' ', partner.name, {PARTNER})
              FROM (SELECT DISTINCT partner_id FROM ({BALANCES}) AS balance) AS used
              JOIN res_partner AS partner ON partner.id = used.partner_id""",
    ),
)
STRANGE = """
SELECT id, string_agg(DISTINCT sign, '') FROM (
    SELECT told.id, (regexp_matches(told.words, %(strange)s, 'g'))[1] AS sign
      FROM ({}) AS told(id, words) WHERE told.words ~ %(strange)s
) AS found GROUP BY id ORDER BY id
"""


class Fec(StatutoryFile):
    """Opening balances, then every posted item in the order of its day, journal and number."""

    code, label, lang = "fec", "FEC (France)", "fr_FR"
    mapped = ("account",)

    def name(self, books):
        return f"{siren(books) or '000000000'}FEC{books.last:%Y%m%d}.txt"

    def check(self, books, rows):
        found = of_the_books(books, rows)
        if not siren(books):
            found.append(Finding("no_siren", model="res.company"))
        if books.currency != "EUR":
            found.append(Finding("not_in_euro", params={"currency": books.currency}))
        used = [(id_, number(books, id_, code)) for id_, code in rows(USED_ACCOUNTS)]
        other = [id_ for id_, code in used if code and not PLAN.fullmatch(code)]
        empty = [id_ for (id_,) in rows(EMPTY)]
        found += [
            listed("not_in_plan", ACCOUNTS, other),
            listed("empty_entries", MOVE, empty, "note"),
            *_strange(books, rows),
        ]
        return [finding for finding in found if finding]

    def write(self, books, rows, sink):

        def put(cells):
            line = books.separator.join(map(_cell, cells))
            sink.write(f"{line}\r\n".encode(books.encoding))

        put(COLUMNS)
        for cells in _opening(books, rows):
            put(cells)
        entries = lines = 0
        debit = credit = ZERO
        last = None
        for row in rows(LINES):
            put(_line(books, row))
            lines += 1
            entries += row[-1] != last
            last = row[-1]
            debit += Decimal(row[12])
            credit += Decimal(row[13])
        written = Written(self.name(books), entries, lines, debit, credit)
        [(_entries, _lines, *sums)] = rows(TOTALS)
        if [Decimal(total) for total in sums] != [debit, credit]:
            raise OtherTotals(f"{debit} / {credit} instead of {sums[0]} / {sums[1]}")
        return written


def siren(books):
    """Return the SIREN of a company, from its SIREN, SIRET or French VAT number; "" without."""
    found = digits(books.registry)
    if len(found) not in (9, 14):
        vat = books.vat.replace(" ", "").upper()
        found = vat[4:] if vat.startswith("FR") and len(vat) == 13 else ""
    found = found[:9]
    return found if len(found) == 9 and found.isdecimal() and _luhn(found) else ""


def number(books, account_id, code):
    """Return the number of an account: of the approved mapping where there is one, else its own."""
    return books.accounts.get(account_id, (code,))[0] or ""


def _luhn(figures):
    doubled = "0246813579"
    total = sum(
        int(doubled[int(figure)]) if position % 2 else int(figure)
        for position, figure in enumerate(reversed(figures))
    )
    return total % 10 == 0


def _strange(books, rows):
    """What the encoding has no sign for is told, never written as something else."""
    pattern = strange(books.encoding)
    for model, told in TEXTS if pattern else ():
        found = list(rows(STRANGE.format(told), strange=pattern))
        if found:
            signs = "".join(sorted(set("".join(signs for _id, signs in found))))[:MOST_SIGNS]
            params = {"encoding": ENCODINGS[books.encoding], "signs": " ".join(signs)}
            yield listed("strange_signs", model, [id_ for id_, _signs in found], params=params)


def _cell(value):
    """A cell holds neither of the two separators, whichever is used, and no line break."""
    return text((value or "").translate(SEPARATORS))


def _day(day):
    return f"{day:%Y%m%d}" if day else ""


def _amount(value):
    return str(value).replace(".", ",")


def _opening(books, rows):
    day = _day(books.first)
    zero = _amount(ZERO.quantize(Decimal(1).scaleb(-books.decimals)))
    for account_id, code, name, aux, aux_name, balance in rows(OPENING):
        debit = not balance.startswith("-")
        amount = _amount(balance.lstrip("-"))
        yield (
            OPENING_JOURNAL, OPENING_NAME, f"{OPENING_JOURNAL}{books.first:%Y}", day,
            number(books, account_id, code), name, aux if aux_name else "", aux_name,
            OPENING_LABEL, day, OPENING_LABEL, amount if debit else zero,
            zero if debit else amount, "", "", day, "", "",
        )  # fmt: skip


def _line(books, row):
    (
        journal, journal_name, entry, day, account_id, code, account_name, aux, aux_name, piece,
        piece_day, label, debit, credit, letters, letters_day, currency_amount, currency, _move,
    ) = row  # fmt: skip
    return (
        journal, journal_name, entry, _day(day), number(books, account_id, code), account_name,
        aux if aux_name else "", aux_name, text(piece) or entry, _day(piece_day), text(label) or entry,
        _amount(debit), _amount(credit), letters, _day(letters_day), _day(day),
        _amount(currency_amount or ""), currency,
    )  # fmt: skip
