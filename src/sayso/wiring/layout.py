"""Where the parts of a workspace lie, and how its keys are found."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sayso.domain.key import KeyPlace
from sayso.errors import WorkspaceMissing
from sayso.ledger.checkpoint import SigningKey
from sayso.settings import Settings
from sayso.store import safekeeping
from sayso.store.sealing import WorkspaceKey

DATABASE = "sayso.sqlite"
KEY = "workspace.key"
LEDGER = "ledger"
PUBLIC_KEY = "ledger_public_key"
"""The fact, and in a ledger that was laid aside the file, that holds its public key."""


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def key_file(folder: Path, settings: Settings) -> Path:
    """Where the workspace key lies if it is in a file."""
    return Path(settings.key_file) if settings.key_file else folder / KEY


def given_key(
    place: KeyPlace, file: Path, workspace_id: str, environment: Mapping[str, str]
) -> WorkspaceKey:
    """The key that is kept at a place.

    Raises:
        KeyMissing, KeyExposed: it is not there, or not as it should be.
    """
    variable = environment.get(safekeeping.VARIABLE)
    return safekeeping.get(place, file=file, workspace_id=workspace_id, variable=variable)


def signing_key(workspace_id: str, seed: bytes) -> SigningKey:
    """The key that a workspace's ledger is signed with."""
    return SigningKey.from_seed(f"sayso/{workspace_id}", seed)


def require_workspace(folder: Path) -> None:
    """Refuse a folder in which no workspace is.

    Raises:
        WorkspaceMissing: there is none.
    """
    if not (folder / DATABASE).is_file():
        raise WorkspaceMissing(
            expected=f"a workspace at {folder}",
            found="none",
            remedy="Make one with `sayso init`, or name the right folder with --workspace.",
        )
