"""Writing a batch: one transaction, hence one moment, for all feeds, totals and findings."""

import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.lanes.kill_points import kill_point

from ..canonical.batch import Batch, File
from ..extract.formats import CHOICES
from ..manifest import datapackage, openlineage
from ..manifest.parquet import key_values
from .finance_export_run import UNDER_WAY

LINEAGE = "openlineage.jsonl"


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    # === THE JOB === #

    def _build(self, job):
        """Write the files of this batch, or say why not. All in the job's one transaction."""
        run = self.sudo()
        if run.state == "cancelled":
            return
        run._check_turn()
        self.env.flush_all()
        run._begin()
        extractions = run._extractions(job)
        schemas = {one.feed.code: one.schema for one in extractions.values()}
        if any(finding.blocks for finding in run._findings(schemas)):
            run._stop("blocked")
            return
        run._write_feeds(extractions, job)
        run._ledger_totals(schemas)
        if run._file_totals(schemas):
            run._stop("failed")
            return
        run.number = run._next_number()
        run._write_manifest(schemas)
        run._written()

    def _check_turn(self):
        """A run that was given up may go on only while no other one has begun."""
        later = self.search_count([("export_id", "=", self.export_id.id), ("id", ">", self.id)])
        if later:
            raise UserError(
                self.env._(
                    "A later run of %(export)s has begun: this one can't go on. Cancel its job.",
                    export=self.export_id.name,
                )
            )

    def _begin(self):
        (snapshot,) = self.env.execute_query(SQL("SELECT pg_current_snapshot()::text"))[0]
        self.file_ids._forget_file()
        self.file_ids.unlink()
        self.step_ids.unlink()
        self.write(
            {
                "state": "building",
                "snapshot": snapshot,
                "begun_at": fields.Datetime.now(),
                "rows": 0,
                "bytes": 0,
            }
        )
        kill_point("export_snapshot")

    def _reading(self):
        """Return this run in the environment whose rows are read: the export's user, not su.

        Raises AccessError where the user does not work for one of the companies, or for nobody.
        """
        export = self.export_id
        if not export.user_id.active:
            raise UserError(
                self.env._(
                    "%(user)s, whose rights %(export)s reads with, is archived. Choose another"
                    " person.",
                    user=export.user_id.name,
                    export=export.name,
                )
            )
        context = {
            "allowed_company_ids": export.company_ids.ids,
            "lang": export.user_id.lang,
            "tz": export.user_id.tz,
        }
        env = self.env(user=export.user_id.id, su=False, context=context)
        env.companies  # noqa: B018 raises where they are not the user's
        return self.with_env(env)

    # === FEEDS === #

    def _extractions(self, job):
        """Return {feed of the export: its `Extraction`}, and write down how each is told."""
        reading, found = self._reading(), {}
        lines = self.export_id.feed_ids
        for line in lines:
            found[line] = self._extraction_of(line, reading)
        self.env.flush_all()
        job._progress(0, sum(len(one.parts) for one in found.values()))
        return found

    def _extraction_of(self, line, reading):
        mode, reason, marks, since = line.mode, "", {}, None
        if mode == "incremental":
            extraction = line._extraction(reading, "full")
            marks = {
                "definition": line._definition_text(extraction),
                "database": line._database_text(),
                "recorders": line._recorders_text(),
            }
            reason = line._why_everything(self, extraction, marks)
            if reason:
                mode = "full"
            else:
                since = line.snapshot
                extraction = line._extraction(reading, "incremental", since)
        else:
            extraction = line._extraction(reading, mode)
        self.env["finance.export.run.feed"].create(
            {
                "run_id": self.id,
                "export_feed_id": line.id,
                "feed": extraction.feed.code,
                "mode": mode,
                "reason": reason,
                "since": since,
                "schema": codec.dump(extraction.schema),
                **marks,
            }
        )
        return extraction

    def _write_feeds(self, extractions, job):
        total = sum(len(one.parts) for one in extractions.values())
        done = 0
        for line, extraction in extractions.items():
            for part in extraction.parts:
                self._write_part(line, extraction, part)
                kill_point("export_file")
                done += 1
                job._progress(done, total)
        for step in self.step_ids:
            files = self.file_ids.filtered(lambda file, step=step: file.feed == step.feed)
            step.write({"rows": sum(files.mapped("rows")),
                        "deletions": sum(files.mapped("deletions"))})  # fmt: skip
        self.write({"rows": sum(self.file_ids.mapped("rows"))})

    def _write_part(self, line, extraction, part):
        code = extraction.feed.code
        stem = "-".join(filter(None, (code, part.name)))
        file = self.env["finance.export.file"].create(
            {
                "run_id": self.id,
                "export_feed_id": line.id,
                "name": f"{stem}.{self.format}",
                "feed": code,
                "schema_version": extraction.schema.version,
                "entity_id": part.company.id,
                "period": part.period,
                "mode": extraction.mode,
            }
        )
        self.env.flush_all()
        with file._writing_file() as target:
            written = extraction.write(part, target, self.format, self._file_metadata(extraction))
        file.write(
            {
                "rows": written.rows,
                "deletions": written.deletions,
                "bytes": written.bytes,
                "sha256": written.sha256,
            }
        )

    def _file_metadata(self, extraction):
        """Return what a Parquet file says of itself, {str: str}."""
        facts = self._facts()
        names = ("run", "export", "snapshot", "companies", "started", "by", "why", "since")
        return key_values(schema=extraction.schema, **{name: facts[name] for name in names})

    # === WHAT OTHERS ASK OF A BATCH; each has its own file === #

    def _findings(self, schemas):
        """Return what is missing or open; see the file of findings."""
        return ()

    def _ledger_totals(self, schemas):
        """Write down what the ledger adds up to; see the file of totals."""

    def _file_totals(self, schemas):
        """Return the totals that differ between ledger and files; see the file of totals."""
        return ()

    # === THE END OF WRITING === #

    def _next_number(self):
        """Return the number of this batch: one more than the last; the index refuses a second.

        The last one is the receiver's where that is ahead of this database.
        """
        last = self.search(
            [("export_id", "=", self.export_id.id), ("number", ">", 0), ("id", "!=", self.id)],
            order="number desc",
            limit=1,
        )
        return self.number or max(last.number, self.export_id.number_there) + 1

    def _write_manifest(self, schemas):
        batch = self._batch(schemas)
        self._write_small(LINEAGE, openlineage.write(batch, self._clock()))
        digest = self._write_small(datapackage.NAME, datapackage.write(batch), is_manifest=True)
        self.write({"digest": digest, "bytes": sum(self.file_ids.mapped("bytes"))})

    def _write_small(self, name, content, **values):
        """Keep ``content`` (bytes) as a file of the batch; return its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        file = self.env["finance.export.file"].create(
            {"run_id": self.id, "name": name, "bytes": len(content), "sha256": digest, **values}
        )
        with file._writing_file() as target:
            target.write(content)
        return digest

    def _batch(self, schemas):
        """Return the canonical `Batch` of what was written."""
        kind, compression = CHOICES[self.format]
        files = tuple(
            File(
                name=file.name,
                feed=file.feed,
                schema=schemas[file.feed],
                format=kind,
                compression=compression,
                mode=file.mode,
                rows=file.rows,
                deletions=file.deletions,
                bytes=file.bytes,
                sha256=file.sha256,
                company=file.entity_id.name or "",
                period=file.period or "",
            )
            for file in self.file_ids.filtered("feed").sorted("id")
        )
        return Batch(number=self.number, files=files, **self._facts(), **self._batch_facts())

    def _facts(self):
        """Return what a batch says of its run, by the names of `Batch`."""
        sinces = self.step_ids.filtered("since").mapped("since")
        return {
            "run": self.uuid,
            "export": self.export_id.code,
            "database": self.env["ir.config_parameter"].get_param("database.uuid"),
            "snapshot": self.snapshot,
            "since": sinces[0] if sinces else None,
            "started": self.begun_at,
            "by": "schedule" if self.scheduled else self.user_id.login or "",
            "why": self.why or "",
            "companies": tuple(self.company_ids.mapped("name")),
        }

    @api.model
    def _clock(self):
        return fields.Datetime.now()

    def _batch_facts(self):
        """Return what others know of the batch, by the names of `Batch`."""
        return {}

    def _written(self):
        self.write({"state": "built", "built_at": fields.Datetime.now()})
        self.env["finance.exception"]._resolve(
            "export.unwritten", document=self.export_id.run_ids, note="export.written"
        )
        self._told(
            "export.written", number=self.number, rows=self.rows, files=len(self.file_ids),
            digest=self.digest,
        )  # fmt: skip
        kill_point("export_written")
        self._deliver()

    def _stop(self, state):
        """Nothing of this batch leaves the house; the exception that says why is open."""
        self.file_ids._forget_file()
        self.write({"state": state})
        self._told(f"export.{state}")

    def _build_failed(self):
        """The job gave up: its transaction left nothing."""
        run = self.sudo()
        if run.state in UNDER_WAY:
            run.write({"state": "failed"})
            run._told("export.failed")

    def _told(self, kind, **data):
        self.env["finance.audit.event"]._record(
            kind,
            self,
            company=self.company_id,
            trace_id=self.trace_id,
            data={"export": self.export_id.code, **data},
        )
