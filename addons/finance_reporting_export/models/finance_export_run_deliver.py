"""Delivering a batch: what goes out, what the receiver said, and what it has from then on."""

from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.lanes.kill_points import kill_point
from odoo.addons.finance_connector_base.models.finance_sealed_file_mixin import _stream

from ..canonical.delivery import ACCEPTED, REFUSED, Delivery, Parcel
from ..canonical.schema import Schema
from ..extract.formats import CHOICES
from .finance_export_start import MAY_RUN

# How long to wait before the receiver is asked again, in minutes; the last one from then on.
ASK_AFTER = (1, 5, 15, 60)
ENDED_BY_DELIVERY = (
    "export.undelivered", "export.overtaken", "export.refused", "export.silent", "export.late"
)  # fmt: skip
# A receiver that is silent for so many hours is told to people.
SILENT_HOURS = 24


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    # === OUT === #

    def _deliver(self):
        """Send what was written; without a destination the files are kept here for download."""
        if not self.connector_id:
            self._delivered()
            return
        self.write({"state": "delivering"})
        self._enqueue("export.deliver")

    def _delivery(self):
        """Return the canonical `Delivery`: the same, byte for byte, whenever it is asked for."""
        run = self.sudo()
        kind, compression = CHOICES[run.format]
        schemas = run._schemas()
        manifest = run.file_ids.filtered("is_manifest")
        parcels = tuple(
            Parcel(
                name=file.name,
                bytes=file.bytes,
                sha256=file.sha256,
                place=(file.uuid,),
                feed=file.feed or "",
                mode=file.mode or "",
                format=kind,
                compression=compression,
                schema=schemas.get(file.feed),
                company=file.entity_id.name or "",
                period=file.period or "",
                rows=file.rows,
                deletions=file.deletions,
            )
            for file in (run.file_ids - manifest).sorted("id")
        )
        return Delivery(
            run=run.uuid,
            export=run.export_id.code,
            number=run.number,
            folder=f"{run.export_id.code}/{run.number:06d}",
            parcels=parcels,
            manifest=Parcel(
                name=manifest.name,
                bytes=manifest.bytes,
                sha256=manifest.sha256,
                place=(manifest.uuid,),
            ),
        )

    def _schemas(self):
        """Return {feed: `Schema`} as the files have them."""
        return {step.feed: codec.load(Schema, step.schema) for step in self.step_ids}

    def _openable(self, delivery):
        """Return the delivery with parcels that open in any thread, without a database."""
        places = {file.uuid: file._file_place() for file in self.sudo().file_ids}

        def opener(uuid):
            kill_point("export_parcel")
            return _stream(*places[uuid])

        return delivery.opened(opener)

    # === WHAT CAME OF IT === #

    def _brought(self, receipt):
        """The destination has all files: that is all, or its receiver is asked."""
        run = self.sudo()
        if receipt.ahead:
            run._overtaken(receipt.ahead)
            return
        run._told("export.sent", number=run.number, sent=len(receipt.sent), bytes=receipt.bytes)
        if run.delivered_at:
            return
        if not run.export_id.acknowledged:
            run._delivered()
            return
        run.write({"state": "confirming"})
        run._ask()

    def _overtaken(self, there):
        """The receiver has the batch ``there``, which this database does not know: it was restored.

        Whether the receiver shall follow is for a person; the next run then comes after that batch.
        """
        self.export_id.number_there = there
        self.env["finance.exception"]._raise(
            "export.overtaken",
            document=self,
            company=self.company_id,
            connector=self.connector_id,
            params={"number": self.number, "there": there, "next": there + 1},
        )
        if self.delivered_at:
            return
        self._stop("overtaken")
        # the receiver has another batch as this number
        self.number = 0

    def _ask(self):
        minutes = ASK_AFTER[min(self.questions, len(ASK_AFTER) - 1)] if self.questions else 0
        self.questions += 1
        self._enqueue(
            "export.confirm",
            revision=lambda run: run.questions,
            due_at=fields.Datetime.now() + timedelta(minutes=minutes),
            priority=20,
        )

    def _answered(self, acknowledgement):
        """The receiver has said whether it took the batch."""
        run = self.sudo()
        run.words = acknowledgement.words
        wrong = run._wrong_rows(acknowledgement.rows or {})
        if acknowledgement.state == REFUSED or wrong:
            run._refused(wrong or acknowledgement.words)
        elif acknowledgement.state == ACCEPTED:
            run._delivered()
        else:
            run._ask()
            run._tell_silence()

    def _wrong_rows(self, rows):
        """Return in words where the receiver counted other rows than were sent; "" where nowhere."""
        sent = {file.name: file.rows for file in self.file_ids if not file.is_manifest}
        told = [
            f"{name}: {count} / {sent[name]}"
            for name, count in sorted(rows.items())
            if name in sent and count != sent[name]
        ]
        return ", ".join(told)[:200]

    def _refused(self, words):
        self.env["finance.exception"]._raise(
            "export.refused",
            document=self,
            company=self.company_id,
            connector=self.connector_id,
            params={"answer": words or "–", "number": self.number},
        )
        self._told("export.refused", number=self.number)

    def _tell_silence(self):
        border = fields.Datetime.now() - timedelta(hours=SILENT_HOURS)
        if self.built_at and self.built_at < border:
            self.env["finance.exception"]._raise(
                "export.silent",
                document=self,
                company=self.company_id,
                connector=self.connector_id,
                params={"number": self.number, "hours": SILENT_HOURS},
            )

    def _delivered(self):
        """The receiver has the batch: from here on it is told what has changed since."""
        if self.delivered_at:
            return
        self.write({"state": "delivered", "delivered_at": fields.Datetime.now()})
        for step in self.step_ids.filtered("export_feed_id"):
            step.export_feed_id.write(
                {
                    "snapshot": self.snapshot,
                    "told_at": self.begun_at,
                    "told_run_id": self.id,
                    "definition": step.definition,
                    "database": step.database,
                    "recorders": step.recorders,
                }
            )
        self._publish_periods()
        exceptions = self.env["finance.exception"]
        for code in ENDED_BY_DELIVERY:
            exceptions._resolve(code, document=self.export_id.run_ids, note="export.delivered")
            exceptions._resolve(code, document=self.export_id, note="export.delivered")
        self._told("export.delivered", number=self.number, rows=self.rows, digest=self.digest)

    def _publish_periods(self):
        """The periods of this batch are published; see the file of periods."""

    # === WHAT PEOPLE PRESS === #

    def action_deliver_again(self):
        """Send the same files once more, under the same run and number."""
        self._press(("delivering", "confirming", "delivered"))
        run = self.sudo()
        jobs = self.env["finance.job"].sudo()._unfinished(run)
        if any(job.worker or not job._allows("retry") for job in jobs):
            raise UserError(self.env._("%(run)s is being delivered right now.", run=self.name))
        asking = jobs.filtered(lambda job: job.operation == "export.confirm")
        for job in asking:
            job._move("cancelled", "job.cancelled")
        if jobs - asking:
            (jobs - asking).action_retry()
            return
        run._check_newest()
        run._check_files()
        run.questions += 1
        if run.state != "delivered":
            run.state = "delivering"
        run._enqueue("export.deliver", revision=lambda one: one.questions)
        run._told("export.sent_again", number=run.number)

    def _check_newest(self):
        later = [("export_id", "=", self.export_id.id), ("number", ">", self.number)]
        if self.search_count(later, limit=1):
            raise UserError(
                self.env._(
                    "A later batch than %(run)s was written: sending this one again could undo what"
                    " it has changed.",
                    run=self.name,
                )
            )

    def _check_files(self):
        if not all(self.file_ids.mapped("kept")):
            raise UserError(
                self.env._(
                    "The files of %(run)s are no longer kept. Start a new run.", run=self.name
                )
            )

    def action_cancel(self):
        """End the run: nothing is delivered, and the next one tells what this one would have told.

        A number that the receiver may have seen stays used; otherwise the next batch gets it.
        """
        self._press(("waiting", "building", "built", "delivering", "confirming"))
        for run in self.sudo():
            jobs = self.env["finance.job"].sudo()._unfinished(run)
            if any(job.worker and job.operation != "export.build" for job in jobs):
                raise UserError(
                    self.env._("%(run)s is being delivered right now: wait a moment.", run=run.name)
                )
            was_sent = run.state == "confirming" or any(job.called_at for job in jobs)
            for job in jobs.filtered(lambda job: not job.worker):
                job._move("cancelled", "job.cancelled")
            run.write({"state": "cancelled", "number": run.number if was_sent else 0})
            run.file_ids._forget_file()
            run._told("export.cancelled", number=run.number or None)
            self.env["finance.exception"]._resolve(document=run, note="export.cancelled")

    def _press(self, states):
        """Check who presses and in which state. Raises AccessError or UserError."""
        self.check_access("read")
        if not self.env.su and not any(map(self.env.user.has_group, MAY_RUN)):
            self.env["finance.denied.action"]._deny("export.run", "group", self)
            raise AccessError(self.env._("Only a controller or an administrator does this."))
        for run in self:
            if run.state not in states:
                raise UserError(
                    self.env._(
                        "%(run)s can't be changed this way any more: %(state)s.",
                        run=run.name,
                        state=dict(run._fields["state"]._description_selection(self.env))[
                            run.state
                        ],
                    )
                )
