from . import test_reconciliation_statement
from . import test_link
