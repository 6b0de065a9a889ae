"""What a batch adds up to: in the ledger, in the file, and as the receiver has confirmed it."""

from odoo import api, fields, models

from odoo.addons.finance_connector_base.actions import listing

from .finance_export_run import UNDER_WAY

STATES = [("open", "Not compared yet"), ("equal", "Equal"), ("differs", "Differs")]
KINDS = [
    ("items", "Ledger and file"),
    ("books", "Trial balance and file"),
    ("rows", "Rows read and file"),
    ("period", "Months after an increment"),
]
# Runs whose totals are removed at a time: there may be a hundred thousand of one.
VACUUMED = 50


class FinanceExportTotal(models.Model):
    """Sums of a feed per company, month, account and currency, written in the run's transaction.

    kind: what the file was compared with: the journal items in SQL, the trial balance of Odoo (per
    company and account), or, for feeds without money, the rows that the database gave.
    """

    _name = "finance.export.total"
    _description = "Control Total"
    _order = "run_id desc, kind, feed, entity_id, period, account, currency, id"
    _rec_name = "feed"
    _log_access = False

    run_id = fields.Many2one(
        "finance.export.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", "Kept by", readonly=True, ondelete="cascade")
    feed = fields.Char("Feed's Code", required=True, readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True, default="open")
    entity_id = fields.Many2one("res.company", "Company", readonly=True, ondelete="set null")
    entity_currency_id = fields.Many2one("res.currency", readonly=True, ondelete="set null")
    period = fields.Char(readonly=True)
    account_id = fields.Many2one("account.account", readonly=True, ondelete="set null")
    account = fields.Char("Account Code", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True, ondelete="set null")
    currency = fields.Char("Currency Code", readonly=True)

    rows = fields.Integer("Rows: Ledger", readonly=True)
    debit = fields.Monetary(
        "Debit: Ledger", readonly=True, currency_field="entity_currency_id", aggregator=None
    )
    credit = fields.Monetary(
        "Credit: Ledger", readonly=True, currency_field="entity_currency_id", aggregator=None
    )
    amount_currency = fields.Monetary(
        "In Currency: Ledger", readonly=True, currency_field="currency_id", aggregator=None
    )
    digest = fields.Char("Digest: Ledger", readonly=True)
    file_rows = fields.Integer("Rows: File", readonly=True)
    file_debit = fields.Monetary(
        "Debit: File", readonly=True, currency_field="entity_currency_id", aggregator=None
    )
    file_credit = fields.Monetary(
        "Credit: File", readonly=True, currency_field="entity_currency_id", aggregator=None
    )
    file_amount_currency = fields.Monetary(
        "In Currency: File", readonly=True, currency_field="currency_id", aggregator=None
    )
    file_digest = fields.Char("Digest: File", readonly=True)

    _once = models.UniqueIndex(
        "(run_id, feed, kind, COALESCE(entity_id, 0), period, account, currency)",
        "A total is kept once a run.",
    )

    # === RETENTION === #

    @api.autovacuum
    def _vacuum(self):
        """Forget the totals of old runs; a full run has one a company, month, account and currency.

        Not those that differ, nor of the last run that was delivered, nor under a legal hold.
        """
        holds = self.env["finance.legal.hold"]._in_force()
        if not all(hold.company_id for hold in holds):
            return
        self.env.flush_all()
        self.env.cr.execute(
            """
            DELETE FROM finance_export_total WHERE state = 'equal' AND run_id IN (
                SELECT run.id FROM finance_export_run AS run
                  JOIN finance_export AS export ON export.id = run.export_id
                 WHERE export.keep_totals_days > 0 AND NOT run.state = ANY(%s)
                   AND NOT run.company_id = ANY(%s)
                   AND COALESCE(run.delivered_at, run.built_at, run.create_date)
                       < now() AT TIME ZONE 'UTC' - interval '1 day' * export.keep_totals_days
                   AND run.id <> (SELECT COALESCE(max(last.id), 0) FROM finance_export_run AS last
                                   WHERE last.export_id = run.export_id
                                     AND last.state = 'delivered')
                   AND EXISTS (SELECT FROM finance_export_total AS total
                                WHERE total.run_id = run.id AND total.state = 'equal')
                 ORDER BY run.id LIMIT %s)
            """,
            (list(UNDER_WAY), holds.company_id.ids, VACUUMED),
        )
        self.invalidate_model()

    def action_open_items(self):
        """Open the journal items that a total is made of."""
        self.ensure_one()
        return listing(
            self.env._("Journal Items"),
            "account.move.line",
            self._items_domain(),
            context={"create": False},
        )

    def _items_domain(self):
        domain = [("parent_state", "=", "posted"), ("company_id", "=", self.entity_id.id)]
        if self.period:
            domain += self.env["finance.export.run"]._month_domain(self.period)
        if self.account_id:
            domain.append(("account_id", "=", self.account_id.id))
        if self.currency_id:
            domain.append(("currency_id", "=", self.currency_id.id))
        return domain
