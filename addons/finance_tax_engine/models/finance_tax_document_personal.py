from dataclasses import replace

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.canonical import codec

from ..canonical.tax import Address


class FinanceTaxDocument(models.Model):
    """What a tax document knows of a customer, and what is left of it when that is erased.

    Amounts, authorities, state and code stay: they prove what was declared, and make it void. An
    erased document that is posted again asks the engine anew.
    """

    _name = "finance.tax.document"
    _inherit = ["finance.tax.document", "finance.personal.mixin"]

    @api.model
    def _personal_words(self):
        return self.env._("Addresses and numbers of customers on tax documents")

    @api.model
    def _personal_documents(self):
        return [model for _name, model in self._owners()]

    @api.model
    def _owners(self):
        """Return [(field, model)] of the documents that tax documents are of."""
        return [
            (name, field.comodel_name)
            for name, field in self._fields.items()
            if field.type == "many2one"
            and field.store
            and hasattr(self.env[field.comodel_name], "_finance_tax_owner")
        ]

    def _about(self, subject):
        owned = [
            SQL("%s = ANY(%s)", SQL.identifier(name), subject.documents.get(model, []))
            for name, model in self._owners()
        ]
        return SQL("(%s) AND %s", SQL(" OR ").join(owned), subject.of_companies())

    @api.model
    def _personal_of(self, subject):
        return self._select(SQL("%s AND destination IS NOT NULL", self._about(subject)))

    @api.model
    def _personal_traces(self, subject):
        return self._select(self._about(subject)).mapped("trace_id")

    def _erase_personal(self, basis):
        for document in self:
            request, result = document._request(), document._result()
            document.write(
                {
                    "request": codec.dump(_anonymous(request)) if request else False,
                    "result": codec.dump(replace(result, messages=())) if result else False,
                    # Digests of what can be guessed are no better than the thing itself.
                    "content_hash": False,
                    "applied_hash": False,
                    "destination": False,
                    "messages": False,
                }
            )
            for true_up in document.true_up_ids:
                true_up.request = codec.dump(_anonymous(true_up._request()))
                true_up.result = codec.dump(replace(true_up._result(), messages=()))
            for version in document.version_ids.filtered("result"):
                version.result = codec.dump(replace(version._result(), messages=()))


def _anonymous(request):
    """Return a `TaxDocument` without what tells who the customer is, or where."""
    region = Address(region=request.ship_to.region, country=request.ship_to.country)
    return replace(
        request,
        customer="",
        ship_to=region,
        exemption_number="",
        vat_number="",
        reference="",
        lines=tuple(replace(line, description="") for line in request.lines),
    )
