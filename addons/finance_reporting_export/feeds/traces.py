"""Which object of a vendor an Odoo document is: from the warehouse back to the source."""

from .common import ID
from .feed import Feed, column

FEED = Feed(
    code="document_traces",
    title="Document traces",
    model="finance.external.ref",
    sequence=170,
    company="",
    columns=(
        ID,
        column("entity_id", "integer", "company_id", "Id of the company."),
        column("system", "string", "connector_id.name", "The connector."),
        column("external_type", "string", "external_type", "What it is there.", required=True),
        column("external_id", "string", "external_id", "Its id there.", required=True),
        column("model", "string", "res_model", "What it is in Odoo.", required=True),
        column("record_id", "integer", "res_id", "Its id in Odoo."),
        column("entered_date", "datetime", "create_date", "When they were joined, UTC."),
    ),
)
