"""What Odoo tells in the chatter of a paid invoice: the same, however many are matched at once."""

from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from .matching import MatchingCase

OWN = {"id", "res_id", "message_id", "date", "create_date", "write_date", "parent_id",
       "tracking_value_ids", "notification_ids", "starred_partner_ids"}  # fmt: skip
TRACKED = ("field_id", "old_value_char", "new_value_char", "old_value_integer", "new_value_integer",
           "old_value_float", "new_value_float", "currency_id")  # fmt: skip


@tagged("post_install", "-at_install")
class TestMatchingChatter(MatchingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tracking = {"tracking_disable": False, "mail_notrack": False}
        cls.env = cls.env(context=cls.env.context | tracking)
        paid = cls.env.ref("account.mt_invoice_paid")
        cls.follower = cls.env["res.partner"].create(
            {"name": "Cedar", "email": "cedar@example.com"}
        )
        invoices = [cls.invoice(100.0 + number) for number in range(6)]
        cls.invoices = cls.env["account.move"].union(*invoices)
        invoices[0].message_subscribe(cls.follower.ids, paid.ids)
        invoices[3].message_subscribe(cls.follower.ids, paid.ids)
        for invoice in (invoices[1], invoices[4]):
            invoice.message_post(body="A word", message_type="comment")
            invoice._message_log(body="A note after it")
        cls.bulk = invoices[:3]
        cls.single = invoices[3:]
        cls.flush_changes()

    @classmethod
    def flush_changes(cls):
        """What a commit would do."""
        cls.cr.flush()

    def _pay(self, *invoices):
        lines = self.env["account.bank.statement.line"].union(
            *(self.line(invoice.amount_total, invoice.name) for invoice in invoices)
        )
        self.flush_changes()
        known = self.env["mail.message"].search([]).ids
        self.assertEqual(len(self.matched(lines)), len(invoices))
        self.flush_changes()
        return self.env["mail.message"].search(
            [("id", "not in", known), ("model", "=", "account.move"),
             ("res_id", "in", [invoice.id for invoice in invoices])]
        )  # fmt: skip

    def _told(self, messages, invoices):
        """Everything that is stored of ``messages`` but what is each one's own, invoice by invoice."""
        columns = [
            name
            for name, field in messages._fields.items()
            if field.store and name not in OWN and field.type != "one2many"
        ]
        told = []
        for invoice in invoices:
            for message in messages.filtered(lambda m, of=invoice: m.res_id == of.id):
                parent = message.parent_id
                told.append(
                    {name: _plain(message[name]) for name in columns}
                    | {
                        "subject": (message.subject or "").replace(invoice.name, "its name"),
                        "parent": (parent.res_id == invoice.id, parent.message_type, parent.body),
                        "tracked": [
                            tuple(_plain(value[name]) for name in TRACKED)
                            for value in message.sudo().tracking_value_ids
                        ],
                        "notified": [
                            (n.res_partner_id.id, n.notification_type, n.notification_status)
                            for n in message.sudo().notification_ids
                        ],
                    }
                )
        return told

    def test_many_at_once_as_one_by_one(self):
        bulk = self._told(self._pay(*self.bulk), self.bulk)
        entries = type(self.env["account.move"])
        with patch.object(entries, "_finance_posts_as_known", lambda _self: False):
            single = self._told(self._pay(*self.single), self.single)
        self.assertEqual(len(bulk), 3)
        for one, other in zip(bulk, single, strict=True):
            # residual amounts differ from invoice to invoice
            self.assertEqual(_without_amounts(one), _without_amounts(other))
        self.assertEqual([bool(told["notified"]) for told in bulk], [True, False, False])
        self.assertEqual(bulk[1]["parent"][1], "comment")
        self.assertTrue(all(told["tracked"] for told in bulk))

    def _created_at_once(self):
        """Pay three invoices; return how many messages each statement has made."""
        created = []
        model = type(self.env["mail.message"])
        create = model.create

        def counted(messages, values):
            created.append(len(values))
            return create(messages, values)

        with patch.object(model, "create", counted):
            self._pay(*self.bulk)
        return created

    def test_one_statement_for_all_messages(self):
        self.assertEqual(self._created_at_once(), [3])

    def test_another_addon_has_its_say(self):
        """Where an addon posts in a way that we don't know, each message goes through it."""
        known = ("odoo.addons.mail.", "odoo.addons.finance_bank_sync.")  # not those of texts (SMS)
        with patch("odoo.addons.finance_bank_sync.models.account_move_letters.KNOWN", known):
            self.assertEqual(self._created_at_once(), [1, 1, 1])

    def test_nobody_gathers_letters_from_outside(self):
        """A context from outside posts as ever."""
        invoice = self.bulk[0].with_context(finance_bank_letters=[])
        message = invoice.message_post(
            body="x", author_id=None, subtype_id=False, tracking_value_ids=[Command.clear()]
        )
        self.assertEqual(message.res_id, invoice.id)


def _plain(value):
    return value.ids if hasattr(value, "ids") else value


def _without_amounts(told):
    return told | {
        "tracked": [
            (field, *(value for value in rest if not isinstance(value, float)))
            for field, *rest in told["tracked"]
        ]
    }
