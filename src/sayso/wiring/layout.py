"""Where the parts of a workspace lie, and how its keys are found."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sayso.domain.key import KeyPlace
from sayso.errors import WorkspaceMissing
from sayso.ledger.admission import Json
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.entry import Action, Draft
from sayso.ledger.journal import Journal
from sayso.services.ports import Clock
from sayso.settings import Settings
from sayso.store import safekeeping
from sayso.store.repository import Repository
from sayso.store.sealing import WorkspaceKey

DATABASE = "sayso.sqlite"
KEY = "workspace.key"
LEDGER = "ledger"
ADDED = "models"
"""The folder of models that were added to a workspace."""


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


def actor(settings: Settings) -> str:
    """Who works here, as the ledger says it: the operator's id, else the account's number."""
    return settings.operator or f"account-{os.getuid()}"


def begin_ledger(  # noqa: PLR0913 - what it is, and what its first entry says
    repository: Repository,
    folder: Path,
    workspace_id: str,
    clock: Clock,
    *,
    actor: str,
    details: Mapping[str, Json],
) -> None:
    """Begin a workspace's ledger, with the key it goes with as its first entry.

    What an interruption left is gone on with: call it again.
    """
    signing = signing_key(workspace_id, repository.vault.ledger_seed)
    path = folder / LEDGER
    journal = (
        Journal.open(path, signing, clock)
        if path.exists()
        else Journal.create(path, signing, clock)
    )
    with journal:
        if not journal.reader.size:
            journal.append(Draft(Action.KEY, actor, details=details))
        size, note = journal.reader.size, journal.reader.head.note
    public = signing.verifier.encode()
    with repository.writing() as unit:
        if unit.entries.public_key() != public:  # else another process did it, and went on
            unit.entries.adopt((), size, note)
            unit.entries.keep_public_key(public)


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
