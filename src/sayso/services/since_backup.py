"""What the ledgers that are there tell of the time since a backup was made.

The key store knows who was erased and what was withdrawn by keyed hashes alone. With a lost key
they are lost, and a backup made before would bring back who was erased between it and the loss.
The ledgers still tell: where every entry about a person that the backup has is erased by now, so
was the person; and a withdrawal is an entry with the person's id.

What humans said of faces since is in the ledgers alone: a face that somebody said is not a person's
must not be shown as theirs because an older state came back.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sayso.domain.face import FaceId
from sayso.domain.grant import Purpose
from sayso.domain.person import PersonId
from sayso.ledger import aside
from sayso.ledger.checkpoint import VerifierKey
from sayso.ledger.disk import PosixFolder
from sayso.ledger.entry import Action, Entry
from sayso.ledger.reader import Reader
from sayso.ledger.records import Erased
from sayso.services.agreement import Word


@dataclass(frozen=True, slots=True)
class Since:
    """What has happened since.

    Attributes:
        erased: people of the backup who were erased.
        withdrawn: whose consent for what was ended, and when at the latest, under keys that are
            lost: the key store tells the rest.
        words: what humans said of faces, oldest first.
    """

    erased: frozenset[PersonId] = frozenset()
    withdrawn: tuple[tuple[PersonId, Purpose, datetime], ...] = ()
    words: tuple[Word, ...] = ()


def since_backup(live: Path, backup: Path, key: VerifierKey) -> Since:
    """Compare a backup's ledgers with those that are there, which continue them.

    Args:
        live: the folder of the ledger in force.
        backup: of the ledger in the backup.
        key: of the one in force.
    """
    with ExitStack() as stack:
        now = {key: stack.enter_context(Reader.open(live, key))}
        for one in aside.chain(PosixFolder(live), now[key]):
            now[one.key] = stack.enter_context(Reader(one.folder, one.key))
        folders = [PosixFolder(backup), *PosixFolder(backup).laid_aside()]
        then = {
            signed: stack.enter_context(Reader(folder, signed))
            for folder in folders
            if (signed := aside.signer(folder, now)) is not None
        }
        withdrawn = [
            one
            for signed, reader in now.items()
            if signed != key
            for one in _withdrawn(reader, then[signed].size if signed in then else 0)
        ]
        words = [
            one
            for signed, reader in reversed(now.items())  # those laid aside are older
            for one in _words(reader, then[signed].size if signed in then else 0)
        ]
        return Since(_erased(then, now), tuple(withdrawn), tuple(words))


def _erased(
    then: Mapping[VerifierKey, Reader], now: Mapping[VerifierKey, Reader]
) -> frozenset[PersonId]:
    """Everybody has an entry of their own, the consent's, so that no others' erasure hides them."""
    told: set[PersonId] = set()
    left: set[PersonId] = set()
    for key, reader in then.items():
        for entry in reader.entries():
            people = map(PersonId, entry.draft.subjects)
            if entry.draft.subjects and isinstance(now[key].frame(entry.sequence), Erased):
                told.update(people)
            else:
                left.update(people)
    return frozenset(told - left)


def _withdrawn(reader: Reader, start: int) -> Iterable[tuple[PersonId, Purpose, datetime]]:
    """The withdrawals from one entry on that were carried out, as far as it tells."""
    for entry in _carried_out(reader, start):
        if entry.draft.action is Action.WITHDRAWAL:
            ended = entry.at + timedelta(seconds=1)  # entries have whole seconds, cut off
            purposes = entry.draft.details.get("purposes", ())
            for person in entry.draft.subjects:
                for purpose in purposes if isinstance(purposes, list) else ():
                    yield PersonId(person), Purpose(purpose), ended


def _words(reader: Reader, start: int) -> Iterable[Word]:
    """What humans said of faces from one entry on."""
    for entry in _carried_out(reader, start):
        said, face = (entry.draft.details.get(name) for name in ("said", "face"))
        if entry.draft.action is Action.REVIEW and isinstance(said, str) and isinstance(face, str):
            person = next(map(PersonId, entry.draft.subjects), None)
            yield Word(said, FaceId(face), person, entry.draft.actor, entry.at)


def _carried_out(reader: Reader, start: int) -> Iterable[Entry]:
    """The entries from one on, without those of what was begun and not done."""
    entries = list(reader.entries(start))
    aborted = {
        sequence
        for entry in entries
        if entry.draft.action is Action.ABORTED
        for first, last in entry.draft.targets
        for sequence in range(first, last + 1)
    }
    return (entry for entry in entries if entry.sequence not in aborted)
