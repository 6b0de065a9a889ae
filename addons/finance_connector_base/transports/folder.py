"""Folders on this host that odoo.conf opens.

All is done relative to an open folder, and no link is followed: what somebody puts into a folder
leads nowhere else.
"""

import os
from pathlib import Path

from . import TransportError

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def roots(text: str) -> list[Path]:
    """Return the folders that an option of odoo.conf opens: absolute paths, separated by commas."""
    return [Path(part.strip()) for part in (text or "").split(",") if part.strip().startswith("/")]


def allowed(path: str, opened: list[Path], option: str = "finance_allowed_folders") -> Path:
    """Return the folder if it lies in or below one that is opened.

    option: name of the option of odoo.conf, for the words. Raises TransportError.
    """
    if not opened:
        raise TransportError("closed", option=option)
    folder = Path(path or "")
    if not folder.is_absolute() or ".." in folder.parts:
        raise TransportError("outside", path=path, option=option)
    # the opened folder itself may be reached through a link that an administrator has set
    for root in opened:
        if folder != root and root not in folder.parents:
            continue
        if (root.resolve() / folder.relative_to(root)) != folder.resolve():
            raise TransportError("link", path=path)
        return folder
    raise TransportError("outside", path=path, option=option)


def open_folder(path) -> int:
    """Return the descriptor of a folder, through which its files are reached.

    Raises TransportError.
    """
    try:
        return os.open(path, OPEN)
    except PermissionError:
        raise TransportError("denied", path=path) from None
    except OSError:
        raise TransportError("missing", path=path) from None
