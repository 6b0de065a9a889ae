"""What becomes of a recorded document: recorded again, filed, repaired."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical.tax import LOCKED, RECORDED

CONTROLLER = "finance_connector_base.group_controller"


class FinanceTaxDocument(models.Model):
    _inherit = "finance.tax.document"

    changes = fields.Integer(readonly=True, copy=False, help="How often it was changed by button.")
    can_record_again = fields.Boolean(compute="_compute_can_repair")
    can_unvoid = fields.Boolean(compute="_compute_can_repair")
    can_uncommit = fields.Boolean(compute="_compute_can_repair")

    @api.depends("state", "recording", "move_id.state", "connector_id", "true_up_ids.state")
    def _compute_can_repair(self):
        for document in self:
            vendor = document.connector_id.sudo()._known_class() if document.connector_id else None
            offered = getattr(vendor, "capabilities", ())
            posted = document.move_id.state == "posted" and document.recording
            # what is out of the return is recorded, what is in it is adjusted
            document.can_record_again = (
                posted
                and document.state == "mismatch"
                and "drafted" not in document.true_up_ids.mapped("state")
                and ("adjust" in offered or not document.committed_at)
            )
            recorded = posted and document.state in ("committed", "mismatch")
            document.can_unvoid = recorded and "unvoid" in offered
            document.can_uncommit = (
                recorded and bool(document.committed_at) and "uncommit" in offered
            )

    # === RECORDED AGAIN === #

    def action_record_again(self):
        """Put what the books say over what the engine has, under the same code."""
        self.check_access("read")
        self.move_id.check_access("write")
        for document in self:
            if not document.can_record_again:
                raise UserError(
                    self.env._(
                        "%(document)s can't be recorded again: the engine agrees with the books,"
                        " has not recorded it, or doesn't replace what it has. Reset it to draft"
                        " and post it again instead.",
                        document=document._finance_document().display_name,
                    )
                )
            document._change("tax.adjust" if document.committed_at else "tax.commit")
            document.sudo().state = "posted"
            document.true_up_ids._withdrawn()
            document._resolve("tax.mismatch", note="tax.recorded_again")

    def _change(self, operation):
        """Write the job of one more change; jobs of one document run in their order."""
        self.sudo().changes += 1
        self.sudo()._enqueue(operation, revision=f"{self.revision}-{self.changes}")

    def _adjusted(self, result):
        """The engine has put the books' content over its own."""
        self.env["finance.tax.version"]._keep(self, "adjusted", result)
        self._compare(result, "tax.adjusted")

    def _compare(self, result, event):
        """Note a change of a posting at the engine, and what it means for the present one."""
        self.ensure_one()
        self._audit(event, code=result.code, tax=result.total_tax, currency=self.currency_id.name)
        self.sudo().write({"engine_id": result.engine_id, "engine_code": result.code})
        if result.code != self._code() or not self.recording:
            return
        booked, counts = self._result(), result.status == RECORDED
        # not every answer to a repair tells the authorities
        same = result.by_key() == booked.by_key() if result.taxes else True
        agrees = counts and same and result.total_tax == booked.total_tax
        self.sudo().write(
            {
                "state": "committed" if agrees else "mismatch",
                "committed_at": fields.Datetime.now() if counts else False,
            }
        )
        if agrees:
            self.true_up_ids._withdrawn()
            self._resolve("tax.mismatch", "tax.rejected", note="tax.recorded_again")
        else:
            engine = result.total_tax if counts else 0
            self._raise_mismatch(engine, booked.total_tax, result if counts else None)

    # === REPAIRS OF A CONTROLLER === #

    def action_unvoid(self):
        """Undo a void that was made at the engine by mistake."""
        self._repair("tax.unvoid", "can_unvoid")

    def action_uncommit(self):
        """Take a recorded document out of the next return."""
        self._repair("tax.uncommit", "can_uncommit")

    def _repair(self, operation, condition):
        if not self.env.su and not self.env.user.has_group(CONTROLLER):
            self.env["finance.denied.action"]._deny(operation, "group", self)
            raise AccessError(
                self.env._("Only controllers repair what a tax engine has. Ask one of them.")
            )
        self.check_access("read")
        for document in self:
            if not document[condition]:
                raise UserError(
                    self.env._(
                        "This is for posted documents that the engine has recorded, and for engines"
                        " that can do it; %(document)s is not such a one.",
                        document=document._finance_document().display_name,
                    )
                )
            document._change(operation)

    def _unvoided(self, result):
        """The engine has the document again as before its void."""
        self.env["finance.tax.version"]._keep(self, "unvoided", result)
        self._compare(result, "tax.unvoided")

    def _uncommitted(self, result):
        """The engine keeps the document, but declares it no longer."""
        self.env["finance.tax.version"]._keep(self, "uncommitted", result)
        self._compare(result, "tax.uncommitted")

    # === FILED === #

    def _voiding_failed(self, error):
        if not isinstance(error, Rejected) or error.code != LOCKED:
            return super()._voiding_failed(error)
        # what was filed is what a new posting has to say again
        self.sudo().write({"state": "locked", "recording": True})
        return self._filed_words(error)

    def _recording_failed(self, error):
        if not isinstance(error, Rejected) or error.code != LOCKED:
            return super()._recording_failed(error)
        self.sudo().state = "locked"
        return self._filed_words(error)

    def _filed_words(self, error):
        return "tax.locked", {
            "params": {"message": error.message, "code": error.code},
            "amount": float(self.amount_tax),
            "currency": self.currency_id,
        }

    def _post(self):
        """What was filed and is posted again unchanged is recorded already."""
        filed = self.filtered(lambda document: document.state == "locked")
        filed._cancel_refused()
        for document in filed:
            document._resolve("tax.locked", note="tax.restored")
        return super(FinanceTaxDocument, self - filed)._post()

    def _withdraw(self):
        result = super()._withdraw()
        for document in self.exists():
            document._resolve("tax.locked", note="tax.withdrawn")
        return result
