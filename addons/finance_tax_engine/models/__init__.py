# What documents inherit comes first.
from . import finance_tax_mixin
from . import finance_tax_line_mixin

from . import account_move
from . import account_move_outage
from . import account_move_tax_items
from . import account_move_waiting
from . import account_move_line
from . import account_tax
from . import finance_audit_event
from . import finance_close_check
from . import finance_configuration
from . import finance_connector
from . import finance_exception
from . import finance_job
from . import finance_tax_document
from . import finance_tax_document_offline
from . import finance_tax_document_personal
from . import finance_tax_jurisdiction
from . import finance_tax_rate
from . import finance_timeline
from . import finance_workflow
from . import operations
from . import product
from . import res_config_settings
from . import res_partner
