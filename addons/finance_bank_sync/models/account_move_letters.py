from collections import defaultdict

from markupsafe import escape

from odoo import api, models
from odoo.tools import SQL

# Where the letters of a transaction's changes are gathered, in the context of the entries.
LETTERS = "finance_bank_letters"
# What Odoo gives `message_post` for changes that it has tracked.
TRACKED = {"body", "author_id", "subtype_id", "tracking_value_ids"}
# Methods of a thread that `_finance_post` stands for, and the addons whose ways it knows.
STOOD_FOR = ("message_post", "_message_compute_parent_id", "_message_create", "_notify_thread")
KNOWN = tuple(
    f"odoo.addons.{name}." for name in ("mail", "sms", "rating", "portal", "finance_bank_sync")
)
# The newest comment or mail among the last messages of each document, else the newest of them.
PARENTS = """
SELECT DISTINCT ON (res_id) res_id, id
  FROM (SELECT id, res_id, message_type, COALESCE(date, create_date) AS day,
               row_number() OVER (PARTITION BY res_id ORDER BY date DESC, id DESC) AS place
          FROM mail_message
         WHERE model = %s AND res_id = ANY(%s) AND message_type <> 'user_notification') message
 WHERE place <= 200
 ORDER BY res_id, message_type IN ('comment', 'email') DESC, day DESC, id DESC
"""


class Letters(list):
    """Calls of `message_post` that wait to be made together: (entry, keyword arguments)."""

    # A context is compared by what is in it: two lists of letters are never the same one.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class AccountMove(models.Model):
    """What Odoo writes into the chatter of invoices that were paid, for hundreds of them at once.

    The messages are the very ones that Odoo would post one by one.
    """

    _inherit = "account.move"

    @api.model
    def _finance_tell_changes(self):
        """Write what was tracked of entries in this transaction, now instead of at its end."""
        self.env.flush_all()
        self.with_context(**{LETTERS: Letters()})._track_finalize()

    def _message_track(self, fields_iter, initial_values_dict):
        tracking = super()._message_track(fields_iter, initial_values_dict)
        letters = self.env.context.get(LETTERS)
        if isinstance(letters, Letters) and letters:
            self.with_context(**{LETTERS: None})._finance_post(letters)
        return tracking

    def message_post(self, **kwargs):
        letters = self.env.context.get(LETTERS)
        if (
            isinstance(letters, Letters)
            and kwargs.keys() == TRACKED
            and self._finance_posts_as_known()
        ):
            letters.append((self, kwargs))
            return self.env["mail.message"]
        return super().message_post(**kwargs)

    def _finance_posts_as_known(self):
        """Tell whether entries may be written to together: no other addon has a say in it."""
        return not self.env.user._is_public() and not any(
            name in vars(parent) and not parent.__module__.startswith(KNOWN)
            for parent in type(self).__mro__
            for name in STOOD_FOR
        )

    def _finance_post(self, letters):
        """Post ``letters`` as `message_post` would, those of one kind together."""
        kinds = defaultdict(list)
        for entry, letter in letters:
            kinds[letter["subtype_id"], letter["author_id"]].append((entry.id, letter))
        for (subtype, author), some in kinds.items():
            ids, same = zip(*some, strict=True)
            entries = self.browse(ids)._fallback_lang()
            values = entries._finance_message_values(subtype, author, same)
            entries._finance_post_values(subtype, values, same)

    def _finance_message_values(self, subtype, author, letters):
        """Return the values of one message for each of these entries."""
        author, sender = self._message_compute_author(author, None)
        self.env["mail.message"].flush_model(["model", "res_id", "message_type", "date"])
        parents = {}
        if self._mail_flat_thread:
            parents = dict(self.env.execute_query(SQL(PARENTS, self._name, self.ids)))
        domains = self.sudo()._mail_get_alias_domains(default_company=self.env.company)
        companies = self._mail_get_companies(default=self.env.company)
        replies = self._notify_get_reply_to(default=sender, author_id=author)
        rows = []
        for entry, letter in zip(self, letters, strict=True):
            values = {
                "email_add_signature": True,
                "author_id": author,
                "author_guest_id": False,
                "email_from": sender,
                "model": entry._name,
                "res_id": entry.id,
                "body": escape(letter["body"]),
                "message_type": "notification",
                "parent_id": parents.get(entry.id, False),
                "subject": False,
                "subtype_id": subtype,
                "partner_ids": [],
                "incoming_email_to": False,
                "incoming_email_cc": False,
                "outgoing_email_to": False,
                "record_alias_domain_id": domains[entry.id].id,
                "record_company_id": companies[entry.id].id,
                "reply_to": replies[entry.id],
            }
            rows.append(values | entry._process_attachments_for_post(None, [], values))
        return rows

    def _finance_post_values(self, subtype, rows, letters):
        """Create the messages of these entries with what was tracked, and notify who follows."""
        messages = self._message_create(rows)
        self.env["mail.tracking.value"].sudo().create(
            [
                values | {"mail_message_id": message.id}
                for message, letter in zip(messages, letters, strict=True)
                for _create, _no_id, values in letter["tracking_value_ids"]
            ]
        )
        told = self.env["mail.followers"]._get_recipient_data(self, "notification", subtype, [])
        for entry, message, values in zip(self, messages, rows, strict=True):
            entry._message_post_after_hook(message, values)
            if told[entry.id]:
                entry._notify_thread(message, values)
