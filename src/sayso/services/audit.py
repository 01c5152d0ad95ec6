"""The audit: anybody may check what was written, without trusting who wrote it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.domain.person import PersonId
from sayso.domain.record_check import Defect
from sayso.errors import FileMissing, LedgerError, ReceiptReplayed
from sayso.ledger import aside, proof, verification
from sayso.ledger.checkpoint import Checkpoint, VerifierKey, open_checkpoint, signed_by
from sayso.ledger.disk import PosixFolder
from sayso.ledger.entry import Entry
from sayso.ledger.proof import VerifiedEntry
from sayso.ledger.reader import Reader
from sayso.ledger.verification import Verification
from sayso.services import certified
from sayso.services.certified import Certified, is_certificate
from sayso.services.countersign import LedgerChecker
from sayso.services.envelope import Checked
from sayso.services.receipt import check_receipt, stated

__all__ = [
    "Audit",
    "Entry",
    "VerifiedEntry",
    "check",
    "check_certificate",
    "check_consents",
    "is_certificate",
    "is_receipt",
    "stated",
]


@dataclass(frozen=True, slots=True)
class Audit:
    """The use cases on one ledger; all of them read, none repairs.

    Attributes:
        folder: the ledger's.
        key: the log's public key.
        kept: a file that holds the newest checkpoint that was copied elsewhere; None: none.
        remembered: the newest checkpoint that the database knows; None: none yet.
    """

    folder: Path
    key: VerifierKey
    kept: Path | None
    remembered: bytes | None = None

    @property
    def public_key(self) -> str:
        """The log's public key, as checkers take it (C2SP vkey)."""
        return self.key.encode()

    def verify(self, checkpoints: Sequence[bytes] = ()) -> Verification:
        """Verify every byte of the ledger, and that it continues the checkpoints given.

        A checkpoint of a ledger that was laid aside is left to `verify_earlier`.

        Raises:
            LedgerTampered: something was changed, removed, reordered or cut off; says where.
            LedgerForked: a checkpoint is of another history.
            CheckpointInvalid: a checkpoint is not one of this log.
            FileMissing: the copy that the settings name cannot be read.
        """
        notes = [*checkpoints, *self._copies()]
        if self.remembered is not None:
            notes.append(self.remembered)
        earlier = aside.keys(PosixFolder(self.folder))
        old: list[Checkpoint] = [
            open_checkpoint(note, self.key)
            for note in notes
            if not any(signed_by(note, key) for key in earlier)
        ]
        return verification.verify(self.folder, self.key, old)

    def verify_earlier(self, checkpoints: Sequence[bytes] = ()) -> list[tuple[str, Verification]]:
        """Verify the ledgers that were laid aside before this one, newest first.

        Returns:
            The name of each one's folder, with what was verified.

        Raises:
            LedgerTampered, LedgerForked: as `verify`, which is to be called first; or one of them
                is not here.
        """
        notes = [*checkpoints, *self._copies()]
        return list(verification.verify_earlier(self.folder, self.key, notes))

    def _copies(self) -> list[bytes]:
        """A copy that is gone is told: it would have shown what whoever took it wants hidden."""
        if self.kept is None:
            return []
        try:
            return [self.kept.read_bytes()]
        except OSError as error:
            raise FileMissing(
                expected=f"the checkpoint copy at {self.kept}, which the settings name",
                found=error.strerror or "an error",
                remedy="Connect the place. If the setting is new, `sayso audit checkpoint FILE` "
                "writes the first copy.",
            ) from error

    def checkpoint(self) -> bytes:
        """The newest checkpoint, a C2SP signed note, to be kept where nobody here can reach it."""
        with Reader.open(self.folder, self.key) as reader:
            return reader.head.note

    def prove(self, sequence: int) -> bytes:
        """An offline proof of one entry.

        Raises:
            EntryUnknown: there is none of this number, or it was erased.
        """
        with Reader.open(self.folder, self.key) as reader:
            return reader.prove(sequence)

    def told(self, person: PersonId) -> list[Mapping[str, Any]]:
        """The entries about a person, oldest first, as that person may read them.

        Those of ledgers that were laid aside are among them, each with the name of its ledger; one
        that is not to be found or not whole is left to `verify_earlier` to tell.

        Whom else an entry is about, and its details, are left out: they are not theirs to read.
        """
        with ExitStack() as stack:
            folder = PosixFolder(self.folder)
            readers = [(folder.name, stack.enter_context(Reader(folder, self.key)))]
            with suppress(LedgerError):
                for one in aside.chain(folder, readers[0][1]):
                    earlier = stack.enter_context(Reader(one.folder, one.key))
                    readers.append((one.folder.name, earlier))
            return [
                {
                    "ledger": name,
                    "sequence": entry.sequence,
                    "at": entry.at.isoformat(),
                    "action": entry.draft.action.value,
                }
                for name, reader in reversed(readers)
                for entry in reader.about(person)
            ]

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """The entries from one on, those erased left out."""
        with Reader.open(self.folder, self.key) as reader:
            yield from reader.entries(start)


def check_certificate(data: bytes, key: str, person: PersonId | None = None) -> Certified:
    """Check a signed certificate of erasure; raises as `sayso.services.certified.check` does."""
    return certified.check(data, key, person)


def is_receipt(data: bytes) -> bool:
    """Whether a file is a receipt of a consent, rather than a bare proof."""
    return data.lstrip()[:1] == b"{"


def check_consents(
    data: bytes, key: str, person: PersonId | None = None
) -> tuple[Checked, tuple[Defect, ...]]:
    """Check a receipt of a consent with nothing but the log's public key.

    Args:
        data: the file's bytes.
        key: the log's public key, as a C2SP vkey.
        person: whose it must be; None: whosever it is.

    Returns:
        What was signed, and what the record lacks.

    Raises:
        RecordMalformed, ReceiptForged, ReceiptReplayed, CheckpointInvalid, ProofInvalid: it is
            not to be relied on; says why.
    """
    return check_receipt(data, LedgerChecker(key), person=person)


def check(data: bytes, key: str, person: PersonId | None = None) -> VerifiedEntry:
    """Check an offline proof with nothing but the log's public key.

    Args:
        data: the file's bytes.
        key: the log's public key, as a C2SP vkey.
        person: whom its entry must be about, among others; None: whomever it is about.

    Raises:
        CheckpointInvalid, ProofInvalid: it proves nothing; says why.
        ReceiptReplayed: it is genuine, and about somebody else or about nobody.
    """
    verified = proof.check(data, key)
    subjects = verified.entry.draft.subjects
    if person is not None and person not in subjects:
        raise ReceiptReplayed(
            expected="the proof of an entry about this person",
            found="one about somebody else" if subjects else "one about nobody",
            remedy="Ask the controller for your own. The proof of an erasure names nobody: the "
            "certificate that came with it says whose it is.",
        )
    return verified
