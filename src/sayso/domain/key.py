"""Where the key of a workspace may be kept."""

from enum import StrEnum


class KeyPlace(StrEnum):
    """Where a workspace looks for its key."""

    FILE = "file"
    KEYRING = "keyring"
    ENVIRONMENT = "environment"
