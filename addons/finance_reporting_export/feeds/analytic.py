"""Analytic lines: what items cost and earned, by project or department."""

from .common import ENTITY, ID, STAMPS, period
from .feed import Feed, column

FEED = Feed(
    code="analytic_lines",
    title="Analytic lines",
    model="account.analytic.line",
    sequence=150,
    day="date",
    columns=(
        ID,
        *ENTITY,
        column("effective_date", "date", "date", "Date.", required=True),
        period("date"),
        column("description", "string", "name", "Description."),
        column(
            "dimension_id",
            "integer",
            "account_id",
            "Id of the analytic account of the first plan.",
        ),
        column(
            "dimension_code",
            "string",
            "account_id.code",
            "Reference of the analytic account.",
            mapping="dimension",
            record="account_id",
        ),
        column(
            "dimensions",
            "json",
            "=(SELECT jsonb_object_agg(part.key, part.value) FROM jsonb_each(to_jsonb("
            "account_analytic_line)) AS part WHERE (part.key = 'account_id'"
            " OR part.key ~ '^x_plan[0-9]+_id$') AND part.value <> 'null'::jsonb)",
            "Analytic accounts of all plans, {plan's field: id}.",
        ),
        column("amount", "decimal", "amount", "Company currency, costs negative.", required=True),
        column("currency", "string", "currency_id.name", "ISO 4217."),
        column("quantity", "decimal", "unit_amount", "Quantity.", scale=6),
        column("item_id", "integer", "move_line_id", "Id of the journal item it is from."),
        column(
            "account_id", "integer", "general_account_id", "Id of the account.", mapping="account"
        ),
        column("partner_id", "integer", "partner_id", "Id of the partner.", mapping="partner"),
        column("product_id", "integer", "product_id", "Id of the product.", mapping="product"),
        *STAMPS,
    ),
)
