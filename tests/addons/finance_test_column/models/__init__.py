from . import finance_audit_event
