"""Files that authorities ask for. The next one is one file with a class, and its line here."""

from .books import Books, Finding, OtherTotals, StatutoryFile, Written
from .encodings import ENCODINGS
from .fec import Fec
from .saft_no import SaftNo

KINDS = {kind.code: kind for kind in (Fec, SaftNo)}
