"""The companies, and until when their books are locked."""

from .common import ID, STAMPS
from .feed import Feed, column

FEED = Feed(
    code="entities",
    title="Companies",
    model="res.company",
    sequence=5,
    company="id",
    columns=(
        ID,
        column("entity", "string", "name", "Name.", required=True, mapping="entity", record="id"),
        column("parent_id", "integer", "parent_id", "Id of the company that it is a branch of."),
        column("partner_id", "integer", "partner_id", "Id of its partner."),
        column("currency", "string", "currency_id.name", "ISO 4217.", required=True),
        column("country", "string", "partner_id.country_id.code", "ISO 3166-1."),
        column(
            "fiscal_year_end",
            "string",
            "={fiscalyear_last_month!} || '-' || {fiscalyear_last_day!}",
            "Month and day that its fiscal years end on.",
        ),
        column("lock_date", "date", "fiscalyear_lock_date", "Locked until this day."),
        column("hard_lock_date", "date", "hard_lock_date", "Locked for ever until this day."),
        column("tax_lock_date", "date", "tax_lock_date", "Taxes locked until this day."),
        *STAMPS,
    ),
)
