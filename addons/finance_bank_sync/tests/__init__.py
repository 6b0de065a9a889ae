from . import test_access
from . import test_continuity
from . import test_duplicates
from . import test_import
from . import test_locks
from . import test_reconciliation_statement
from . import test_link
from . import test_matching
