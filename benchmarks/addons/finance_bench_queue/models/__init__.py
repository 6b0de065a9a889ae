from . import finance_test_note, operations
