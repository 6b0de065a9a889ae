"""From what a bank tells to rows of `finance.bank.entry`, one by one."""

from itertools import islice

from odoo import models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.lanes.kill_points import kill_point

from ..canonical.duplicates import reference, squeezed
from ..canonical.statement import BOOKED, STATEMENT

# Rows of one INSERT: what is in memory at a time, however long the file is.
ROWS = 500
COLUMNS = (
    "import_id", "bank_statement_id", "company_id", "journal_id", "currency_id", "source",
    "namespace", "position", "share", "shares", "place", "status", "state", "fingerprint",
    "unique_id", "corrects", "removes", "whole", "booking_date", "value_date", "post_date",
    "amount", "entry_amount", "original_amount", "original_currency_id", "rate", "end_to_end_id",
    "message_id", "payment_id", "mandate", "creditor_references", "servicer_reference",
    "customer_reference", "remittance", "partner_name", "partner_account", "partner_bic", "code",
    "purpose", "reversal", "return_code", "is_batch", "batch_message", "batch_payment", "detail",
    "create_uid", "write_uid", "create_date", "write_date",
)  # fmt: skip


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    def _stage(self):
        """Write a row for each line that the bank tells; nothing is decided yet."""
        self.env.flush_all()
        writer = _Rows(self)
        statements = {one.index: one for one in self.statement_ids}
        rows = (
            row
            for index, entry in self._told_entries()
            if index in statements
            for row in writer.rows(statements[index].id, entry)
        )
        insert = f"INSERT INTO finance_bank_entry ({', '.join(COLUMNS)}) VALUES %s"
        while some := list(islice(rows, ROWS)):
            self.env.cr.execute_values(insert, some, page_size=ROWS)
        kill_point("bank_staged")
        self._unpromise()
        self.env["finance.bank.entry"].invalidate_model()

    def _unpromise(self):
        """An id that two entries of one file share is none; some banks give it to a batch."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE finance_bank_entry e SET unique_id = NULL
                  FROM (SELECT journal_id, unique_id FROM finance_bank_entry
                         WHERE import_id = %(id)s AND share = 1 AND unique_id IS NOT NULL
                         GROUP BY 1, 2, status HAVING count(*) > 1) shared
                 WHERE e.import_id = %(id)s AND e.journal_id = shared.journal_id
                   AND e.unique_id = shared.unique_id
                """,
                id=self.id,
            )
        )


class _Rows:
    """Rows of `COLUMNS` for the entries of one import."""

    def __init__(self, row):
        env = row.env
        self.row = row
        self.namespace = row.namespace
        self.is_api = row.source == "api"
        self.day = row.received_at.date()
        self.now, self.uid = env.cr.now(), env.uid
        currencies = env["res.currency"].with_context(active_test=False).search([])
        self.currencies = {currency.name: currency.id for currency in currencies}
        self.statements = {}
        for one in row.statement_ids:
            family = one.format if self.is_api else f"{one.format}:{one.kind}"
            dates = one.journal_id._finance_bank_dates()
            self.statements[one.id] = (one, family, dates)

    def rows(self, statement_id, entry):
        """Yield a row for each share of an entry."""
        statement, family, dates = self.statements[statement_id]
        shares = entry.shares()
        day = entry.booking_date or entry.value_date
        common = {
            "import_id": self.row.id,
            "bank_statement_id": statement.id,
            "company_id": statement.company_id.id,
            "journal_id": statement.journal_id.id,
            "currency_id": statement.currency_id.id,
            "source": family,
            "namespace": self.namespace,
            "position": entry.position,
            "shares": len(shares),
            "place": entry.place or None,
            "status": entry.status,
            "state": "received" if entry.status == BOOKED or entry.removes else entry.status,
            "fingerprint": entry.fingerprint(),
            "unique_id": entry.unique_id or None,
            "corrects": entry.corrects or None,
            "removes": entry.removes,
            "whole": bool(day) and self._is_whole(statement, day),
            "booking_date": day,
            "value_date": entry.value_date,
            "post_date": (entry.value_date or day) if dates == "value" else day,
            "entry_amount": entry.amount,
            "reversal": entry.reversal,
            "is_batch": entry.batch is not None or len(entry.details) > 1,
            "batch_message": entry.batch.message if entry.batch else None,
            "batch_payment": entry.batch.payment if entry.batch else None,
            "create_uid": self.uid,
            "write_uid": self.uid,
            "create_date": self.now,
            "write_date": self.now,
        }
        for number, (amount, detail) in enumerate(shares, start=1):
            row = common | self._share(entry, detail, len(shares))
            row |= {"share": number, "amount": amount}
            yield tuple(row[name] for name in COLUMNS)

    def _is_whole(self, statement, day):
        """Whether the statement tells every booking of a day: then bookings can be counted."""
        first, last = statement.start_date, statement.end_date
        if not first or not last or not first <= day <= last:
            return False
        if self.is_api:
            return day < self.day
        if statement.kind != STATEMENT:
            return False
        return first < day < last or (statement.has_opening and statement.has_closing)

    def _share(self, entry, detail, shares):
        party = entry.counterparty(detail)
        code = detail.code if any(vars(detail.code).values()) else entry.code
        text = detail.text or (entry.text if shares == 1 else "") or entry.information
        original = (detail.original_amount, detail.original_currency, detail.rate)
        if shares == 1 and (entry.original_currency or not detail.original_currency):
            original = (entry.original_amount, entry.original_currency, entry.rate)
        amount, currency, rate = original
        return {
            "original_amount": amount,
            "original_currency_id": self.currencies.get(currency) if amount is not None else None,
            "rate": str(rate) if rate is not None else None,
            "end_to_end_id": detail.end_to_end_id or None,
            "message_id": detail.message_id or None,
            "payment_id": detail.payment_id or None,
            "mandate": detail.mandate or None,
            "creditor_references": " ".join(one.reference for one in detail.references) or None,
            "servicer_reference": detail.servicer_reference or entry.servicer_reference or None,
            "customer_reference": entry.customer_reference or None,
            "remittance": " ".join(text.split()) or None,
            "partner_name": party.name or None,
            "partner_account": party.account or None,
            "partner_bic": party.bic or None,
            "code": "/".join((code.domain, code.family, code.subfamily, code.proprietary)),
            "purpose": detail.purpose or None,
            "return_code": detail.return_code or None,
            "detail": codec.dump(
                {"detail": detail, "information": entry.information, "charges": entry.charges}
            ),
        }


def told(row):
    """Return what can be compared of a row of entries: see `duplicates.Fact`."""
    one = row["shares"] == 1
    return {
        "servicer": reference(row["servicer_reference"] or "") if one else "",
        "end_to_end": reference(row["end_to_end_id"] or "") if one else "",
        "account": squeezed(row["partner_account"] or "") if one else "",
        "name": row["partner_name"] or "" if one else "",
        "text": row["remittance"] or "" if one else "",
    }
