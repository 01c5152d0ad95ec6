"""What is kept and let go is in the ledger too, and the ledger outlives restores and lost keys."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from sayso.domain.objection import Wish
from sayso.errors import CheckpointInvalid, LedgerNewer, ProofInvalid, ReceiptForged
from sayso.ledger import verification
from sayso.ledger.checkpoint import VerifierKey
from sayso.services import audit
from sayso.wiring import LEDGER, Workspace, open_workspace, renew_key, restore_workspace

from .office import ADA_NAME, BEN_NAME, environment, lived_in, opened


def said(workspace: Workspace) -> list[str]:
    return [entry.draft.action.value for entry in workspace.audit.entries()]


def person(workspace: Workspace, name: str) -> str:
    return workspace.person(name).id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace that is closed."""
    world = lived_in(tmp_path / "workspace")
    world.close()
    return world.folder


def test_objections_keys_and_backups_are_entered_before_they_are_done(folder: Path) -> None:
    workspace = opened(folder)
    before = len(said(workspace))
    made = workspace.objections.add("a.png", None, Wish.REMOVE)
    workspace.objections.lift(made.objection.id)
    workspace.custody.rotate(workspace.repository, workspace.book, None)
    workspace.copy_keys(folder.parent / "keys-copy")
    workspace.backup(folder.parent / "backup")
    assert said(workspace)[before:] == ["objection", "objection", "key", "key", "backup"]
    workspace.audit.verify()
    workspace.close()
    again = opened(folder)  # the ledger's key outlives the workspace key that wrapped it
    assert again.audit.public_key == workspace.audit.public_key
    again.close()


def test_a_copy_of_the_key_store_follows_a_change_of_key(folder: Path) -> None:
    workspace = opened(folder)
    copy, gone = folder.parent / "keys-copy", folder.parent / "gone"
    workspace.copy_keys(copy)
    workspace.copy_keys(gone)
    before = copy.read_bytes()
    gone.unlink()
    done = workspace.custody.rotate(workspace.repository, workspace.book, None)
    assert copy.read_bytes() != before
    assert done.stale == (str(gone),)
    workspace.close()


def test_a_restore_keeps_the_newer_ledger_and_an_erasure_still_reaches_all_of_it(
    folder: Path,
) -> None:
    workspace = opened(folder)
    backup = folder.parent / "backup"
    workspace.backup(backup)
    workspace.find(BEN_NAME)  # an entry that the backup does not know
    ben, before = person(workspace, BEN_NAME), said(workspace)
    workspace.close()
    restore_workspace(backup, folder, environment(folder), yes=True)
    workspace = opened(folder)
    assert said(workspace) == [*before, "restore"]
    workspace.audit.verify()
    workspace.rights.erase(BEN_NAME)
    assert ben.encode() not in (folder / LEDGER / "contents").read_bytes()
    workspace.audit.verify()
    workspace.close()


def test_a_backup_goes_over_no_ledger_that_does_not_continue_it(folder: Path) -> None:
    workspace = opened(folder)
    shutil.copytree(folder / LEDGER, folder.parent / "older")
    workspace.find(BEN_NAME)
    workspace.backup(folder.parent / "backup")
    workspace.close()
    shutil.rmtree(folder / LEDGER)
    shutil.copytree(folder.parent / "older", folder / LEDGER)
    database = (folder / "sayso.sqlite").read_bytes()
    with pytest.raises(LedgerNewer):
        restore_workspace(folder.parent / "backup", folder, environment(folder), yes=True)
    assert (folder / "sayso.sqlite").read_bytes() == database


def test_a_lost_key_begins_a_new_ledger_and_the_old_one_can_still_be_verified(
    folder: Path,
) -> None:
    workspace = opened(folder)
    public = workspace.audit.public_key
    workspace.close()
    (folder / "workspace.key").unlink()
    done = renew_key(folder, environment(folder))
    assert done.old_ledger is not None
    assert (done.old_ledger / "ledger_public_key").read_text().strip() == public
    assert verification.verify(done.old_ledger, VerifierKey.parse(public), []).head.size > 0
    workspace = opened(folder)
    assert workspace.audit.public_key != public
    workspace.find(BEN_NAME)
    workspace.audit.verify()
    workspace.close()


def test_a_receipt_is_signed_proved_and_refused_when_it_was_changed(folder: Path) -> None:
    workspace = opened(folder)
    given, key = workspace.receipts(ADA_NAME), workspace.audit.public_key
    assert given.signed
    checked, _ = audit.check_consents(given.data, key)
    assert (checked.person, said(workspace)[-1]) == (person(workspace, ADA_NAME), "export")
    changed = given.data.replace(b"sayso receipt v1", b"sayso receipt v2")
    forged = given.data.replace(given.receipt["dct:identifier"].encode(), b"urn:another", 1)
    for data in (changed, forged):
        with pytest.raises((ReceiptForged, CheckpointInvalid)):
            audit.check_consents(data, key)
    erased = workspace.rights.erase(ADA_NAME)
    assert audit.check(erased.receipt, key).entry.draft.action == "erasure"
    assert audit.check_consents(given.data, key)[0] == checked
    with pytest.raises(ProofInvalid):
        audit.check(given.data, key)
    workspace.close()


def test_a_copy_goes_through_no_link_that_somebody_planted(folder: Path) -> None:
    shared = folder.parent / "shared"
    shared.mkdir()
    precious = folder.parent / "precious"
    precious.write_text("mine")
    for planted in ("checkpoint.new", ".keys.part"):
        (shared / planted).symlink_to(precious)
    settings = {**environment(folder), "SAYSO_CHECKPOINT_COPY": str(shared / "checkpoint")}
    with closing(open_workspace(folder, settings)) as workspace:
        workspace.find(BEN_NAME)
        workspace.copy_keys(shared / "keys")
        assert (shared / "checkpoint").read_bytes() == workspace.audit.checkpoint()
    assert (shared / "keys").stat().st_mode & 0o777 == 0o600
    assert precious.read_text() == "mine"
    assert not (shared / "checkpoint").is_symlink()
