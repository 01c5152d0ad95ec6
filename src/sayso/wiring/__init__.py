"""The only assembler: builds the services of a workspace from its settings."""

from sayso.domain.key import KeyPlace
from sayso.wiring.layout import DATABASE, KEY, LEDGER, utc_now
from sayso.wiring.opening import create_workspace, open_audit, open_workspace
from sayso.wiring.renewing import Renewed, renew_key
from sayso.wiring.restoring import restore_workspace
from sayso.wiring.workspace import Workspace

__all__ = [
    "DATABASE",
    "KEY",
    "LEDGER",
    "KeyPlace",
    "Renewed",
    "Workspace",
    "create_workspace",
    "open_audit",
    "open_workspace",
    "renew_key",
    "restore_workspace",
    "utc_now",
]
