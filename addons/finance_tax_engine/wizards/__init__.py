from . import finance_tax_address
from . import finance_tax_certificates
from . import finance_tax_code_find
