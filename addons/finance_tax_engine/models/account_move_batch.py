import contextlib
import logging

from psycopg2 import OperationalError

from odoo import Command, models
from odoo.exceptions import RedirectWarning, UserError

from odoo.addons.finance_connector_base.providers.errors import ProviderError

_logger = logging.getLogger(__name__)


class AccountMove(models.Model):
    """Many invoices posted together, where one that can't be posted never stops the others.

    `_post`, and with it Odoo's own buttons and scheduled actions, stays all or nothing.
    """

    _inherit = "account.move"

    def action_finance_post_with_tax(self):
        """Post those of these drafts that can be posted, and list the rest with the reason of each.

        What Odoo wants confirmed (dates in the future, journals secured with a hash) is asked first.
        """
        self.check_access("write")
        drafts = self.filtered(lambda move: move.state == "draft" and move.line_ids)
        if not drafts:
            raise UserError(
                self.env._("None of these is a draft with lines: nothing can be posted.")
            )
        if not drafts._get_moves_requiring_confirmation():
            return self.env["finance.tax.batch"]._post_moves(drafts)
        wizard = self.env["validate.account.move"].create({"move_ids": [Command.set(drafts.ids)]})
        return {
            "name": self.env._("Post with Tax"),
            "type": "ir.actions.act_window",
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "view_id": self.env.ref("account.validate_account_move_view").id,
            "target": "new",
            "context": {**self.env.context, "finance_tax_batch": True},
        }

    def _post(self, soft=True):
        posted = super()._post(soft)
        self.env["finance.tax.batch.line"]._posted(posted)
        return posted

    def _finance_tax_post_each(self, soft, patience):
        """Post what can be posted of these drafts; return {move: why it can't be, in words}.

        The engines are asked first, all at once: no row is locked while they think. Answers are
        kept by the content of the question, so posting asks again only where a draft was changed
        meanwhile. patience: seconds that may be waited for the engines.
        """
        reasons = self._finance_tax_foresee(soft, patience)
        good = self.filtered(lambda move: move not in reasons)
        return reasons | good._finance_tax_post_halves(soft)

    def _finance_tax_foresee(self, soft, patience):
        """Ask the engines about all drafts; return {move: reason} where that forbids to post."""
        taxed = self._finance_tax_to_post(soft).filtered(lambda move: move._finance_tax_workflow())
        try:
            plan = taxed._finance_tax_plan()
        except UserError:
            # whose fault it is comes out when posting
            return {}
        reasons = {
            move: _reason(move._finance_tax_refuse, obstacle)
            for move, obstacle in plan.obstacles.items()
        }
        traces = {move: move._finance_tax_trace() for move in plan.asked}
        for move, answer in self._finance_tax_ask(plan.asked, traces, patience).items():
            if isinstance(answer, ProviderError):
                reason = move._finance_tax_foresee_failure(answer, traces[move])
                reasons |= {move: reason} if reason else {}
        return reasons

    def _finance_tax_foresee_failure(self, error, trace_id):
        """Return why the policy does not let this draft be posted after ``error``, "" if it does."""
        failed = {self: error}
        rejected = _reason(self._finance_tax_raise_rejected, failed)
        if rejected:
            return rejected
        # what the policy does where it lets post is done when posting
        with contextlib.closing(self.env.cr.savepoint()):
            return _reason(self._finance_tax_outage, failed, {self: trace_id})

    def _finance_tax_post_halves(self, soft):
        """Post these in one go; where that fails, each half in one go, down to single ones."""
        if not self:
            return {}
        try:
            with self.env.cr.savepoint():
                # as the button of the form does
                self.with_context(validate_analytic=True)._post(soft)
            return {}
        except OperationalError:
            # somebody else was faster: all of it is run again
            raise
        except Exception as error:
            if len(self) == 1:
                return {self: self._finance_tax_words(error)}
        middle = len(self) // 2
        first = self[:middle]._finance_tax_post_halves(soft)
        return first | self[middle:]._finance_tax_post_halves(soft)

    def _finance_tax_words(self, error):
        if isinstance(error, UserError):
            return str(error)
        if isinstance(error, RedirectWarning):
            return str(error.args[0])
        _logger.error("posting %s failed", self, exc_info=error)
        return self.env._(
            "%(document)s can't be posted because of a fault in the program (%(fault)s). The log"
            " of the server tells an administrator more.",
            document=self.display_name,
            fault=type(error).__name__,
        )


def _reason(function, *arguments):
    """Return the words with which ``function`` refuses, "" when it doesn't."""
    try:
        function(*arguments)
    except UserError as refusal:
        return str(refusal)
    return ""
