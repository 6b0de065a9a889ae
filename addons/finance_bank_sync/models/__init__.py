from . import account_bank_statement_line
from . import finance_bank_balance
from . import finance_bank_entry
from . import finance_bank_import
from . import finance_bank_statement

# Reconciliation statements and cash: what they ask comes first.
from . import finance_bank_account_mixin
from . import finance_bank_told
from . import finance_bank_reconciliation_facts
from . import finance_bank_reconciliation
from . import finance_bank_reconciliation_line
from . import finance_bank_reconciliation_table
from . import finance_cash_evidence
