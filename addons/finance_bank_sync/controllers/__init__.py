from . import consent
from . import file
from . import bank_import
