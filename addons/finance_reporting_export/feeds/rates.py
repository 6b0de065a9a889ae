"""Currency rates, as Odoo keeps them."""

from .common import ID, STAMPS
from .feed import Feed, column

FEED = Feed(
    code="currency_rates",
    title="Currency rates",
    model="res.currency.rate",
    sequence=160,
    company="",
    columns=(
        ID,
        column("entity_id", "integer", "company_id", "Id of the company; empty for all."),
        column("rate_date", "date", "name", "From this day on.", required=True),
        column(
            "currency",
            "string",
            "currency_id.name",
            "ISO 4217.",
            required=True,
            mapping="currency",
            record="currency_id",
        ),
        column(
            "rate",
            "decimal",
            "rate",
            "Units of the currency for one of the company's.",
            scale=18,
            required=True,
        ),
        *STAMPS,
    ),
)
