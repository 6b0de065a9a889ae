"""What can go wrong while a file is written."""


class NotInstalled(Exception):
    """A format needs a library that is not there. package: its name; format: what needs it."""

    def __init__(self, package, format):
        super().__init__(
            f"The Python package {package} is not installed; {format} needs it. Install it, or "
            "choose another format."
        )
        self.package = package
        self.format = format


class ColumnMismatch(Exception):
    """A value does not fit the published type of its column; nothing was rounded or cut."""
