# What others inherit comes first.
from . import finance_keyed_mixin
from . import finance_sealed_mixin
from . import finance_weak_mixin
from . import finance_job_mixin
from . import finance_operation

from . import account_move
from . import base_partner_merge
from . import finance_answer
from . import finance_audit_detail
from . import finance_audit_event
from . import finance_alert_rule
from . import finance_binding
from . import finance_connector
from . import finance_connector_config
from . import finance_connector_dashboard
from . import finance_connector_health
from . import finance_connector_production
from . import finance_credential
from . import finance_denied_action
from . import finance_exception
from . import finance_exception_rule
from . import finance_exception_tag
from . import finance_exchange
from . import finance_exchange_day
from . import finance_external_ref
from . import finance_gate
from . import finance_health
from . import finance_job
from . import finance_job_key
from . import finance_job_progress
from . import finance_metrics_token
from . import finance_setting
from . import finance_vault
from . import finance_workflow
from . import finance_job_held
from . import ir_access
from . import res_company
from . import res_config_settings
from . import res_config_settings_evidence
from . import finance_restore

# After what they extend.
from . import finance_audit_seal

# After what they extend.
from . import finance_configuration
from . import finance_configuration_keyed
from . import finance_configuration_policy
from . import finance_configuration_version
