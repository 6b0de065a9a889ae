"""What every registry of VAT numbers offers."""

from odoo.addons.finance_connector_base.providers.base import Provider, Setting

from ..canonical.vat import VatAnswer, VatQuestion

# The company's own number is what a consultation number is given for.
REQUESTER = Setting(
    "requester",
    "VAT number that asks",
    required=False,
    help="Empty: the company's own. Without one there is no consultation number, which proves"
    " that you asked.",
)


class VatRegistry(Provider):
    """A registry that knows whether VAT numbers are valid, and whose they are.

    prefixes: of `canonical.vat.PREFIXES` that it answers for. requesters: prefixes of the numbers
    that it gives consultation numbers to.
    """

    prefixes: frozenset = frozenset()
    requesters: frozenset = frozenset()
    company_settings = (REQUESTER,)

    def check(self, question: VatQuestion) -> VatAnswer:
        """Ask for one number. Returns VALID or INVALID.

        Raises `Transient` where the registry has no answer now, `Rejected` where it refuses the
        question or whoever asks: neither says anything about the number.
        """
        raise NotImplementedError
