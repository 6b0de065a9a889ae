from contextlib import contextmanager

from odoo import models

from .account_move import KINDS


class AccountMove(models.Model):
    """Tax items of an invoice follow the amounts that its lines carry."""

    _inherit = "account.move"

    @contextmanager
    def _sync_tax_lines(self, container):
        """Recompute tax items also where only the carried amounts of a line have changed.

        Odoo watches price, quantity, discount and taxes of a line; amounts that an engine corrects
        while all of these stay would otherwise never reach the journal.
        """
        before = {
            line: (line.extra_tax_data, line._finance_tax_tracked())
            for line in container["records"].filtered(_may_carry).line_ids
            if line.display_type == "product"
        }
        with super()._sync_tax_lines(container):
            yield
        for move in container["records"]:
            if _may_carry(move) and move._finance_tax_only_carrier_changed(before):
                move._finance_tax_sync()

    def _finance_tax_only_carrier_changed(self, before):
        changed = False
        for line in self.line_ids:
            if line.display_type != "product":
                continue
            # an added or edited line has made Odoo recompute the move already
            if line not in before or before[line][1] != line._finance_tax_tracked():
                return False
            changed = changed or before[line][0] != line.extra_tax_data
        return changed

    def _finance_tax_sync(self):
        """Bring the tax items in line with the carried amounts, as `_sync_tax_lines` does."""
        AccountTax = self.env["account.tax"]
        base_lines, tax_lines = self._get_rounded_base_and_tax_lines(round_from_tax_lines=False)
        AccountTax._add_accounting_data_in_base_lines_tax_details(
            base_lines, self.company_id, include_caba_tags=self.always_tax_exigible
        )
        results = AccountTax._prepare_tax_lines(base_lines, self.company_id, tax_lines=tax_lines)
        for base_line, vals in results["base_lines_to_update"]:
            base_line["record"]._finance_write_changed(vals)
        for tax_line, _grouping_key, vals in results["tax_lines_to_update"]:
            tax_line["record"]._finance_write_changed(vals)
        obsolete = [tax_line["record"].id for tax_line in results["tax_lines_to_delete"]]
        if obsolete:
            self.line_ids.browse(obsolete).with_context(dynamic_unlink=True).unlink()
        added = [
            {**vals, "display_type": "tax", "move_id": self.id}
            for vals in results["tax_lines_to_add"]
        ]
        if added:
            self.env["account.move.line"].create(added)


def _may_carry(move):
    return move.state == "draft" and move.move_type in KINDS
