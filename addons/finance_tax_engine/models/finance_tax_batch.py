from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.actions import listing

# How many are posted in one transaction; more than that go in the background.
CHUNK = 100
# How long engines may take for one transaction in the background, where nobody waits.
PATIENCE = 30.0


class FinanceTaxBatch(models.Model):
    """Invoices that a person posts together, and which of them could not be posted.

    Up to `CHUNK` are posted at once. More are posted by jobs in the background, one a transaction
    and each followed by the next: a worker that is killed loses its transaction only, and what the
    engine has answered until then is not asked again.
    """

    _name = "finance.tax.batch"
    _inherit = ["finance.job.mixin"]
    _description = "Invoices Posted Together"
    _order = "id desc"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    connector_id = fields.Many2one(
        "finance.connector", "Engine", readonly=True, ondelete="set null"
    )
    user_id = fields.Many2one("res.users", "Posted by", readonly=True, ondelete="set null")
    uuid = fields.Char(required=True, readonly=True, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, default=lambda self: uuid4().hex)
    soft = fields.Boolean(readonly=True, help="What is dated in the future is left for its day.")
    rounds = fields.Integer(readonly=True, help="How many jobs it has had.")
    state = fields.Selection(
        [("running", "Under way"), ("done", "Done")],
        default="running",
        required=True,
        readonly=True,
    )
    finished_at = fields.Datetime(readonly=True)
    line_ids = fields.One2many("finance.tax.batch.line", "batch_id", readonly=True)
    refused_line_ids = fields.One2many(
        "finance.tax.batch.line", "batch_id", domain=[("state", "=", "refused")], readonly=True
    )
    total_count = fields.Integer("Invoices", compute="_compute_counts")
    posted_count = fields.Integer("Posted", compute="_compute_counts")
    refused_count = fields.Integer("Not posted", compute="_compute_counts")
    progress = fields.Float("Progress (%)", compute="_compute_counts")

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")

    @api.depends("create_date", "line_ids")
    def _compute_display_name(self):
        for batch in self:
            batch.display_name = self.env._("%(count)s invoices", count=batch.total_count)

    @api.depends("line_ids.state")
    def _compute_counts(self):
        rows = self.env["finance.tax.batch.line"]._read_group(
            [("batch_id", "in", self.ids)], ["batch_id", "state"], ["__count"]
        )
        counts = {(batch.id, state): number for batch, state, number in rows}
        for batch in self:
            batch.posted_count = counts.get((batch.id, "posted"), 0)
            batch.refused_count = counts.get((batch.id, "refused"), 0)
            over = batch.posted_count + batch.refused_count
            batch.total_count = over + counts.get((batch.id, "waiting"), 0)
            batch.progress = 100.0 * over / batch.total_count if batch.total_count else 0.0

    # === POST === #

    @api.model
    def _post_moves(self, moves, soft=False):
        """Post the drafts ``moves`` (in the background when many); return the action that tells.

        soft: leave what is dated in the future for its day, as in `account.move._post`.
        """
        batches = self.sudo().create(
            [
                {
                    "company_id": company.id,
                    "connector_id": of_company[0]._finance_tax_workflow().connector_id.id,
                    "user_id": self.env.uid,
                    "soft": soft,
                    "line_ids": [(0, 0, {"move_id": move.id}) for move in of_company],
                }
                for company, of_company in moves.grouped("company_id").items()
            ]
        )
        return batches._start()

    def _start(self):
        waiting = self.line_ids.filtered(lambda line: line.state == "waiting")
        if len(waiting) > CHUNK:
            self._enqueue_next()
            title = self.env._("%(count)s invoices are being posted", count=len(waiting))
            message = self.env._("You are told when it is done; the list shows how far it is.")
            return self._tell("info", title, message)
        for batch in self:
            batch._post_some(0.0)
            batch._finish()
        if self.refused_line_ids:
            return self._action_open()
        return self._tell("success", self.env._("%(count)s invoices posted", count=len(waiting)))

    def _enqueue_next(self):
        for batch in self:
            batch.rounds += 1
        # what was posted already is recorded first
        return self._enqueue("tax.post", revision=lambda batch: batch.rounds, priority=50)

    def _post_some(self, patience):
        """Post the next that wait; as who runs this, with that person's rights."""
        Line = self.env["finance.tax.batch.line"].sudo()
        lines = Line.search([("batch_id", "=", self.id), ("state", "=", "waiting")], limit=CHUNK)
        drafts = lines.move_id.sudo(False).filtered(lambda move: move.state == "draft")
        reasons = drafts._finance_tax_post_each(self.soft, patience)
        for line in lines:
            if line.state != "posted":
                line.write({"state": "refused", "reason": reasons.get(line.move_id) or line._why()})

    def _post_next(self, job):
        """Do one job's part, and see to what follows."""
        job._progress(self.posted_count + self.refused_count, self.total_count)
        self._post_some(PATIENCE)
        if self.posted_count + self.refused_count < self.total_count:
            self._enqueue_next()
            return
        self._finish()
        self._report()

    def _finish(self):
        self.sudo().write({"state": "done", "finished_at": fields.Datetime.now()})
        self._close_exception()

    def _report(self):
        """Tell who started it that it is over; what is left to do waits as an exception."""
        names = {"posted": self.posted_count, "refused": self.refused_count}
        message = self.env._("%(posted)s posted, %(refused)s not posted", **names)
        self.user_id._bus_send(
            "simple_notification",
            {
                "type": "warning" if self.refused_count else "success",
                "title": self.env._("Posting invoices is done"),
                "message": message,
                "sticky": bool(self.refused_count),
            },
        )
        if self.refused_count:
            self.env["finance.exception"]._raise(
                "tax.not_posted",
                document=self,
                record=self,
                connector=self.connector_id,
                company=self.company_id,
                params={name: str(number) for name, number in names.items()},
            )

    def _close_exception(self):
        """Close the exceptions of those of which nothing is left to post."""
        settled = self.filtered(lambda batch: not batch.refused_count)
        if settled:
            self.env["finance.exception"].sudo()._resolve(
                code="tax.not_posted", document=settled, note="tax.all_posted"
            )

    # === BUTTONS === #

    def action_post_rest(self):
        """Try again to post what could not be posted."""
        self.check_access("read")
        lines = self.sudo().refused_line_ids
        lines.move_id.sudo(False).check_access("write")
        if not lines or self.filtered(lambda batch: batch.state == "running"):
            raise UserError(self.env._("There is nothing to try again, or it is still under way."))
        lines.write({"state": "waiting", "reason": False})
        self.sudo().write({"state": "running", "user_id": self.env.uid})
        return self.sudo()._start()

    def action_open_refused(self):
        """List the invoices that could not be posted."""
        self.check_access("read")
        return listing(
            self.env._("Not Posted"),
            "account.move",
            [("id", "in", self.refused_line_ids.move_id.ids)],
        )

    def _action_open(self):
        action = listing(
            self.env._("Not All Could Be Posted"), self._name, [("id", "in", self.ids)]
        )
        return action | ({"res_id": self.id, "view_mode": "form"} if len(self) == 1 else {})

    def _tell(self, kind, title, message=""):
        return self.env["finance.connector"]._notify(kind, title, message)

    @api.autovacuum
    def _vacuum(self):
        """Forget what was posted together more than 90 days ago."""
        day = fields.Datetime.subtract(fields.Datetime.now(), days=90)
        self.search([("state", "=", "done"), ("finished_at", "<", day)], limit=1000).unlink()


class FinanceTaxBatchLine(models.Model):
    """One of the invoices that are posted together."""

    _name = "finance.tax.batch.line"
    _description = "Invoice Posted Together with Others"
    _order = "batch_id desc, id"

    batch_id = fields.Many2one(
        "finance.tax.batch", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="batch_id.company_id", store=True, index=True)
    move_id = fields.Many2one(
        "account.move", "Invoice", required=True, readonly=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="move_id.partner_id")
    state = fields.Selection(
        [("waiting", "Waiting"), ("posted", "Posted"), ("refused", "Not posted")],
        default="waiting",
        required=True,
        readonly=True,
        index=True,
    )
    reason = fields.Text("Why not", readonly=True)

    @api.model
    def _posted(self, moves):
        """Note that ``moves`` are posted, by whomever; close what that settles."""
        lines = self.sudo().search([("move_id", "in", moves.ids), ("state", "!=", "posted")])
        if not lines:
            return
        refused = lines.filtered(lambda line: line.state == "refused").batch_id
        lines.write({"state": "posted", "reason": False})
        refused._close_exception()

    def _why(self):
        """Return why the invoice was not posted although nothing was wrong with it."""
        if self.move_id.state != "draft":
            return self.env._("It is no longer a draft.")
        return self.env._(
            "It is dated %(day)s and is posted on that day.",
            day=fields.Date.to_string(self.move_id.date),
        )
