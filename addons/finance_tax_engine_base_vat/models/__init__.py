from . import finance_vat_check
from . import res_partner
