"""SAF-T Financial 1.30: the audit file of Norway.

Contract: Norwegian_SAF-T_Financial_Schema_v_1.30.xsd and the code lists beside it, published by
the Norwegian Tax Administration (github.com/Skatteetaten/saf-t).
"""

from decimal import Decimal
from itertools import groupby

from lxml import etree

from .books import Finding, OtherTotals, StatutoryFile, Written, digits, text
from .checks import ACCOUNTS, listed, of_the_books, used_accounts, used_taxes
from .ledger import PAYABLE, RECEIVABLE, TOTALS
from .saft_no_entries import Entries, journals
from .saft_no_sql import ACCOUNT_ROWS, ANALYSES, MEMBERS, PARTIES, TAXES
from .saft_no_xml import NAMESPACE, add, side, tree

VERSION = "1.30"
# The standard tax codes; NA is no value added tax.
STANDARD_TAX_CODES = frozenset(
    "0 1 11 12 13 14 15 20 21 22 3 31 32 33 5 51 52 6 7 81 82 83 84 85 86 87 88 89 91 92 NA".split()
)
WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)
NAME_UNKNOWN = "NotUsed"


class SaftNo(StatutoryFile):
    """Header, master files, and every entry of the period, journal by journal."""

    code, label, lang = "saft_no", "SAF-T Financial 1.30 (Norway)", "nb_NO"
    mapped = ("account", "tax")

    def name(self, books):
        number = organisation(books) or "000000000"
        return f"SAF-T Financial_{number}_{books.made:%Y%m%d%H%M%S}.xml"

    def check(self, books, rows):
        found = of_the_books(books, rows)
        if not organisation(books):
            found.append(Finding("no_organisation", model="res.company"))
        if not text(books.phone):
            found.append(Finding("no_phone", model="res.company"))
        accounts, taxes = used_accounts(rows), used_taxes(rows)
        mapped = books.accounts
        no_category = [one for one in accounts if one in mapped and not mapped[one][1]]
        known = [one for one in taxes if one in books.taxes]
        other = [one for one in known if books.taxes[one][0] not in STANDARD_TAX_CODES]
        found += [
            listed("unmapped_account", ACCOUNTS, [one for one in accounts if one not in mapped]),
            listed("no_category", ACCOUNTS, no_category),
            listed("unmapped_tax", "account.tax", [one for one in taxes if one not in books.taxes]),
            listed("other_tax_code", "account.tax", other),
        ]
        return [finding for finding in found if finding]

    def write(self, books, rows, sink):
        [(entries, lines, *sums)] = rows(TOTALS)
        totals = Written(self.name(books), entries, lines, *map(Decimal, sums))
        taxes = list(rows(TAXES, taxes=used_taxes(rows)))
        with etree.xmlfile(sink, encoding="UTF-8") as file:
            file.write_declaration()
            with file.element(f"{NAMESPACE}AuditFile", nsmap={None: NAMESPACE[1:-1]}):
                file.write(_header(books, bool(taxes)))
                analyses = list(rows(ANALYSES))
                with file.element(f"{NAMESPACE}MasterFiles"):
                    _master_files(file, books, rows, taxes, analyses)
                with file.element(f"{NAMESPACE}GeneralLedgerEntries"):
                    file.write(tree("NumberOfEntries", str(entries)))
                    file.write(tree("TotalDebit", sums[0]))
                    file.write(tree("TotalCredit", sums[1]))
                    plans = {analysis[0]: analysis[1] for analysis in analyses}
                    seen = Entries(books, taxes, dict(rows(MEMBERS)), plans)
                    journals(file, seen, rows)
        if (seen.count, seen.lines, seen.debit, seen.credit) != (
            entries, lines, totals.debit, totals.credit,
        ):  # fmt: skip
            raise OtherTotals(f"{seen.debit} / {seen.credit} instead of {sums[0]} / {sums[1]}")
        return totals


def organisation(books):
    """Return the organisation number of a company, "" where it has none that is right."""
    found = digits(books.registry) or digits(books.vat)
    return found if len(found) == 9 and _check_figure(found) else ""


def _check_figure(number):
    rest = sum(weight * int(one) for weight, one in zip(WEIGHTS, number, strict=False)) % 11
    return rest != 1 and int(number[-1]) == (11 - rest) % 11


# === HEADER === #


def _header(books, taxed):
    first, _, last = text(books.contact).rpartition(" ")
    number = organisation(books)
    header = tree(
        "Header",
        ("AuditFileVersion", VERSION),
        ("AuditFileCountry", "NO"),
        ("AuditFileDateCreated", f"{books.made:%Y-%m-%d}"),
        ("SoftwareCompanyName", text(books.software[0], 70)),
        ("SoftwareID", text(books.software[1], 256)),
        ("SoftwareVersion", text(books.software[2], 18) or "0"),
    )
    company = tree("Company", ("RegistrationNumber", number), ("Name", text(books.name, 256)))
    address = (books.street, books.street2, books.city, books.zip, books.country)
    _address(company, address)
    contact = tree(
        "Contact",
        (
            "ContactPerson",
            ("FirstName", text(first, 35) or NAME_UNKNOWN),
            ("LastName", text(last, 70) or NAME_UNKNOWN),
        ),
        ("Telephone", text(books.phone, 18)),
        ("Email", text(books.email, 70)),
    )
    company.append(contact)
    if books.vat:
        # the type must be one of the table of taxes
        kind = ("TaxType", "MVA") if taxed else ("TaxType", None)
        add(
            company,
            (
                "TaxRegistration",
                ("TaxRegistrationNumber", number),
                kind,
                ("TaxAuthority", "Skatteetaten"),
            ),
        )
    header.append(company)
    add(header, ("DefaultCurrencyCode", books.currency))
    period = (("SelectionStartDate", str(books.first)), ("SelectionEndDate", str(books.last)))
    add(header, ("SelectionCriteria", *period))
    add(header, ("TaxAccountingBasis", "A"))
    return header


def _address(parent, cells):
    street, street2, city, code, country = (text(cell) for cell in cells)
    if not any((street, street2, city, code)):
        return
    add(
        parent,
        (
            "Address",
            ("StreetName", street[:256]),
            ("AdditionalAddressDetail", street2[:256]),
            ("City", city[:256]),
            ("PostalCode", code[:70]),
            ("Country", country),
            ("AddressType", "StreetAddress"),
        ),
    )


# === MASTER FILES === #


def _master_files(file, books, rows, taxes, analyses):
    with file.element(f"{NAMESPACE}GeneralLedgerAccounts"):
        for row in rows(ACCOUNT_ROWS):
            file.write(_account(books, row))
    for place, one, kind in (
        ("Customers", "Customer", RECEIVABLE),
        ("Suppliers", "Supplier", PAYABLE),
    ):
        _parties(file, rows(PARTIES, kind=kind), place, one)
    if taxes:
        table = tree("TaxTableEntry", ("TaxType", "MVA"), ("Description", "Merverdiavgift"))
        for tax in taxes:
            table.append(_tax(books, tax))
        file.write(tree("TaxTable", table))
    if analyses:
        with file.element(f"{NAMESPACE}AnalysisTypeTable"):
            for analysis in analyses:
                file.write(_analysis(*analysis))


def _account(books, row):
    account_id, code, name, created, opening, closing = row
    group = books.accounts.get(account_id, ("", ""))
    return tree(
        "Account",
        ("AccountID", code),
        ("AccountDescription", text(name, 256) or code),
        ("GroupingCategory", group[1]),
        ("GroupingCode", group[0]),
        ("AccountType", "GL"),
        ("AccountCreationDate", str(created) if created else None),
        *_balances(opening, closing),
    )


def _balances(opening, closing):
    yield side("Opening", "Balance", Decimal(opening))
    yield side("Closing", "Balance", Decimal(closing))


def _parties(file, rows, place, one):
    """One element a partner, with the balance of each of its accounts."""
    parties = groupby(rows, key=lambda row: row[:-3])
    first = next(parties, None)
    if first is None:
        return
    with file.element(f"{NAMESPACE}{place}"):
        file.write(_party(one, *first))
        for party in parties:
            file.write(_party(one, *party))


def _party(kind, cells, accounts):
    _id, number, name, registry, vat, *address = cells
    party = tree(
        kind,
        ("RegistrationNumber", text(registry, 35)),
        ("Name", text(name, 256) or number),
    )
    _address(party, address)
    if vat:
        add(party, ("TaxRegistration", ("TaxRegistrationNumber", text(vat, 35))))
    add(party, (f"{kind}ID", number))
    for row in accounts:
        code, opening, closing = row[-3:]
        add(party, ("BalanceAccount", ("AccountID", code), *_balances(opening, closing)))
    return party


def _tax(books, tax):
    tax_id, name, percent, country, created, _on_payment = tax
    return tree(
        "TaxCodeDetails",
        ("TaxCode", str(tax_id)),
        ("EffectiveDate", str(created) if created else None),
        ("Description", text(name, 256)),
        ("TaxPercentage", percent),
        ("Country", country or "NO"),
        ("StandardTaxCode", books.taxes.get(tax_id, ("",))[0]),
        ("BaseRate", "100"),
    )


def _analysis(account_id, plan_id, plan, code, name):
    """A plan is a type of analysis, its accounts are what is analysed."""
    return tree(
        "AnalysisTypeTableEntry",
        ("AnalysisType", f"P{plan_id}"),
        ("AnalysisTypeDescription", text(plan, 256) or "-"),
        ("AnalysisID", str(account_id)),
        ("AnalysisIDDescription", text(" ".join(filter(None, (code, name))), 256) or "-"),
    )
