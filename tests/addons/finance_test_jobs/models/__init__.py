from . import finance_connector, finance_test_note, finance_workflow, operations
