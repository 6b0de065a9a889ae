from . import finance_tax_address
from . import finance_tax_certificates
from . import finance_tax_code_find
from . import finance_tax_true_up_settle
