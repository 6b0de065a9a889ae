from . import test_extraction
from . import test_feeds
from . import test_volume
