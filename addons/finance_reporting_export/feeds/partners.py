"""Customers and vendors, and their bank accounts."""

from .common import ID, STAMPS
from .feed import Feed, Join, column

GROUP_COMPANY = Join(
    "counterparty",
    "(SELECT partner_id, min(id) AS id FROM res_company GROUP BY partner_id)",
    "counterparty.partner_id = {commercial_partner_id}",
)
COLUMNS = (
    ID,
    column("partner_code", "string", "ref", "Reference.", mapping="partner", record="id"),
    column("partner_name", "string", "name", "Name.", personal="name"),
    column("is_company", "boolean", "is_company", "A company, not a person."),
    column("parent_id", "integer", "parent_id", "Id of the partner that it belongs to."),
    column(
        "commercial_partner_id",
        "integer",
        "commercial_partner_id",
        "Id of the partner that documents are of.",
    ),
    column("tax_registration_number", "string", "vat", "Tax id.", personal="tax_id"),
    column("street", "string", "street", "Street.", personal="name"),
    column("zip", "string", "zip", "Postal code.", personal="name"),
    column("city", "string", "city", "City.", personal="name"),
    column("country", "string", "country_id.code", "Country, ISO 3166-1."),
    column("email", "string", "email", "E-mail address.", personal="name"),
    column("phone", "string", "phone", "Telephone.", personal="name"),
    column("language", "string", "lang", "Language."),
    column("entity_id", "integer", "company_id", "Id of the only company that may use it."),
    column(
        "counterparty_id",
        "integer",
        "=counterparty.id",
        "Id of the company of the group that it is.",
        mapping="entity",
        record="=counterparty.id",
    ),
    column("active", "boolean", "active", "It is not archived."),
    *STAMPS,
)


def _feed(code, title, rank, sequence):
    return Feed(
        code=code,
        title=title,
        model="res.partner",
        sequence=sequence,
        domain=((rank, ">", 0),),
        company="",
        joins=(GROUP_COMPANY,),
        columns=COLUMNS,
    )


CUSTOMERS = _feed("customers", "Customers", "customer_rank", 60)
VENDORS = _feed("vendors", "Vendors", "supplier_rank", 70)
BANK_ACCOUNTS = Feed(
    code="partner_bank_accounts",
    title="Bank accounts of partners",
    model="res.partner.bank",
    sequence=75,
    company="",
    columns=(
        ID,
        column("partner_id", "integer", "partner_id", "Id of the partner."),
        column(
            "account_number",
            "string",
            "sanitized_acc_number",
            "IBAN or account number.",
            personal="account_number",
        ),
        column("holder", "string", "acc_holder_name", "Name of the holder.", personal="name"),
        column("bank", "string", "bank_id.bic", "BIC of the bank."),
        column("currency", "string", "currency_id.name", "Currency, ISO 4217."),
        column("active", "boolean", "active", "It is not archived."),
        *STAMPS,
    ),
)
