"""Every error that Sayso raises on purpose, in one tree.

Each class has a stable ``code`` that other programs may rely on, and each error says what was
expected, what was found and what to do next::

    SaysoError
    ├── ConsentError
    │   ├── Denied                    (the code is the policy's reason)
    │   ├── UnlistedTransition        consent_transition_unlisted
    │   ├── GrantUnknown              grant_unknown
    │   ├── EvidenceRequired          evidence_required
    │   ├── EvidenceWithdrawn         evidence_withdrawn
    │   ├── GuardianRequired          guardian_required
    │   ├── ConsentMalformed          consent_malformed
    │   └── NoticeStale               notice_stale
    ├── PersonError
    │   ├── PersonUnknown             person_unknown
    │   └── PersonAmbiguous           person_ambiguous
    ├── CollectionError
    │   ├── CollectionUnknown         collection_unknown
    │   ├── CollectionExists          collection_exists
    │   ├── CollectionMalformed       collection_malformed
    │   ├── BasisRequired             basis_required
    │   ├── FolderMissing             folder_missing
    │   ├── NothingScanned            nothing_scanned
    │   └── DatasetRefused            dataset_refused
    ├── PhotographError
    │   ├── PhotographUnknown         photograph_unknown
    │   ├── PhotographVanished        photograph_vanished
    │   ├── PhotographUnreadable      photograph_unreadable
    │   ├── NotAPhotograph            not_a_photograph
    │   ├── PhotographTruncated       photograph_truncated
    │   ├── PhotographTooLarge        photograph_too_large
    │   └── CoverFailed               cover_failed
    ├── FaceError
    │   ├── FaceUnknown               face_unknown
    │   ├── NoFace                    no_face
    │   ├── SeveralFaces              several_faces
    │   ├── FaceTooSmall              face_too_small
    │   ├── FaceTooBlurred            face_too_blurred
    │   ├── FaceTurnedAway            face_turned_away
    │   ├── FaceBadlyLit              face_badly_lit
    │   ├── FaceHidden                face_hidden
    │   ├── ReferenceDisagrees        reference_disagrees
    │   └── ReferenceOfAnother        reference_of_another
    ├── WorkspaceError
    │   ├── WorkspaceMissing          workspace_missing
    │   ├── WorkspaceExists           workspace_exists
    │   ├── WorkspaceNewer            workspace_newer
    │   ├── WorkspaceBusy             workspace_busy
    │   ├── WorkspaceReadOnly         workspace_read_only
    │   ├── KeyMissing                key_missing
    │   ├── KeyExposed                key_exposed
    │   ├── KeyStoreMissing           key_store_missing
    │   ├── BackupForeign             backup_foreign
    │   ├── DiskFull                  disk_full
    │   ├── DeviceMissing             device_missing
    │   ├── LedgerBusy                ledger_busy
    │   ├── LedgerUnwritable          ledger_unwritable
    │   ├── ClockBackwards            clock_backwards
    │   └── OutputRefused             output_refused
    ├── InputError
    │   ├── SettingMalformed          setting_malformed
    │   ├── TableMalformed            table_malformed
    │   ├── EntryForbidden            entry_forbidden
    │   ├── EntryUnknown              entry_unknown
    │   ├── FileMissing               file_missing
    │   ├── ListMalformed             list_malformed
    │   ├── TakedownUnknown           takedown_unknown
    │   ├── ObjectionUnknown          objection_unknown
    │   ├── RecordMalformed           record_malformed
    │   ├── NoticeMalformed           notice_malformed
    │   ├── ManifestMalformed         manifest_malformed
    │   ├── ModelUnfit                model_unfit
    │   ├── ModelUnknown              model_unknown
    │   ├── ModelExists               model_exists
    │   ├── ModelInUse                model_in_use
    │   ├── ModelChanged              model_changed
    │   ├── CalibrationRequired       calibration_required
    │   └── NotConfirmed              not_confirmed
    └── IntegrityError                (exit status 3)
        ├── KeyWrong                  key_wrong
        ├── SealBroken                seal_broken
        ├── WorkspaceDamaged          workspace_damaged
        ├── BackupDamaged             backup_damaged
        ├── ErasureIncomplete         erasure_incomplete
        ├── ModelMissing              model_missing
        ├── ModelAltered              model_altered
        ├── ReceiptForged             receipt_forged
        ├── ReceiptReplayed           receipt_replayed
        └── LedgerError
            ├── LedgerNewer           ledger_newer
            ├── LedgerTampered        ledger_tampered
            ├── LedgerForked          ledger_forked
            ├── CheckpointInvalid     checkpoint_invalid
            └── ProofInvalid          proof_invalid
"""

from typing import ClassVar


class SaysoError(Exception):
    """Root of the tree.

    Args:
        expected: what would have been right, as a noun phrase.
        found: what was there instead, as a noun phrase; never a secret, never features.
        remedy: what to do next, as a full sentence.
    """

    code: ClassVar[str] = "sayso"
    exit_status: ClassVar[int] = 1

    def __init__(self, *, expected: str, found: str, remedy: str) -> None:
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(self.reason)

    @property
    def reason(self) -> str:
        """One sentence of what was expected and found, and one of what to do."""
        return f"Expected {self.expected}, found {self.found}. {self.remedy}"

    @property
    def reason_code(self) -> str:
        """The stable code of this error; for `Denied`, the policy's reason."""
        return self.code


class ConsentError(SaysoError):
    """Something that the rules of consent do not allow."""

    code = "consent"


class Denied(ConsentError):
    """The policy refused. ``reason_code`` is the policy's reason code."""

    code = "denied"

    def __init__(self, reason_code: str, *, expected: str, found: str, remedy: str) -> None:
        self._reason_code = reason_code
        super().__init__(expected=expected, found=found, remedy=remedy)

    @property
    def reason_code(self) -> str:
        """The policy's reason."""
        return self._reason_code


class UnlistedTransition(ConsentError):
    """A consent event that its record's state does not allow."""

    code = "consent_transition_unlisted"


class GrantUnknown(ConsentError):
    """A grant that is not of the form ``purpose[:audience or channel]``."""

    code = "grant_unknown"


class EvidenceRequired(ConsentError):
    """``recognise`` was granted without the person's own act."""

    code = "evidence_required"


class EvidenceWithdrawn(ConsentError):
    """A form was offered as a new yes after the yes that it recorded was taken back."""

    code = "evidence_withdrawn"


class GuardianRequired(ConsentError):
    """A minor's consent without a guardian."""

    code = "guardian_required"


class ConsentMalformed(ConsentError):
    """A consent event whose parts contradict each other."""

    code = "consent_malformed"


class NoticeStale(ConsentError):
    """A new yes that rests on a notice which is not the current one."""

    code = "notice_stale"


class PersonError(SaysoError):
    """Something about a person."""

    code = "person"


class PersonUnknown(PersonError):
    """No person has this id or name."""

    code = "person_unknown"


class PersonAmbiguous(PersonError):
    """Several people have this name."""

    code = "person_ambiguous"


class CollectionError(SaysoError):
    """Something about a collection."""

    code = "collection"


class CollectionUnknown(CollectionError):
    """No collection has this name."""

    code = "collection_unknown"


class CollectionExists(CollectionError):
    """A collection of this name is already declared."""

    code = "collection_exists"


class CollectionMalformed(CollectionError):
    """A collection that says nothing of its purpose, or keeps for less than a day."""

    code = "collection_malformed"


class BasisRequired(CollectionError):
    """Recognition mode ``group`` without a written basis."""

    code = "basis_required"


class FolderMissing(CollectionError):
    """The folder of a collection is not there."""

    code = "folder_missing"


class NothingScanned(CollectionError):
    """A collection in which no photograph was ever scanned has nothing to publish."""

    code = "nothing_scanned"


class DatasetRefused(CollectionError):
    """Labelled photographs for measuring that are a collection's, whose people were not asked."""

    code = "dataset_refused"


class PhotographError(SaysoError):
    """Something about one photograph; a scan reports it and goes on."""

    code = "photograph"


class PhotographUnknown(PhotographError):
    """No scanned photograph has this path or id."""

    code = "photograph_unknown"


class PhotographVanished(PhotographError):
    """The file was there when the folder was listed and is not now."""

    code = "photograph_vanished"


class PhotographUnreadable(PhotographError):
    """The file is there but may not be read."""

    code = "photograph_unreadable"


class NotAPhotograph(PhotographError):
    """The bytes are not of a format that Sayso decodes."""

    code = "not_a_photograph"


class PhotographTruncated(PhotographError):
    """The bytes begin as a photograph and end too early or break off inside."""

    code = "photograph_truncated"


class PhotographTooLarge(PhotographError):
    """More bytes or pixels than the limits allow."""

    code = "photograph_too_large"


class CoverFailed(PhotographError):
    """A covered copy still showed a face without a yes; it was not written."""

    code = "cover_failed"


class FaceError(SaysoError):
    """Something about a face."""

    code = "face"


class FaceUnknown(FaceError):
    """No face of this photograph has this id or lies at this box."""

    code = "face_unknown"


class NoFace(FaceError):
    """An enrolment image without a face."""

    code = "no_face"


class SeveralFaces(FaceError):
    """An enrolment image in which it is not plain whose face is meant."""

    code = "several_faces"


class FaceTooSmall(FaceError):
    """An enrolment face of too few pixels."""

    code = "face_too_small"


class FaceTooBlurred(FaceError):
    """An enrolment face that is out of focus or moved."""

    code = "face_too_blurred"


class FaceTurnedAway(FaceError):
    """An enrolment face that is seen from the side."""

    code = "face_turned_away"


class FaceBadlyLit(FaceError):
    """An enrolment face that is too dark, burnt out or without contrast."""

    code = "face_badly_lit"


class FaceHidden(FaceError):
    """An enrolment face of which too much is covered."""

    code = "face_hidden"


class ReferenceDisagrees(FaceError):
    """An enrolment face that is not like the person's other references."""

    code = "reference_disagrees"


class ReferenceOfAnother(FaceError):
    """An enrolment face that is more like somebody else who is enrolled."""

    code = "reference_of_another"


class WorkspaceError(SaysoError):
    """Something about the workspace or the disk."""

    code = "workspace"


class WorkspaceMissing(WorkspaceError):
    """The folder holds no workspace."""

    code = "workspace_missing"


class WorkspaceExists(WorkspaceError):
    """The folder already holds a workspace."""

    code = "workspace_exists"


class WorkspaceNewer(WorkspaceError):
    """The workspace was written by a newer Sayso."""

    code = "workspace_newer"


class WorkspaceBusy(WorkspaceError):
    """Another process holds the workspace for writing."""

    code = "workspace_busy"


class WorkspaceReadOnly(WorkspaceError):
    """The workspace may not be written."""

    code = "workspace_read_only"


class KeyMissing(WorkspaceError):
    """The workspace key is not where it should be."""

    code = "key_missing"


class KeyExposed(WorkspaceError):
    """The key file may be read by others."""

    code = "key_exposed"


class KeyStoreMissing(WorkspaceError):
    """The file of data keys is not beside the database."""

    code = "key_store_missing"


class BackupForeign(WorkspaceError):
    """The backup is another workspace's."""

    code = "backup_foreign"


class DiskFull(WorkspaceError):
    """No room left; nothing half-written remains."""

    code = "disk_full"


class DeviceMissing(WorkspaceError):
    """The networks are to run on a device that is not there, or that does not start."""

    code = "device_missing"


class LedgerBusy(WorkspaceError):
    """Another process holds the ledger for writing."""

    code = "ledger_busy"


class LedgerUnwritable(WorkspaceError):
    """The disk refused a ledger write for another reason than room."""

    code = "ledger_unwritable"


class ClockBackwards(WorkspaceError):
    """The clock reads earlier than the ledger's last entry."""

    code = "clock_backwards"


class OutputRefused(WorkspaceError):
    """The output folder may not be written, or is not a place for copies."""

    code = "output_refused"


class InputError(SaysoError):
    """Something about what the caller passed in."""

    code = "input"


class SettingMalformed(InputError):
    """A setting or option whose value cannot be understood."""

    code = "setting_malformed"


class TableMalformed(InputError):
    """A CSV file or a row of it that cannot be understood."""

    code = "table_malformed"


class EntryForbidden(InputError):
    """A ledger entry that holds, or could hold, what must never be in one."""

    code = "entry_forbidden"


class EntryUnknown(InputError):
    """No ledger entry has this sequence number, or its content was erased."""

    code = "entry_unknown"


class FileMissing(InputError):
    """A file that was named on the command line or in a table cannot be read."""

    code = "file_missing"


class ListMalformed(InputError):
    """A list of erasures and refusals that cannot be understood."""

    code = "list_malformed"


class TakedownUnknown(InputError):
    """No place on the take-down list has this number."""

    code = "takedown_unknown"


class ObjectionUnknown(InputError):
    """No objection has this number."""

    code = "objection_unknown"


class ManifestMalformed(InputError):
    """A model's manifest that cannot be read, or that says what cannot be."""

    code = "manifest_malformed"


class ModelUnfit(InputError):
    """A model's file that does not compute features of aligned faces, or not what it claims."""

    code = "model_unfit"


class ModelUnknown(InputError):
    """No model of this workspace has this name."""

    code = "model_unknown"


class ModelExists(InputError):
    """A model of this name, or this very model, is there already."""

    code = "model_exists"


class ModelInUse(InputError):
    """A model that people are compared with, or a change of models that is not over."""

    code = "model_in_use"


class ModelChanged(InputError):
    """Another process changed the workspace's model meanwhile."""

    code = "model_changed"


class CalibrationRequired(InputError):
    """A model of whose errors nothing is known: no threshold could be set."""

    code = "calibration_required"


class NotConfirmed(InputError):
    """A verb that destroys, without a yes."""

    code = "not_confirmed"


class RecordMalformed(InputError):
    """A consent record or receipt in which a field is missing or wrong."""

    code = "record_malformed"


class NoticeMalformed(InputError):
    """A notice without words, or under another version or language than it was kept under."""

    code = "notice_malformed"


class IntegrityError(SaysoError):
    """Something is not what it was when it was written. Exit status 3."""

    code = "integrity"
    exit_status = 3


class KeyWrong(IntegrityError):
    """The key does not open this workspace."""

    code = "key_wrong"


class SealBroken(IntegrityError):
    """A sealed row does not open: it was changed, moved or sealed with another key."""

    code = "seal_broken"


class WorkspaceDamaged(IntegrityError):
    """The database is not one, or fails its own check."""

    code = "workspace_damaged"


class BackupDamaged(IntegrityError):
    """The backup is not one, or is not what it was when it was written."""

    code = "backup_damaged"


class ErasureIncomplete(IntegrityError):
    """Something of an erased person was still found on the disk."""

    code = "erasure_incomplete"


class ModelMissing(IntegrityError):
    """A model's file is not there."""

    code = "model_missing"


class ModelAltered(IntegrityError):
    """A model's file does not have the expected SHA-256."""

    code = "model_altered"


class ReceiptForged(IntegrityError):
    """A receipt that the log's key did not sign, or that was changed since."""

    code = "receipt_forged"


class ReceiptReplayed(IntegrityError):
    """A genuine receipt, shown for what it is not of: another person, entry or time."""

    code = "receipt_replayed"


class LedgerError(IntegrityError):
    """The ledger, or something that claims to come from one, is not as it was written."""

    code = "ledger"


class LedgerTampered(LedgerError):
    """The ledger's files are not what was written and signed.

    Args:
        expected: as for every `SaysoError`.
        found: as for every `SaysoError`.
        remedy: as for every `SaysoError`.
        where: the file, and the entry where one can be named, for example ``contents, entry 17``.
    """

    code = "ledger_tampered"

    def __init__(self, *, expected: str, found: str, remedy: str, where: str = "") -> None:
        self.where = where
        place = f" in {where}" if where else ""
        super().__init__(expected=f"{expected}{place}", found=found, remedy=remedy)


class LedgerForked(LedgerError):
    """The ledger does not continue the history that a checkpoint signed."""

    code = "ledger_forked"


class LedgerNewer(LedgerError):
    """The ledger that is there does not continue a backup's: it is not put in its place."""

    code = "ledger_newer"


class CheckpointInvalid(LedgerError):
    """A checkpoint, a signed note or a key that is malformed or not signed by the trusted key."""

    code = "checkpoint_invalid"


class ProofInvalid(LedgerError):
    """A proof that is malformed or does not prove what it claims."""

    code = "proof_invalid"
