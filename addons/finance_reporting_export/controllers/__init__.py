from . import file
from . import statutory
