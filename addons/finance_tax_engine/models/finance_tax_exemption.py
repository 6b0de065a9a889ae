from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

REMIND_DAYS = 30
NEEDED_DAYS = 365
ACTIVITY = "finance_connector_base.mail_activity_exception"


class FinanceTaxExemption(models.Model):
    """Why a customer pays no tax somewhere, for some time: a certificate, or a use code.

    An engine is told one of the two of the narrowest exemption that covers destination and date:
    the use code where there is one, else the number.
    """

    _name = "finance.tax.exemption"
    _inherit = ["mail.thread", "mail.activity.mixin", "finance.personal.mixin"]
    _description = "Tax Exemption"
    _order = "partner_id, valid_to, id"
    _rec_names_search = ["number", "partner_id"]

    partner_id = fields.Many2one(
        "res.partner",
        "Customer",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('parent_id', '=', False)]",
    )
    company_id = fields.Many2one(
        "res.company", index=True, help="Empty: for sales of every company."
    )
    country_id = fields.Many2one("res.country", help="Empty: everywhere.")
    state_id = fields.Many2one(
        "res.country.state", help="Empty: the whole country.", domain="[('country_id', '=', country_id)]"
    )  # fmt: skip
    number = fields.Char("Certificate number", tracking=True)
    entity_use_code = fields.Char(
        tracking=True,
        help="The engine's code for who the customer is or what it buys for; sent instead of the"
        " number.",
    )
    use_code_id = fields.Many2one(
        "finance.tax.code",
        "Of the engine's list",
        compute="_compute_use_code_id",
        inverse="_inverse_use_code_id",
        domain="[('kind', '=', 'entity_use')]",
    )
    reason = fields.Char(help="In words, for people.")
    valid_from = fields.Date(tracking=True, help="Empty: since ever.")
    valid_to = fields.Date(tracking=True, help="Last day; empty: until revoked.")
    attachment_ids = fields.Many2many("ir.attachment", string="Certificate", copy=False)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("valid", "Valid"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
        ],
        string="Status",
        default="draft",
        required=True,
        copy=False,
        readonly=True,
        tracking=True,
    )

    _one_of_the_two = models.Constraint(
        "CHECK (COALESCE(number, '') <> '' OR COALESCE(entity_use_code, '') <> '')",
        "Enter the number of a certificate or an entity use code.",
    )
    _in_order = models.Constraint(
        "CHECK (valid_to >= valid_from)", "An exemption ends after it begins."
    )

    @api.depends("number", "entity_use_code", "partner_id", "state_id", "country_id")
    def _compute_display_name(self):
        for exemption in self:
            place = exemption.state_id.name or exemption.country_id.name or self.env._("everywhere")
            what = exemption.number or exemption.entity_use_code
            exemption.display_name = f"{exemption.partner_id.display_name}: {what}, {place}"

    @api.depends("entity_use_code")
    def _compute_use_code_id(self):
        rows = self.env["finance.tax.code"].search(
            [("kind", "=", "entity_use"), ("code", "in", self.mapped("entity_use_code"))]
        )
        by_code = {row.code: row.id for row in rows}
        for exemption in self:
            exemption.use_code_id = by_code.get(exemption.entity_use_code, False)

    def _inverse_use_code_id(self):
        for exemption in self.filtered("use_code_id"):
            exemption.entity_use_code = exemption.use_code_id.code

    @api.constrains("state_id", "country_id")
    def _check_place(self):
        for exemption in self:
            if exemption.state_id and exemption.state_id.country_id != exemption.country_id:
                raise ValidationError(
                    self.env._("%(state)s is in another country.", state=exemption.state_id.name)
                )

    # === BUTTONS === #

    def action_confirm(self):
        """The certificate was seen and counts from now on."""
        today = fields.Date.context_today(self)
        for exemption in self:
            over = exemption.valid_to and exemption.valid_to < today
            exemption.state = "expired" if over else "valid"
        self.filtered(lambda row: row.state == "valid")._settle()

    def action_revoke(self):
        """It no longer counts, from today; what was exempt before stays so."""
        self.write({"state": "revoked"})

    def action_draft(self):
        """Correct it."""
        self.write({"state": "draft"})

    # === WHAT COUNTS === #

    @api.model
    def _covering(self, partner, company, place, day):
        """Return the exemption of a partner for a destination (res.partner) on a date, or none.

        The narrowest wins: a state before a country before everywhere, own company before all.
        """
        customer = partner.commercial_partner_id._origin.sudo()
        if not customer.finance_tax_exemption_ids:
            # read for all customers of many documents at once
            return self.sudo().browse()
        rows = self.sudo().search(
            [
                ("partner_id", "=", customer.id),
                ("company_id", "in", [False, *company.sudo().parent_ids.ids]),
                # by its days: one that has expired since still counts for its time
                ("state", "in", ("valid", "expired")),
                ("country_id", "in", [False, place.country_id.id]),
                ("state_id", "in", [False, place.state_id.id]),
                "|", ("valid_from", "=", False), ("valid_from", "<=", day),
                "|", ("valid_to", "=", False), ("valid_to", ">=", day),
            ]
        )  # fmt: skip
        return rows.sorted(
            lambda row: (
                bool(row.state_id),
                bool(row.country_id),
                bool(row.company_id),
                bool(row.entity_use_code),
                row.id,
            )
        )[-1:]

    def _sent(self):
        """Return (number, use code) for the engine: one of the two at most."""
        return ("", self.entity_use_code) if self.entity_use_code else (self.number or "", "")

    # === EXPIRY === #

    @api.model
    def _cron_expire(self):
        """Remind of what expires soon; say where a certificate that is needed has expired."""
        today = fields.Date.today()
        soon = self.search(
            [("state", "=", "valid"), ("valid_to", "<=", today + timedelta(days=REMIND_DAYS))]
        )
        expired = soon.filtered(lambda row: row.valid_to < today)
        expired.write({"state": "expired"})
        for exemption in expired.filtered(lambda row: row._is_needed(today)):
            self.env["finance.exception"].sudo()._raise(
                "tax.exemption_expired",
                document=exemption,
                company=exemption.company_id or self.env.company,
                params={"day": str(exemption.valid_to)},
            )
        for exemption in soon - expired:
            if not exemption.activity_ids:
                exemption.activity_schedule(
                    "mail.mail_activity_data_todo",
                    exemption.valid_to,
                    self.env._("Ask the customer for a new exemption certificate"),
                    user_id=(exemption.partner_id.user_id or exemption.create_uid).id,
                )

    def _is_needed(self, today):
        """Tell whether the customer still buys, and no other exemption stands in."""
        company = self.company_id or self.env.company
        place = self.env["res.partner"].new(
            {"country_id": self.country_id.id, "state_id": self.state_id.id}
        )
        if self._covering(self.partner_id, company, place, today):
            return False
        return bool(
            self.env["account.move"].search_count(
                [
                    ("commercial_partner_id", "=", self.partner_id.id),
                    ("move_type", "=", "out_invoice"),
                    ("invoice_date", ">", today - timedelta(days=NEEDED_DAYS)),
                ],
                limit=1,
            )
        )

    def _settle(self):
        """Close what asked for a new certificate where these rows are one."""
        for exemption in self:
            older = self.search(
                [("partner_id", "=", exemption.partner_id.id), ("state", "=", "expired")]
            ).filtered(
                lambda row, new=exemption: (
                    new.country_id in (row.country_id, row.country_id.browse())
                    and new.state_id in (row.state_id, row.state_id.browse())
                )
            )
            if older:
                self.env["finance.exception"].sudo()._resolve(
                    "tax.exemption_expired", document=older, note="tax.exemption_renewed"
                )

    # === ERASING === #

    @api.model
    def _personal_words(self):
        return self.env._("Numbers and files of exemption certificates")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                "partner_id = ANY(%s) AND number IS DISTINCT FROM '–' AND %s",
                subject.partners.ids,
                subject.of_companies(),
            )
        )

    def _erase_personal(self, basis):
        self.attachment_ids.sudo().unlink()
        self.message_ids.sudo().unlink()
        self._empty("reason", number="–", state="revoked")
