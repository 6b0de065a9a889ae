import re
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.finance_connector_base.canonical import codec

APPROVER = "finance_connector_base.group_approver"
AUTOMATIC, BY_HAND = 95, 70  # points of a rule
GUARDED = {"finance_approved_digest", "finance_approved_by_id", "finance_changed_by_id"}


class AccountReconcileModel(models.Model):
    """Reconciliation models, carried out: Community has the data and nobody who acts on it.

    One that posts to income or expense by itself needs a second person: the approval is of its
    content, so any later change ends it.
    """

    _inherit = "account.reconcile.model"

    finance_approved_digest = fields.Char(copy=False, readonly=True)
    finance_approved_by_id = fields.Many2one(
        "res.users", "Approved by", copy=False, readonly=True, ondelete="set null"
    )
    finance_changed_by_id = fields.Many2one(
        "res.users",
        "Changed by",
        copy=False,
        readonly=True,
        default=lambda self: self.env.user,
        ondelete="set null",
    )
    finance_needs_approval = fields.Boolean(
        "Waits for Approval", compute="_compute_finance_needs_approval"
    )

    @api.depends("trigger", "line_ids.account_id", "finance_approved_digest")
    def _compute_finance_needs_approval(self):
        for rule in self:
            rule.finance_needs_approval = (
                rule.trigger == "auto_reconcile"
                and rule._finance_posts_result()
                and rule.finance_approved_digest != rule._finance_digest()
            )

    def _finance_posts_result(self):
        return any(
            account.internal_group in ("income", "expense") for account in self.line_ids.account_id
        )

    def _finance_digest(self):
        """Return a digest of everything that decides what the rule does."""
        own = ("trigger", "match_amount", "match_amount_min", "match_amount_max", "match_label",
               "match_label_param")  # fmt: skip
        return codec.digest(
            {
                **{name: str(self[name] or "") for name in own},
                "journals": sorted(self.match_journal_ids.ids),
                "partners": sorted(self.match_partner_ids.ids),
                "lines": [
                    {
                        "account": line.account_id.id,
                        "partner": line.partner_id.id,
                        "type": line.amount_type,
                        "amount": line.amount_string,
                        "taxes": sorted(line.tax_ids.ids),
                        "analytic": str(line.analytic_distribution or ""),
                    }
                    for line in self.line_ids.sorted("sequence")
                ],
            }
        )

    @api.model_create_multi
    def create(self, vals_list):
        self._finance_guard(vals_list)
        return super().create(vals_list)

    def _finance_guard(self, vals_list):
        if not self.env.su and any(vals.keys() & GUARDED for vals in vals_list):
            self.env["finance.denied.action"]._deny("bank.rule", "guard", self[:1])
            raise AccessError(self.env._("A rule is approved by its button."))

    def write(self, vals):
        self._finance_guard([vals])
        before = {rule: rule._finance_digest() for rule in self}
        result = super().write(vals)
        changed = self.filtered(lambda rule: before[rule] != rule._finance_digest())
        if changed and not vals.keys() & {"finance_changed_by_id"}:
            changed.sudo().write({"finance_changed_by_id": self.env.uid})
        return result

    def action_finance_approve(self):
        """Let the rule post to income or expense by itself, as another than who changed it."""
        for rule in self:
            denied = self.env["finance.denied.action"]
            if not self.env.user.has_group(APPROVER):
                denied._deny("bank.rule", "group", rule)
                raise AccessError(self.env._("Approving a rule needs the role Approver."))
            if self.env.user in (rule.finance_changed_by_id or rule.create_uid):
                denied._deny("bank.rule", "own", rule)
                raise AccessError(
                    self.env._(
                        "%(rule)s: another approver decides on what you changed.", rule=rule.name
                    )
                )
            rule.check_access("read")
            rule.sudo().write(
                {
                    "finance_approved_digest": rule._finance_digest(),
                    "finance_approved_by_id": self.env.uid,
                }
            )
            self.env["finance.audit.event"]._record(
                "bank.rule_approved", rule, company=rule.company_id
            )

    # === CARRYING OUT === #

    @api.model
    def _finance_rules(self, journal):
        """Return the rules that may be tried on ``journal``, in their order."""
        rules = self.sudo().search(
            [("company_id", "parent_of", journal.company_id.id)], order="sequence, id"
        )
        return rules.filtered(
            lambda rule: not rule.match_journal_ids or journal in rule.match_journal_ids
        )

    def _finance_mapped_partner(self, line, known):
        """Return the id of the partner that rules map this line to, None for none or several."""
        partners = {
            rule.mapped_partner_id.commercial_partner_id.id
            for rule in self
            if rule.mapped_partner_id and rule._finance_fits(line, known, None)
        }
        return partners.pop() if len(partners) == 1 else None

    def _finance_decisions(self, line, known, partner, policy):
        """Return the decisions of the rules that fit ``line``; the first may be automatic."""
        fitting = self.filtered(
            lambda rule: (
                rule.can_be_proposed
                and rule.line_ids
                and not rule.mapped_partner_id
                and rule._finance_conditions()
                and rule._finance_fits(line, known, partner)
            )
        )
        decisions = []
        for place, rule in enumerate(fitting[:3]):
            automatic = rule.trigger == "auto_reconcile"
            reasons = [_reason("rule", AUTOMATIC if automatic else BY_HAND, name=rule.name)]
            if rule.finance_needs_approval:
                reasons.append(_reason("doubt.rule_unapproved"))
            rivals = fitting.filtered(
                lambda other, rule=rule: other != rule and other.sequence == rule.sequence
            )
            if rivals:
                reasons.append(_reason("doubt.rules", name=rivals[0].name))
            parts, left = rule._finance_parts(line)
            if not parts:
                continue
            if left:
                reasons.append(_reason("doubt.over", rest=left, currency=line.currency_id.name))
            doubts = len(reasons) > 1
            decisions.append(
                {
                    "line": line,
                    "kind": "rule",
                    "score": AUTOMATIC if automatic else BY_HAND,
                    "reasons": reasons,
                    "parts": parts,
                    "rule_id": rule.id,
                    "automatic": automatic and not doubts and not place and policy.automatic,
                }
            )
        return decisions

    def _finance_conditions(self):
        """Tell whether the rule asks for anything at all: else it would fit every line."""
        return bool(self.match_label or self.match_amount or self.match_partner_ids)

    def _finance_fits(self, line, known, partner):
        self.ensure_one()
        return (
            self._finance_fits_amount(abs(line.amount))
            and self._finance_fits_partner(line, partner)
            and self._finance_fits_label(known)
        )

    def _finance_fits_amount(self, amount):
        low, high = self.match_amount_min, self.match_amount_max
        if self.match_amount == "lower":
            return amount <= (high or low)
        if self.match_amount == "greater":
            return amount >= (low or high)
        if self.match_amount == "between":
            return min(low, high) <= amount <= max(low, high)
        return True

    def _finance_fits_partner(self, line, partner):
        if not self.match_partner_ids:
            return True
        known = line.partner_id or self.env["res.partner"].browse(partner or 0)
        wanted = self.match_partner_ids | self.match_partner_ids.commercial_partner_id
        return bool(known) and (known in wanted or known.commercial_partner_id in wanted)

    def _finance_fits_label(self, known):
        texts = [text.casefold() for text in known.texts]
        wanted = (self.match_label_param or "").casefold()
        if self.match_label == "contains":
            return bool(wanted) and any(wanted in text for text in texts)
        if self.match_label == "not_contains":
            return not any(wanted in text for text in texts)
        if self.match_label == "match_regex":
            pattern = re.compile(self.match_label_param or "(?!)", re.IGNORECASE)
            return any(pattern.search(text) for text in known.texts)
        return True

    def _finance_parts(self, line):
        """Return (parts, what is left of the line, as Decimal) in the currency of its suspense."""
        currency = line.foreign_currency_id or line.currency_id
        places = Decimal(1).scaleb(-currency.decimal_places)
        total = line.amount_currency if line.foreign_currency_id else line.amount
        total = Decimal(str(total)).quantize(places)
        parts, left = [], total
        for row in self.line_ids.sorted("sequence"):
            amount = row._finance_amount(line, total, left).quantize(places)
            if not amount:
                continue
            left -= amount
            part = {"amount": str(amount), "partner_id": row.partner_id.id or line.partner_id.id}
            if row.account_id:
                part |= {
                    "kind": "writeoff",
                    "account_id": row.account_id.id,
                    "label": row.label or line.payment_ref or "",
                    "tax_ids": row.tax_ids.ids,
                    "analytic": row.analytic_distribution or None,
                    "why": "rule",
                }
            elif part["partner_id"]:
                part["kind"] = "partner"
            else:
                left += amount
                continue
            parts.append(part)
        return parts, left


class AccountReconcileModelLine(models.Model):
    _inherit = "account.reconcile.model.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._finance_changed()
        return lines

    def write(self, vals):
        result = super().write(vals)
        self._finance_changed()
        return result

    def unlink(self):
        rules = self.model_id
        result = super().unlink()
        rules.sudo().write({"finance_changed_by_id": self.env.uid})
        return result

    def _finance_changed(self):
        self.model_id.sudo().write({"finance_changed_by_id": self.env.uid})

    def _finance_amount(self, line, total, left):
        """Return what this row takes of a line of ``total`` of which ``left`` is not used yet."""
        share = Decimal(str(self.amount)) / 100
        if self.amount_type == "fixed":
            return Decimal(str(self.amount))
        if self.amount_type == "percentage":
            return left * share
        if self.amount_type == "percentage_st_line":
            return total * share
        found = re.search(self.amount_string or "(?!)", line.payment_ref or "", re.IGNORECASE)
        if not found:
            return Decimal(0)
        amount = _number(found.group(1) if found.groups() else found.group())
        return amount if total > 0 else -amount


def _number(text):
    """Return a number as people write it: the last mark before at most two figures is decimal.

    >>> _number("1.234,56"), _number("3358"), _number("1,234")
    (Decimal('1234.56'), Decimal('3358'), Decimal('1234'))
    """
    text = re.sub(r"[^\d.,]", "", text)
    whole, mark, cents = "", "", ""
    found = re.fullmatch(r"(.*?)([.,])(\d{1,2})", text)
    if found:
        whole, mark, cents = found.groups()
    else:
        whole = text
    digits = re.sub(r"\D", "", whole) or "0"
    return Decimal(f"{digits}.{cents}") if mark else Decimal(digits)


def _reason(code, points=0, **values):
    return {"code": code, "values": {k: str(v) for k, v in values.items()}, "points": points}
