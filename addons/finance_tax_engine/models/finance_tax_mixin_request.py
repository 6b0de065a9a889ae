"""What an engine is asked about a document, and why it can't be asked."""

import math
from decimal import ROUND_HALF_UP, Decimal

from odoo import models
from odoo.tools import format_list

from ..canonical.tax import (
    TaxDocument,
    TaxLine,
)


class FinanceTaxMixin(models.AbstractModel):
    _inherit = "finance.tax.mixin"

    def _finance_tax_lines(self):
        """Return the lines that the engine taxes, in the order of their creation.

        Moving a line up or down changes no tax, so it must not change the numbers of the lines.
        """
        lines = self._finance_tax_all_lines().filtered(lambda line: line._finance_tax_is_taxed())
        # what is read of one is read for the lines of all documents at once
        lines = lines.with_prefetch(self._finance_tax_all_lines()._prefetch_ids)
        return lines.sorted(lambda line: line._origin.id or math.inf)

    def _finance_tax_numbered_lines(self):
        """Return {line number at the engine: line}."""
        return {
            str(position): line for position, line in enumerate(self._finance_tax_lines(), start=1)
        }

    def _finance_tax_request(self, workflow):
        """Return the document as a canonical `TaxDocument`, in its own currency, without a code."""
        self.ensure_one()
        customer = self._finance_tax_customer()
        corrected = self._finance_tax_corrected()
        number, use_code = self._finance_tax_exemption(workflow)
        discount = self._finance_tax_early_discount()
        return TaxDocument(
            kind=self._finance_tax_kind(),
            seller=self._finance_tax_seller(workflow),
            customer=customer._finance_tax_code(),
            currency=self.currency_id.name,
            date=self._finance_tax_date(),
            tax_date=corrected._finance_tax_supply_date() if corrected else None,
            ship_from=self.company_id.partner_id.sudo()._finance_address(),
            ship_to=self._finance_tax_ship_to()._finance_address(),
            exemption_number=number,
            entity_use_code=use_code,
            vat_number=customer.vat or "",
            basis=workflow.connector_id._tax_basis(self.company_id),
            lines=tuple(
                self._finance_tax_line(number, line, discount)
                for number, line in self._finance_tax_numbered_lines().items()
            ),
        )

    def _finance_tax_exemption(self, workflow):
        """Return (certificate number, entity use code) of the customer there and then; one at most.

        A credit or debit note has those of the invoice that it corrects, whatever changed since.
        """
        corrected = self._finance_tax_corrected()
        document = corrected._finance_tax_document_of(workflow) if corrected else None
        asked = document._request() if document else None
        if asked:
            return asked.exemption_number, asked.entity_use_code
        return (
            self.env["finance.tax.exemption"]
            ._covering(
                self._finance_tax_customer(),
                self.company_id,
                self._finance_tax_ship_to(),
                corrected.invoice_date or self._finance_tax_date(),
            )
            ._sent()
        )

    def _finance_tax_line(self, number, line, discount):
        product = line.product_id
        return TaxLine(
            number=number,
            amount=self._finance_tax_told(line, discount),
            quantity=Decimal(repr(abs(line._finance_tax_facts()["quantity"]))),
            item_code=product.default_code or "",
            tax_code=product.finance_tax_code or product.categ_id._finance_tax_code(),
            description=line.name or "",
            gtin=product._finance_gtin(),
            tax_included=line._finance_tax_includes_tax() or None,
        )

    def _finance_decimal(self, amount):
        """Return an amount (float or Decimal) as the exact one of the document's currency."""
        unit = Decimal(1).scaleb(-self.currency_id.decimal_places)
        # a sum with 0 has no minus sign where it comes to nothing
        exact = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
        return exact.quantize(unit, ROUND_HALF_UP) + 0

    @staticmethod
    def _finance_tax_seller(workflow):
        setting = workflow.connector_id._known_class().seller_setting
        return workflow._company_settings().get(setting, "") if setting else ""

    def _finance_tax_find_obstacle(self):
        """Return why the engine can't be asked about this document, in words; "" when it can."""
        address = self._finance_tax_ship_to()
        if not address:
            return ""
        place = address._finance_address()
        us_like = place.country in ("US", "CA")
        if not place.country or us_like and not (place.postal_code and place.region):
            return self.env._(
                "The delivery address of %(partner)s is not complete: the tax engine needs the"
                " country, in the United States and Canada also state and ZIP code. Complete the"
                " address, then try again.",
                partner=address.display_name,
            )
        return self._finance_tax_obstacle_of_prices()

    def _finance_tax_obstacle_of_prices(self):
        """Return why prices that include tax can't be sent, in words; "" when they can."""
        included = self._finance_tax_lines().filtered(lambda line: line._finance_tax_includes_tax())
        if not included:
            return ""
        engine = self._finance_tax_workflow().connector_id
        names = format_list(self.env, included.tax_ids.mapped("name"))
        if not engine._known_class().takes_prices_with_tax:
            return self.env._(
                "%(engine)s needs prices without tax, but %(taxes)s is included in the price."
                " Take it off the lines.",
                engine=engine.sudo().name,
                taxes=names,
            )
        if any(line._finance_tax_mixes_prices() for line in included):
            return self.env._(
                "One of %(taxes)s is included in the price, and another one on the same line comes"
                " beside it, so what the price includes is not known. Leave one of them on the"
                " line.",
                taxes=names,
            )
        return ""
