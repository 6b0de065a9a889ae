from . import finance_bank, finance_connector, finance_test_note, finance_workflow, operations
