from . import account_move
from . import finance_configuration
from . import finance_tax_document
from . import finance_workflow
from . import sale_order
from . import sale_order_line
