from . import test_check_list
from . import test_close_check
from . import test_engines
from . import test_jurisdiction
from . import test_outage
from . import test_recording
from . import test_settings
from . import test_timeline
