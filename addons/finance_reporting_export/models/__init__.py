from . import finance_connector
from . import finance_feed
from . import finance_feed_column
from . import finance_export
from . import finance_export_feed
from . import finance_export_run
from . import finance_export_file
from . import operations
