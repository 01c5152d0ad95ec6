"""Custody of the workspace key: finding it, changing it, and what can be said of it.

A new key is written beside the old one before anything is wrapped with it, and takes its place
after everything is. Whichever of the two opens the key store is the key; a crash at any point
leaves one that does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sayso.domain.key import KeyPlace
from sayso.errors import KeyMissing, KeyWrong, SaysoError
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.erase import renew_key_copies, write_key_copy
from sayso.store import safekeeping
from sayso.store.keystore import KeyStore
from sayso.store.repository import Repository
from sayso.store.sealing import WorkspaceKey
from sayso.store.vault import CHECK, PLACE, RENEWING, RETIRED, Vault


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a change of key did.

    Attributes:
        data_keys: how many were wrapped anew.
        stale: copies of the key store that still need the old key: they could not be written.
    """

    data_keys: int
    stale: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Custody:
    """Where one workspace's key may be.

    Attributes:
        file: the key's file, if it is in one.
        environment: this process's variables.
    """

    store: KeyStore
    file: Path
    environment: Mapping[str, str]

    @property
    def place(self) -> KeyPlace:
        """Where the key is kept."""
        return KeyPlace(self.store.fact(PLACE) or KeyPlace.FILE)

    @property
    def workspace_id(self) -> str:
        """The workspace's id, which names its entry in a keyring."""
        return self.store.fact("workspace_id") or ""

    def key(self) -> WorkspaceKey:
        """The key that opens the key store; a change of key that was interrupted is finished.

        Raises:
            KeyMissing, KeyExposed, KeyWrong: it is not as it should be.
        """
        try:
            key = self._verified(self.file, self.workspace_id, safekeeping.VARIABLE)
        except (KeyMissing, KeyWrong) as missing:
            new_file, new_id = safekeeping.beside(self.file, self.workspace_id)
            try:
                key = self._verified(new_file, new_id, safekeeping.NEW_VARIABLE)
            except SaysoError:
                raise missing from None
            safekeeping.promote(self.place, file=self.file, workspace_id=self.workspace_id)
        self._tidy()
        return key

    def rotate(self, repository: Repository, book: Book, to: KeyPlace | None) -> Rotated:
        """Change the workspace key; templates are not touched. Copies of the key store follow.

        Args:
            repository: opened with the present key.
            book: in which it is entered, before it is done.
            to: where the new key is to be kept; None: where the old one is.

        Raises:
            KeyMissing: it is to come from ``SAYSO_NEW_KEY``, which is not set.
            SettingMalformed: the keyring was asked for and is not installed.
        """
        place = self.place if to is None else to
        new_file, new_id = safekeeping.beside(self.file, self.workspace_id)
        if place is KeyPlace.ENVIRONMENT:
            variable = self.environment.get(safekeeping.NEW_VARIABLE)
            if not variable:
                raise KeyMissing(
                    expected=f"the new key in the environment variable {safekeeping.NEW_VARIABLE}",
                    found="nothing",
                    remedy="Set it to 32 random bytes in base64, for example from `openssl rand "
                    "-base64 32`; afterwards make it the value of SAYSO_KEY.",
                )
            key = safekeeping.from_text(variable)
        else:
            key = WorkspaceKey.generate()
            safekeeping.discard(place, file=new_file, workspace_id=new_id)
            safekeeping.put(place, key, file=new_file, workspace_id=new_id)
        details = {"change": "rotated", "place": place.value, "key": key.key_id}
        with book.writing() as page:
            page.enter(Action.KEY, details={**details, "before": repository.vault.key_id})
        with repository.writing():  # nobody makes a data key meanwhile
            count = repository.vault.rotate(key, place)
        safekeeping.promote(place, file=self.file, workspace_id=self.workspace_id)
        self._tidy()
        return Rotated(count, tuple(renew_key_copies(repository)))

    @property
    def renewing(self) -> Mapping[str, Any] | None:
        """What was noted of a beginning anew that is not finished; None: there is none."""
        noted = self.store.fact(RENEWING)
        return None if noted is None else dict(json.loads(noted))

    def renew(
        self, repository: Repository, key: WorkspaceKey, place: KeyPlace, aside: str | None
    ) -> None:
        """Begin anew with a new key, the old one being lost; `renewed` says that it is finished.

        Until the key store knows the new key nothing has changed, but for a key that lies beside
        the old one's place. From then on every start goes on with it.

        Args:
            repository: opened with the new key.
            key: the same new key; with `KeyPlace.ENVIRONMENT` it is there already.
            place: where it is kept.
            aside: what the ledger so far is to be called; None: there is none.
        """
        new_file, new_id = safekeeping.beside(self.file, self.workspace_id)
        safekeeping.discard(place, file=new_file, workspace_id=new_id)
        safekeeping.put(place, key, file=new_file, workspace_id=new_id)
        with repository.writing() as unit:
            noted = {"templates": sum(unit.templates.counts().values()), "aside": aside}
            repository.vault.start_over(place, json.dumps(noted), _NOTHING)
        safekeeping.promote(place, file=self.file, workspace_id=self.workspace_id)
        self._tidy()

    def renewed(self) -> None:
        """Say that beginning anew is finished."""
        self.store.set_facts({RENEWING: None})

    def copy(self, repository: Repository, book: Book, place: Path, now: datetime) -> None:
        """Write a copy of the key store, which every erasure and change of key writes anew."""
        with book.writing() as page:
            page.enter(Action.KEY, details={"change": "copied", "key": repository.vault.key_id})
        write_key_copy(repository, place)
        repository.vault.store.remember_copy(str(place), now.isoformat())

    def _verified(self, file: Path, workspace_id: str, variable: str) -> WorkspaceKey:
        key = safekeeping.get(
            self.place,
            file=file,
            workspace_id=workspace_id,
            variable=self.environment.get(variable),
        )
        key.verify(self.store.fact(CHECK) or "")
        return key

    def _tidy(self) -> None:
        """Destroy a key that was given up, and one whose place was left."""
        new_file, new_id = safekeeping.beside(self.file, self.workspace_id)
        if self.place is not KeyPlace.KEYRING:
            safekeeping.discard(KeyPlace.FILE, file=new_file, workspace_id=new_id)
        retired = self.store.fact(RETIRED)
        if retired is not None:
            safekeeping.discard(KeyPlace(retired), file=self.file, workspace_id=self.workspace_id)
            self.store.set_facts({RETIRED: None})


_NOTHING = b'{"removed": {"templates": 0}, "showing": [], "folders": [], "traces": []}'


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What there is of keys.

    Attributes:
        people: with a data key.
        unopened: ids of people whose data key the workspace key does not unwrap.
        pending: erasures that are still to be finished.
        copies: of the key store: where, and since when.
    """

    place: KeyPlace
    people: int
    unopened: tuple[str, ...]
    erased: int
    pending: int
    copies: Mapping[str, str]


def report(vault: Vault, place: KeyPlace) -> KeyReport:
    """Look at every key."""
    store = vault.store
    return KeyReport(
        place,
        len(store.holders()),
        tuple(vault.unopened()),
        len(store.erased()),
        len(store.pending_erasures()),
        store.copies(),
    )
