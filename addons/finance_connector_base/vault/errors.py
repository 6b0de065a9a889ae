"""What can go wrong with the vault. No message ever carries key material or plaintext."""


class VaultError(Exception):
    """Any failure of the vault."""


class VaultLocked(VaultError):
    """There is no usable key: nothing is sealed or opened until one is put in place."""


class SealBroken(VaultError):
    """A sealed value doesn't open here: altered, moved to another row, or from another database."""
