# Received from banks.
from . import account_bank_statement_line
from . import account_journal
from . import finance_audit_event
from . import finance_bank_balance
from . import finance_bank_entry
from . import finance_bank_entry_book
from . import finance_bank_entry_decision
from . import finance_bank_entry_personal
from . import finance_bank_entry_words
from . import finance_bank_import
from . import finance_bank_import_book
from . import finance_bank_import_decide
from . import finance_bank_import_exceptions
from . import finance_bank_import_file
from . import finance_bank_import_pending
from . import finance_bank_import_read
from . import finance_bank_import_words
from . import finance_bank_statement
from . import finance_bank_statement_chain
from . import finance_bank_statement_continuity
from . import finance_bank_turn
from . import finance_exception
from . import operations

# Reconciliation statements and cash: what they ask comes first.
from . import finance_bank_account_mixin
from . import finance_bank_told
from . import finance_bank_reconciliation_facts
from . import finance_bank_reconciliation
from . import finance_bank_reconciliation_line
from . import finance_bank_reconciliation_table
from . import finance_cash_evidence

# Bank links.
from . import finance_audit_event_link
from . import finance_bank_consent
from . import finance_bank_link
from . import finance_bank_link_imports
from . import finance_bank_visit
from . import finance_connector
from . import finance_exception_link
from . import finance_vault
from . import finance_workflow
from . import operations_link

# Matching.
from . import account_bank_statement_line_matching
from . import account_journal_matching
from . import account_reconcile_model
from . import finance_audit_event_matching
from . import finance_bank_booking
from . import finance_bank_booking_parts
from . import finance_bank_booking_places
from . import finance_bank_booking_undo
from . import finance_bank_key
from . import finance_bank_lesson
from . import finance_bank_match
from . import finance_bank_matcher
from . import finance_bank_policy
from . import finance_bank_proposal
from . import finance_bank_run
from . import finance_bank_sample
from . import finance_bank_words
from . import finance_bank_matching_personal
from . import finance_denied_action_matching
from . import finance_exception_matching
from . import operations_matching
