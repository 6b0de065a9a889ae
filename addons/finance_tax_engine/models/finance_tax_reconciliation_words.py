"""What a comparison with a tax engine says: a sentence, and the statement for the return."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_list
from odoo.tools.misc import format_amount

from ..reconciliation.compare import ORDER, PENDING


class FinanceTaxReconciliation(models.Model):
    _inherit = "finance.tax.reconciliation"

    @api.depends("compared_at", "is_running", "line_ids.explained")
    @api.depends_context("lang", "uid")
    def _compute_words(self):
        grouped = self._grouped()
        for period in self:
            rows = grouped.get(period.id, [])
            period.sentence = period._sentence(rows)
            period.statement = "\n".join(period._statement(rows)) if period.compared_at else False

    def _sentence(self, rows):
        _ = self.env._
        if not self.compared_at:
            return _("Being compared for the first time.") if self.is_running else _(
                "Never compared."
            )  # fmt: skip
        names = {
            "matched": sum(row[-1] for row in rows if row[0] == "matched"),
            "open": self.open_count,
            "pending": sum(row[-1] for row in rows if row[2] == PENDING),
            "all": sum(row[-1] for row in rows if row[0] == "matched" or row[2] != ORDER),
        }
        if not names["all"]:
            return _("Nothing to declare on either side.")
        if names["open"]:
            return _("%(matched)s of %(all)s documents agree; %(open)s to decide.", **names)
        if names["pending"]:
            return _("%(matched)s of %(all)s documents agree; %(pending)s on the way.", **names)
        if names["matched"] == names["all"]:
            return _("All %(all)s documents agree.", **names)
        return _("%(matched)s of %(all)s documents agree; the others are explained.", **names)

    def _statement(self, rows):
        """Return the statement for the return, sentence by sentence."""
        _ = self.env._
        names = {
            "engine": self.connector_id.sudo().name,
            "company": self.company_id.sudo().name,
            "month": self._month_words(),
        }
        words = [
            _(
                "%(engine)s has recorded %(there_count)s document(s) dated %(month)s with tax of"
                " %(there)s; the ledger of %(company)s has %(here_count)s with %(here)s.",
                **names,
                **self._sums(),
            )
        ]
        missing = [row for row in rows if row[2] != ORDER]
        if missing:
            words.append(_("Not complete, because of: %(what)s.", what=self._listed_words(missing)))
        elif not self.by_lookup:
            words.append(_("Complete: each document was found on both sides with the same tax."))
        apart = [row for row in rows if row[2] == ORDER and row[1]]
        if apart:
            words.append(_("Not counted: %(what)s.", what=self._listed_words(apart)))
        if self.cutoff_count:
            words.append(
                _(
                    "Document date and accounting date lie in different months: %(count)s document(s);"
                    " they count by document date.",
                    count=self.cutoff_count,
                )
            )
        if self.by_lookup:
            words.append(
                _(
                    "Whether it is complete is not known: %(engine)s can't list what it has"
                    " recorded. The documents known here were looked up one by one; what only"
                    " %(engine)s has is not found.",
                    **names,
                )
            )
        if self.compared_at < fields.Datetime.to_datetime(self.last + timedelta(days=1)):
            words.append(_("The month was not over when it was compared."))
        return words

    def _sums(self):
        totals = self.total_ids.filtered(lambda total: not total.key)

        def money(side):
            parts = [
                format_amount(self.env, total[side], total.currency_id)
                if total.currency_id
                else f"{total[side]} {total.currency}"
                for total in totals
            ]
            return format_list(self.env, parts) if parts else "0"

        return {
            "here": money("here"),
            "there": money("there"),
            "here_count": sum(totals.mapped("here_count")),
            "there_count": sum(totals.mapped("there_count")),
        }

    def _listed_words(self, rows):
        lines = self.env["finance.tax.reconciliation.line"]
        reasons = dict(lines._fields["reason"]._description_selection(self.env))
        explained = self.env._("explained")
        return format_list(
            self.env,
            [
                f"{count} × {reasons.get(reason, reason)}" + (f" ({explained})" if told else "")
                for _bucket, reason, _standing, told, count in rows
            ],
        )
