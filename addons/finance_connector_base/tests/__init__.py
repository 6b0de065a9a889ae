from . import (
    common,
    evidence,
    test_connector,
    test_credential,
    test_exception,
    test_job,
    test_settings,
    test_vault,
    test_workflow,
    vendor,
)
