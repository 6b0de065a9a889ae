from . import test_extraction
