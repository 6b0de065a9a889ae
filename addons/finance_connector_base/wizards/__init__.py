from . import (
    finance_credential_rotate,
    finance_job_done_outside,
)
