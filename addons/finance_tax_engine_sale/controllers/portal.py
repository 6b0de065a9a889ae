from contextlib import suppress

from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request, route

from odoo.addons.sale.controllers.portal import CustomerPortal


class TaxedPortal(CustomerPortal):
    """What the customer sees, signs and pays has the engine's tax."""

    @route()
    def portal_order_page(self, order_id, access_token=None, **options):
        self._refresh_tax(order_id, access_token)
        return super().portal_order_page(order_id, access_token=access_token, **options)

    @route()
    def portal_order_transaction(self, order_id, access_token, **options):
        self._refresh_tax(order_id, access_token)
        return super().portal_order_transaction(order_id, access_token, **options)

    def _refresh_tax(self, order_id, access_token):
        """A customer may always look; while the engine is down, with the amounts as they are."""
        with suppress(AccessError, MissingError):
            order = self._document_check_access("sale.order", order_id, access_token=access_token)
            with suppress(UserError), request.env.cr.savepoint():
                order._finance_tax_refresh("tax_on_portal")
