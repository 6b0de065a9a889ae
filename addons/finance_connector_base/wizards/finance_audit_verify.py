"""Verifies the audit trail and says what came out in plain words."""

from odoo import fields, models

from ..evidence.report import Report


class FinanceAuditVerify(models.TransientModel):
    """The screen of the button *Verify*."""

    _name = "finance.audit.verify"
    _description = "Verify the Audit Trail"

    outcome = fields.Selection(
        [
            ("sound", "Unbroken"),
            ("broken", "Broken"),
            ("unproved", "Not proved"),
            ("empty", "Nothing sealed"),
        ],
        readonly=True,
    )
    headline = fields.Char(readonly=True)
    findings = fields.Text("What was found", readonly=True)
    remarks = fields.Text("What was checked", readonly=True)

    def _compute_display_name(self):
        self.display_name = self.env._("Verification")

    def action_verify(self):
        """Verify all events, seals, details and the head, now."""
        self.ensure_one()
        seals = self.env["finance.audit.seal"]
        seals._check_may_verify("evidence.verify")
        report = seals._verify()
        self.write({"outcome": report.outcome} | self._told(report))

    def _told(self, report: Report):
        """The report in the reader's language, by field."""
        [headline, *lines] = report.sentences(self.env._)
        findings, remarks = lines[: len(report.findings)], lines[len(report.findings) :]
        return {
            "headline": headline,
            "findings": "\n".join(findings),
            "remarks": "\n".join(remarks),
        }
