"""Where files wait to be picked up: a folder, or a directory on an SFTP server."""

from dataclasses import dataclass

from odoo.addons.finance_connector_base.transports import TransportError as PickupError
from odoo.addons.finance_connector_base.transports import is_waiting, plain

__all__ = ["DONE", "FAILED", "MOST_BYTES", "Found", "PickupError", "is_waiting", "plain"]

MOST_BYTES = 256 << 20
DONE, FAILED = "done", "failed"
# The option of odoo.conf that opens folders for picking up.
FOLDERS = "finance_bank_folders"


@dataclass(frozen=True)
class Found:
    """A file that waits. size: bytes. changed: seconds since 1970, when it was last written."""

    name: str
    size: int
    changed: int
