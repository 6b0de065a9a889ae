from . import test_debit_note
