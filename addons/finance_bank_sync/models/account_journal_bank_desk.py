from odoo import fields, models
from odoo.tools import format_date, format_datetime


class AccountJournal(models.Model):
    _inherit = "account.journal"

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        """Tell the card of a bank account how many lines are to do."""
        super()._fill_bank_cash_dashboard_data(dashboard_data)
        desk = self.env["finance.bank.desk"]
        readable = desk._may_read()
        rows = []
        if readable:
            rows = self.env["account.bank.statement.line"]._read_group(
                [
                    ("journal_id", "in", self.ids),
                    ("state", "=", "posted"),
                    ("is_reconciled", "=", False),
                ],
                ["journal_id"],
                ["__count"],
            )
        counts = {journal.id: count for journal, count in rows}
        links = self._finance_bank_links()
        for journal in self:
            dashboard_data[journal.id] |= {
                "finance_bank_desk": readable,
                "finance_bank_lines": counts.get(journal.id, 0),
                "finance_bank_link": self._finance_link_on_card(links.get(journal.id)),
            }

    def _finance_bank_links(self):
        """Return {journal id: its bank link}, of those that the user may see; stopped ones too,
        where there is no other."""
        if not self.env["finance.bank.desk"]._may_read():
            return {}
        found = self.env["finance.bank.link"].search(
            [("journal_id", "in", self.ids)], order="state desc, id"
        )
        by_journal = {}
        for link in found:
            known = by_journal.get(link.journal_id.id)
            if not known or known.state == "paused":
                by_journal[link.journal_id.id] = link
        return by_journal

    def _finance_link_on_card(self, link):
        if not link:
            return False
        words = []
        if link.last_pull_at:
            when = format_datetime(self.env, link.last_pull_at, dt_format="short")
            words.append(self.env._("fetched %(when)s", when=when))
        if link.state == "active" and link.consent_until:
            day = fields.Datetime.context_timestamp(link, link.consent_until)
            words.append(self.env._("consent until %(day)s", day=format_date(self.env, day)))
        state = dict(link._fields["state"]._description_selection(self.env))[link.state]
        label = self.env._("Bank link: %(state)s", state=state)
        return {"state": link.state, "label": label, "words": " · ".join(words)}

    def action_finance_bank_desk(self):
        """Open the bank lines of the account."""
        self.ensure_one()
        return self.env["finance.bank.desk"]._action(journal=self)

    def action_finance_bank_link(self):
        """Open the bank link of the account."""
        self.ensure_one()
        link = self._finance_bank_links().get(self.id)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "finance_bank_sync.action_finance_bank_link"
        )
        return action | {"views": [(False, "form")], "res_id": link.id} if link else action

    def action_finance_bank_import(self):
        """Open the bank lines of the account and let the person choose files at once."""
        action = self.action_finance_bank_desk()
        action["params"]["choose_files"] = True
        return action
