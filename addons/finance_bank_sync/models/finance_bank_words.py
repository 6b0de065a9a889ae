"""The reasons of matching in the reader's language."""

from collections import defaultdict

from odoo import api, models


class FinanceBankWords(models.AbstractModel):
    """Words for the codes of `matching.engine`: nothing worded is ever stored."""

    _name = "finance.bank.words"
    _description = "Words of Bank Matching"

    @api.model
    def _sentences(self, reasons):
        """Return one sentence a reason of ``reasons``: dicts with code, values and points."""
        words = self._words()
        sentences = []
        for reason in reasons:
            text = words.get(reason["code"], reason["code"])
            points = reason.get("points") or 0
            values = defaultdict(lambda: "–", reason.get("values") or {})
            mark = f" ({points:+d})" if points else ""
            sentences.append(text % values + mark)
        return sentences

    @api.model
    def _words(self):
        """Return {code: words}, with the values of the reason as ``%(name)s``."""
        _ = self.env._
        return {
            "ref.id": _("The bank repeats %(typed)s, the id of our own order"),
            "ref.order": _("The bank names order %(order)s, with %(count)s payments"),
            "ref.structured": _("Structured reference of %(number)s"),
            "ref.full": _("Names %(number)s in full"),
            "ref.short": _("Names %(number)s without its prefix"),
            "ref.listed": _("Names %(number)s by its end, behind another number"),
            "ref.serial": _("Names the last figures of %(number)s"),
            "ref.near": _("Names %(typed)s, one figure off %(number)s"),
            "ref.weak": _("“%(typed)s” may mean %(number)s"),
            "ref.none": _("Does not name %(number)s"),
            "partner.set": _("The line has this partner"),
            "partner.account": _("Comes from the partner's account %(account)s"),
            "partner.learned": _("%(account)s was this partner's before"),
            "partner.name": _("%(name)s is exactly this partner's name, and no other's"),
            "partner.candidate": _("One of %(count)s partners that it may be"),
            "partner.other": _("The account or name is another partner's"),
            "amount.exact": _("%(amount)s %(currency)s is what is open"),
            "amount.sum": _("%(count)s items come to %(amount)s %(currency)s"),
            "amount.discount": _("What is due with early payment discount, in time: %(rest)s less"),
            "amount.tolerance": _("%(rest)s %(currency)s apart, within the tolerance"),
            "amount.fee": _("%(rest)s %(currency)s short, as banks on the way charge"),
            "amount.converted": _("About what is open in %(currency)s; the bank tells no rate"),
            "amount.partial": _("Pays a part; %(rest)s %(currency)s stay open"),
            "amount.over": _("%(rest)s %(currency)s more than is open"),
            "amount.beside": _("With other items it would come to the amount exactly"),
            "doubt.sum_elsewhere": _("Other items together have exactly this amount"),
            "amount.only": _("Nothing else of the partner has this amount"),
            "amount.rare": _("Nothing else that is open has this amount"),
            "own.account": _("%(account)s is an account of this company"),
            "own.days": _("%(days)s days between the two lines"),
            "doubt.tie": _("Another proposal is as good"),
            "doubt.partner": _("The payer is known as somebody else"),
            "doubt.other_named": _("The text names %(number)s too"),
            "doubt.closed_named": _("The text names %(number)s, which is settled: paid twice?"),
            "doubt.fits_elsewhere": _("%(number)s has exactly this amount"),
            "doubt.late_discount": _("The discount is taken after its time"),
            "doubt.over": _("%(rest)s %(currency)s would be left"),
            "doubt.converted": _("Whether it pays all in %(currency)s is not known"),
            "doubt.unnamed": _("Not all of the items are named"),
            "doubt.check_digits": _("The check figures of %(reference)s are wrong"),
            "doubt.incomplete": _("Which of the items is paid in part is not said"),
            "doubt.two_partners": _("The items are of more than one partner"),
            "doubt.limit": _("The limit for automatic write-offs is reached: %(limit)s"),
            "doubt.rule_unapproved": _("The rule posts to income or expense and is not approved"),
            "doubt.rules": _("Another rule fits too: %(name)s"),
            "doubt.branch": _("The item belongs to %(company)s: a person books across companies"),
            "why.closed": _("%(number)s is settled already: paid twice, or a wrong number?"),
            "why.unknown_reference": _("No number of an open document is in the text"),
            "why.check_digits": _("The check figures of the reference %(reference)s are wrong"),
            "why.partner_unknown": _("No partner has the account or the name “%(name)s”"),
            "why.nobody_named": _("The bank names neither an account nor a payer"),
            "why.partner_ambiguous": _("%(count)s partners have this account or name"),
            "why.nothing_open": _("Nothing of the partner is open"),
            "why.amount": _("%(number)s is named, but the amount does not fit"),
            "why.amount_partner": _("None of %(count)s open items of the partner fits the amount"),
            "why.many": _("%(count)s open items have this amount: too many to choose"),
            "why.transfer": _(
                "A transfer from %(account)s: the line of that account is not there yet"
            ),
            "rule": _("Reconciliation model %(name)s fits"),
            "lesson": _("Booked like this %(count)s times for “%(key)s”"),
            "hand": _("Chosen by hand"),
        }
