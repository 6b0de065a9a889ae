from . import test_hard_orders
from . import test_order
from . import test_portal
from . import test_properties
from . import test_when
