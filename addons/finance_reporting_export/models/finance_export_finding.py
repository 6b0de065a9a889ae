"""What a batch is not complete in."""

from odoo import api, fields, models

from odoo.addons.finance_connector_base.actions import listing

from .finance_export import POLICIES

KINDS = ("gaps", "drafts", "unmapped", "rates", "historical", "bank", "exceptions", "balance",
         "intercompany")  # fmt: skip
# Records that are listed by their ids; of more the oldest.
MOST_IDS = 2000


class FinanceExportFinding(models.Model):
    """One thing that was missing or open when a batch was read, with what it was worth."""

    _name = "finance.export.finding"
    _description = "Finding of an Export"
    _order = "run_id desc, blocks desc, code, entity_id, id"
    _rec_name = "code"

    run_id = fields.Many2one(
        "finance.export.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    code = fields.Char(required=True, readonly=True)
    title = fields.Char("What", compute="_compute_words")
    words = fields.Text("What to Do", compute="_compute_words")
    params = fields.Json(readonly=True)
    policy = fields.Selection(POLICIES, required=True, readonly=True)
    blocks = fields.Boolean("Stops the Batch", readonly=True)
    entity_id = fields.Many2one("res.company", "Company", readonly=True, ondelete="set null")
    count = fields.Integer(readonly=True)
    amount = fields.Monetary(readonly=True, aggregator=None)
    has_amount = fields.Boolean(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True, ondelete="set null")
    model = fields.Char(readonly=True)
    domain = fields.Json(readonly=True)
    context = fields.Json(readonly=True)
    may_open = fields.Boolean(compute="_compute_may_open")

    @api.depends("code", "params")
    @api.depends_context("lang")
    def _compute_words(self):
        words = self._words()
        for finding in self:
            title, todo = words.get(finding.code, (finding.code, ""))
            values = _Values(finding.params or {}, count=finding.count)
            finding.title, finding.words = title % values, todo % values

    @api.model
    def _words(self):
        """Return {code: (title, what to do)} in the reader's language. Addons extend it."""
        _ = self.env._
        return {
            "gaps": (
                _("Numbers are missing between journal entries"),
                _("Post or renumber the entries, or note why the numbers were not used."),
            ),
            "drafts": (
                _("Entries of the period are drafts"),
                _("Post or delete them: they are not in the batch."),
            ),
            "unmapped": (
                _("Values have no external code: %(kind)s"),
                _("Map them in Finance Connect, Unmapped Values; then run the export again."),
            ),
            "rates": (
                _("No rate from %(currency)s to %(to)s: %(periods)s"),
                _("Enter the rates: the group amounts of these months are empty, not one to one."),
            ),
            "historical": (
                _("Equity balances have no approved historical amount: %(periods)s"),
                _("Enter them under Historical Amounts; another person approves them."),
            ),
            "bank": (
                _("Days without a bank balance"),
                _("Import the statements, or write the balances down."),
            ),
            "exceptions": (
                _("Exceptions are open"),
                _("Settle them, or mark them as handled with a reason."),
            ),
            "balance": (
                _("Months don't balance: %(periods)s"),
                _("The export's reader may not read all journals, or entries are out of balance."),
            ),
            "intercompany": (
                _("Intercompany balances don't mirror"),
                _("Open them: one of the two companies lacks an entry, or has another amount."),
            ),
        }

    @api.depends("model", "count")
    @api.depends_context("uid")
    def _compute_may_open(self):
        for finding in self:
            model = self.env.get(finding.model or "")
            readable = model is not None and model.has_access("read")
            finding.may_open = bool(readable and finding.domain is not None)

    def action_open(self):
        """Open the list of what was found."""
        self.ensure_one()
        return listing(
            self.title, self.model, self.domain, context={"create": False} | (self.context or {})
        )


class _Values(dict):
    """Parameters of a text: what is missing reads as a dash, never as an error."""

    def __init__(self, params, **more):
        super().__init__(params | more)

    def __missing__(self, key):
        return "–"
