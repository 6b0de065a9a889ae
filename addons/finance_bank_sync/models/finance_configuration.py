from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_configuration_column import (
    Column,
    Lines,
    Section,
    same,
)

ARCHIVED = {"active": False}
OPEN = ("proposed", "active")


class Standing(Column):
    """Whether a policy is in force: shown in files, and decided by people alone."""

    late = True

    def wanted(self, load, record, value):
        return value

    def put(self, load, record, wanted):
        """Approving is another person's."""


class Policies(Section):
    """Policies of bank accounts. What a file says is proposed, and another person approves it."""

    def records(self, env):
        """Return the newest open policy of each journal, proposed or in force."""
        rows = super().records(env).filtered(lambda row: row.state in OPEN)
        return rows.browse(max(policies.ids) for policies in rows.grouped("journal_id").values())

    def write(self, record, vals):
        """Propose the change: what is in force, or was proposed by somebody else, stays."""
        if record.state == "proposed" and record.proposed_by_id == record.env.user:
            record.write(vals)
            return record
        return record.copy(vals)


class FinanceConfiguration(models.AbstractModel):
    """How bank accounts are read, matched and watched. Links, pick-ups and what was learned are data:
    they belong to one database and its secrets."""

    _inherit = "finance.configuration"

    @api.model
    def _sections(self):
        return super()._sections() | {
            "bank_policies": Policies(
                "finance.bank.policy",
                self.env._("Bank Policies"),
                identity=("company", "journal"),
                columns={
                    "company": "company_id",
                    "journal": "journal_id",
                    "state": Standing("state"),
                    **same("booking_date", "automatic", "threshold", "tolerance", "fee_limit"),
                    **same("writeoff_line_limit", "writeoff_month_limit", "transfer_days"),
                    **same("sample_size", "note"),
                    "writeoff_account": "writeoff_account_id",
                    "fee_account": "fee_account_id",
                    "transfer_journal": "transfer_journal_id",
                },
                steps=self._steps_of_bank_policy,
            ),
            "bank_column_maps": Section(
                "finance.bank.column.map",
                self.env._("Column Maps"),
                identity=("key",),
                columns={
                    "key": "config_key",
                    **same("name", "active", "delimiter", "quote", "encoding", "sheet", "head"),
                    **same("first", "last", "order", "mark", "negate", "currency", "account"),
                    **same("credit", "debit", "pending"),
                    "company": "company_id",
                    "journals": "journal_ids",
                    "columns": Lines("column_ids", {"column": "head", "meaning": "meaning"}),
                },
                absent=ARCHIVED,
            ),
            "expected_statements": Section(
                "finance.bank.expectation",
                self.env._("Expected Statements"),
                identity=("company", "journal"),
                columns={
                    "company": "company_id",
                    "journal": "journal_id",
                    **same("active", "monday", "tuesday", "wednesday", "thursday", "friday"),
                    **same("saturday", "sunday", "lag", "hour", "target", "holidays"),
                    **same("stale_after"),
                    "time_zone": "tz",
                },
                absent=ARCHIVED,
            ),
        }

    def _steps_of_bank_policy(self, change):
        if change.kind == "gone" or change.entry.get("state") != "proposed":
            return []
        return [
            self.env._(
                "Have the bank policy of %(journal)s approved by another person.",
                journal=change.entry["journal"],
            )
        ]
