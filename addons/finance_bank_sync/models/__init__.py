from . import account_bank_statement_line
from . import finance_bank_balance
from . import finance_bank_entry
from . import finance_bank_import
from . import finance_bank_statement
