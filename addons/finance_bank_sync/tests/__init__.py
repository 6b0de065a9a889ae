from . import test_reconciliation_statement
