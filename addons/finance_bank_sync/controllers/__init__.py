from . import consent
from . import file
