"""Wizards of the bank."""

from . import finance_bank_balance_entry
from . import finance_bank_history
from . import finance_bank_link_wizard
from . import finance_bank_link_wizard_line
from . import finance_bank_link_wizard_proof
from . import finance_bank_column_preview
from . import finance_bank_column_preview_line
