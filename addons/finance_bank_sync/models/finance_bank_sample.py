import hashlib

from odoo import api, fields, models
from odoo.exceptions import AccessError

CONTROLLER = "finance_connector_base.group_controller"
GUARDED = {"state", "signed_by_id", "signed_at", "match_ids", "seed", "journal_id", "month",
           "company_id", "population"}  # fmt: skip


class FinanceBankSample(models.Model):
    """Automatic matches of one account and month, drawn for a controller to look at and sign.

    Which ones is random, but the same at every drawing: the order of digests of seed and match.
    """

    _name = "finance.bank.sample"
    _description = "Sample of Automatic Matches"
    _order = "month desc, journal_id"
    _rec_name = "journal_id"

    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    month = fields.Date(required=True, readonly=True, help="Its first day.")
    seed = fields.Char(readonly=True, help="Database, journal and month: nobody chooses it.")
    population = fields.Integer("Automatic Matches", readonly=True)
    match_ids = fields.Many2many("finance.bank.match", string="Sample", readonly=True)
    state = fields.Selection(
        [("open", "To look at"), ("signed", "Signed")], default="open", required=True, readonly=True
    )
    remarks = fields.Text()
    signed_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    signed_at = fields.Datetime("Signed", readonly=True)

    _month_unique = models.Constraint(
        "UNIQUE (journal_id, month)", "An account has one sample a month."
    )

    def write(self, vals):
        if not self.env.su and (
            vals.keys() & GUARDED or any(sample.state == "signed" for sample in self)
        ):
            self.env["finance.denied.action"]._deny("bank.sample", "guard", self[:1])
            raise AccessError(self.env._("A sample is drawn by the system, and signed as it is."))
        return super().write(vals)

    def action_sign(self):
        """Record that the sample was looked at. Who matched any of it by hand is not asked."""
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group(CONTROLLER):
            self.env["finance.denied.action"]._deny("bank.sample", "group", self)
            raise AccessError(self.env._("Signing a sample needs the role Controller."))
        self.sudo().write(
            {"state": "signed", "signed_by_id": self.env.uid, "signed_at": fields.Datetime.now()}
        )
        self.env["finance.audit.event"]._record(
            "bank.sample_signed",
            self,
            company=self.company_id,
            data={
                "matches": self.match_ids.ids,
                "population": self.population,
                "undone": len(self.match_ids.filtered("undone_at")),
            },
        )

    @api.model
    def _draw(self, journal, day):
        """Return the sample of ``journal`` for the month of ``day``, drawn when it isn't yet."""
        month = day.replace(day=1)
        found = self.sudo().search([("journal_id", "=", journal.id), ("month", "=", month)])
        if found:
            return found
        start, end = month, fields.Date.add(month, months=1)
        matches = self.env["finance.bank.match"].sudo().search(
            [("journal_id", "=", journal.id), ("automatic", "=", True),
             ("matched_at", ">=", start), ("matched_at", "<", end)], order="id",
        )  # fmt: skip
        database = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        seed = f"{database}:{journal.id}:{month}"
        size = self.env["finance.bank.policy"]._of(journal).sample_size
        drawn = matches.sorted(lambda match: hashlib.sha256(f"{seed}:{match.id}".encode()).digest())
        return self.sudo().create(
            {
                "journal_id": journal.id,
                "company_id": journal.company_id.id,
                "month": month,
                "seed": seed,
                "population": len(matches),
                "match_ids": [(6, 0, drawn[:size].ids)],
            }
        )

    @api.model
    def _cron_draw(self):
        """Draw the samples of last month."""
        day = fields.Date.subtract(fields.Date.today().replace(day=1), days=1)
        rows = self.env["finance.bank.match"].sudo()._read_group(
            [("automatic", "=", True), ("matched_at", ">=", day.replace(day=1)),
             ("matched_at", "<", fields.Date.add(day, days=1))], ["journal_id"],
        )  # fmt: skip
        for (journal,) in rows:
            self._draw(journal, day)
