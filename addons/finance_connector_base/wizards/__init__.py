from . import (
    finance_audit_export,
    finance_audit_verify,
    finance_configuration_import,
    finance_credential_rotate,
    finance_erasure,
    finance_exception_assign,
    finance_exception_close,
    finance_job_done_outside,
)
from . import finance_mapping_add
from . import finance_mapping_import
from . import finance_mapping_reject
