from . import test_delivery
from . import test_destinations
from . import test_extraction
from . import test_feeds
from . import test_increment
from . import test_run
from . import test_schedule
from . import test_volume
