"""What an auditor may ask and a person may have erased: names, references and words of an event."""

import hashlib
import os
from collections import defaultdict, namedtuple
from uuid import uuid4

from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..canonical.codec import dump, load
from ..fields import WeakMany2one
from ..vault import VaultError
from .finance_vault import VaultClosed

# What goes into the event, and the columns of the row but event and time.
Prepared = namedtuple("Prepared", "facts row")
SALT_BYTES = 32
# Whom a document is about: the first that it has.
PARTNER_FIELDS = ("partner_id", "commercial_partner_id")


class FinanceAuditDetail(models.Model):
    """Personal values and free text of one audit event, sealed; the event holds their digest.

    The digest is the SHA-256 of the sealed text, the canonical JSON ``{"salt", "values"}``: the
    salt keeps anybody from guessing a name from an event. Erasing empties the content and leaves
    the row: the event stays provable, and the row says who erased it, when and why.
    """

    _name = "finance.audit.detail"
    _inherit = ["finance.weak.mixin", "finance.sealed.mixin", "finance.personal.mixin"]
    _description = "Detail of an Audit Event"
    _log_access = False
    _sealed_parts = {"content_sealed": "content"}
    _order = "id desc"
    _rec_name = "kind"

    uuid = fields.Char("UUID", readonly=True)
    event_id = WeakMany2one("finance.audit.event", readonly=True, index=True)
    company_id = WeakMany2one("res.company", readonly=True)
    partner_id = WeakMany2one("res.partner", "Contact", readonly=True, index="btree_not_null")
    kind = fields.Char("Code", readonly=True)
    at = fields.Datetime("When", readonly=True)
    content_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    erased_at = fields.Datetime("Erased on", readonly=True)
    erased_by_id = WeakMany2one("res.users", "Erased by", readonly=True)
    erased_basis = fields.Char("Erased because (Code)", readonly=True)
    kind_words = fields.Char("What", compute="_compute_words")
    erased_words = fields.Char("Erased because", compute="_compute_words")
    content_text = fields.Text("Content", compute="_compute_content_text")

    _kept_index = models.Index("(kind, at) WHERE erased_at IS NULL")

    @api.depends("kind", "erased_basis")
    @api.depends_context("lang")
    def _compute_words(self):
        kinds = self.env["finance.audit.event"]._kinds()
        bases = dict(self.env["finance.erasure"]._fields["basis"]._description_selection(self.env))
        for detail in self:
            detail.kind_words = kinds.get(detail.kind, detail.kind)
            detail.erased_words = bases.get(detail.erased_basis, detail.erased_basis)

    @api.depends("erased_at")
    def _compute_content_text(self):
        contents = self._sealed_contents()
        labels = self.env["finance.audit.event"]._detail_labels()
        for detail in self:
            try:
                values = detail._opened_values(contents.get(detail.id)) or {}
            except VaultError as error:
                detail.content_text = str(error)
                continue
            told = [(labels.get(name, name), text) for name, text in values.items()]
            detail.content_text = "\n".join(f"{label}: {text}" for label, text in told)

    # === CONTENT === #

    def _values(self):
        """Return the values, {name: text}; None when they are erased.

        Raises `VaultClosed` or `VaultLocked` where the key is missing, `SealBroken` where the
        sealed text was changed.
        """
        self.ensure_one()
        return self._opened_values(self._sealed_contents()[self.id])

    def _opened_values(self, sealed):
        return load(None, self._opened(sealed))["values"] if sealed else None

    def _confirms(self, name, digest):
        """Return whether the event tells of just this digest under ``name``; None when erased."""
        self.ensure_one()
        sealed = self._sealed_contents()[self.id]
        if not sealed:
            return None
        salt = load(None, self._opened(sealed))["salt"]
        return (self.event_id.data or {}).get(name) == self._salted(salt, digest)

    def _digest(self):
        """Return the digest of what is sealed, which the event must hold; None when erased."""
        self.ensure_one()
        sealed = self._sealed_contents()[self.id]
        return _digest(self._opened(sealed)) if sealed else None

    def _sealed_contents(self):
        self.env.cr.execute(
            "SELECT id, content_sealed FROM finance_audit_detail WHERE id = ANY(%s)", [self.ids]
        )
        return dict(self.env.cr.fetchall())

    def _opened(self, sealed):
        vault = self.env["finance.vault"]._vault()
        return vault.open(bytes(sealed), self._name, self.uuid, "content").decode()

    def action_open_event(self):
        """Open the event."""
        self.ensure_one()
        return self._open_weak("finance.audit.event", self.event_id.id)

    # === ERASING === #

    @api.model
    def _personal_words(self):
        return self.env._("Names, references and reasons of audit events")

    @api.model
    def _personal_of(self, subject):
        """Also what belongs to a document; of what shares a trace only what names nobody else."""
        return self._select(
            SQL(
                """
                erased_at IS NULL AND %s AND (
                    partner_id = ANY(%s)
                    OR event_id IN (SELECT id FROM finance_audit_event WHERE %s)
                    OR partner_id IS NULL AND event_id IN (
                        SELECT id FROM finance_audit_event WHERE trace_id = ANY(%s)))
                """,
                subject.of_companies(),
                subject.partners.ids,
                subject.about(("res_model", "res_id")),
                subject.traces,
            )
        )

    def _erase_personal(self, basis):
        self._empty(
            "content_sealed",
            erased_at=fields.Datetime.now(),
            erased_by_id=self.env.uid,
            erased_basis=basis,
        )

    def _note_expired(self):
        """Say in an event a company how many details go, by kind."""
        found = self._read_group([("id", "in", self.ids)], ["company_id", "kind"], ["__count"])
        counts = defaultdict(dict)
        for company, kind, count in found:
            counts[company][kind] = count
        for company, by_kind in counts.items():
            self.env["finance.audit.event"]._record(
                "retention.applied", company=company, data={"counts": by_kind}
            )

    # === KEEPING === #

    @api.model
    def _salted(self, salt, digest):
        """Return what an event holds of the digest of personal content: nobody confirms a guess
        by it once the salt is erased."""
        return hashlib.sha256(f"{salt}{digest}".encode()).hexdigest()

    @api.model
    def _prepared(self, events):
        """Seal the details of ``events``; return a list of `Prepared` or None, one an event.

        events: dicts of `finance.audit.event._record_many`. Raises `VaultClosed` without a key.
        """
        texts = [_texts(event.get("detail")) for event in events]
        wanted = [
            bool(values or event.get("salted")) for event, values in zip(events, texts, strict=True)
        ]
        if not any(wanted):
            return [None] * len(events)
        try:
            vault = self.env["finance.vault"]._vault()
        except VaultClosed as closed:
            raise VaultClosed(
                self.env._(
                    "Nothing was changed: the names and reasons of this step, which an auditor will"
                    " ask for, can't be kept safely. An administrator can help. %(why)s",
                    why=closed,
                )
            ) from closed
        return [
            self._prepared_one(vault, event, values) if detailed else None
            for event, values, detailed in zip(events, texts, wanted, strict=True)
        ]

    def _prepared_one(self, vault, event, values):
        uuid, salt = str(uuid4()), os.urandom(SALT_BYTES).hex()
        text = dump({"salt": salt, "values": values})
        salted = (event.get("salted") or {}).items()
        facts = {name: self._salted(salt, digest) for name, digest in salted if digest}
        sealed = vault.seal(text.encode(), self._name, uuid, "content")
        company_id, partner_id = event.get("company_id") or None, event.get("partner_id") or None
        row = (uuid, company_id, partner_id, event["kind"], sealed)
        return Prepared(facts | {"detail": _digest(text)}, row)


def partner_of(document):
    """Return the `res.partner` that a document is about; empty when it is about nobody."""
    partners = document.env["res.partner"]
    if document._name == partners._name:
        return document
    name = next((name for name in PARTNER_FIELDS if name in document._fields), None)
    return document[name] if name else partners


def about(document):
    """Return ``detail`` and ``partner_id`` of an event: what a document and its partner are called.

    So that the answer to "for whom, and under which name" outlives a renaming or a deletion.
    """
    partner = partner_of(document)
    names = {"document": document.display_name, "partner": partner.display_name}
    return {"detail": names, "partner_id": partner.id}


def _texts(detail):
    return {name: str(value) for name, value in (detail or {}).items() if value}


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()
