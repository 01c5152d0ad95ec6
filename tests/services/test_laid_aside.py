"""Ledgers that were laid aside with a lost key: erased in, verified, and vouched for."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sayso.domain.grant import Purpose
from sayso.domain.person import PersonId
from sayso.errors import CheckpointInvalid, ErasureIncomplete, LedgerTampered
from sayso.ledger.checkpoint import VerifierKey
from sayso.ledger.verification import verify
from sayso.store.keystore import KeyStore, Pending
from sayso.wiring import Workspace, open_workspace, renew_key, restore_workspace

from .office import ADA_NAME, ALL, BEN_NAME, environment, lived_in, office, opened

OLD = "ledger-1"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two people that was backed up, and whose key was then lost and renewed."""
    home = tmp_path_factory.mktemp("renewed")
    lived_in(home / "workspace").close()
    workspace = opened(home / "workspace")
    workspace.backup(home / "backup")
    workspace.close()
    (home / "workspace" / "workspace.key").unlink()
    renew_key(home / "workspace", environment(home / "workspace"))
    return home


@pytest.fixture
def home(first: Path, tmp_path: Path) -> Path:
    shutil.copytree(first, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    one = opened(home / "workspace")
    yield one
    one.close()


def person(workspace: Workspace, name: str = ADA_NAME) -> PersonId:
    with workspace.repository.reading() as unit:
        return unit.people.get(name).id


def evidence(workspace: Workspace, who: PersonId) -> bytes:
    with workspace.repository.reading() as unit:
        given = next(event.evidence for event in unit.people.consents(who).events if event.evidence)
    return given.sha256.encode()


def holding(folder: Path, *patterns: bytes) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(pattern in path.read_bytes() for pattern in patterns)
    }


def test_an_erasure_reaches_the_ledger_that_was_laid_aside(workspace: Workspace) -> None:
    ada = person(workspace)
    patterns = ada.encode(), evidence(workspace, ada)
    assert f"{OLD}/contents" in holding(workspace.folder, *patterns)
    done = workspace.rights.erase(ADA_NAME)
    assert done.certificate["read_back"]["found"] == 0
    assert holding(workspace.folder, *patterns, ADA_NAME.encode()) == set()
    ben = person(workspace, BEN_NAME)  # whose entries stay
    assert f"{OLD}/contents" in holding(workspace.folder, ben.encode())
    assert workspace.audit.verify().erased == 0  # nothing of her was in the new ledger
    [(name, verified)] = workspace.audit.verify_earlier()
    first = next(iter(workspace.audit.entries())).draft.details
    assert (name, verified.head.size) == (OLD, first["previous_size"])
    assert verified.erased > 2


def test_a_person_is_told_of_what_was_entered_before_the_key_was_lost(workspace: Workspace) -> None:
    told = workspace.audit.told(person(workspace))
    assert {entry["ledger"] for entry in told} == {OLD}
    assert {"consent", "enrolment", "review"} <= {entry["action"] for entry in told}
    workspace.people()
    assert workspace.audit.told(person(workspace))[len(told) :] == [
        {**workspace.audit.told(person(workspace))[-1], "ledger": "ledger", "action": "disclosure"}
    ]


def test_what_no_later_ledger_vouches_for_is_tampering(workspace: Workspace) -> None:
    """The old ledger by itself, whose key is lost, cannot tell an erasure from a removal."""
    workspace.rights.erase(ADA_NAME)
    old = workspace.folder / OLD
    key = VerifierKey.parse((old / "ledger_public_key").read_text("utf-8").strip())
    with pytest.raises(LedgerTampered, match="by no erasure entry"):
        verify(old, key)


def erase_elsewhere(home: Path) -> bytes:
    """The old ledger's contents after another erasure, of which this workspace knows nothing."""
    shutil.copytree(home / "workspace", home / "elsewhere")
    other = opened(home / "elsewhere")
    other.rights.erase(BEN_NAME)
    other.close()
    return (home / "elsewhere" / OLD / "contents").read_bytes()


def test_a_removal_with_the_form_of_an_erasure_is_found(home: Path, workspace: Workspace) -> None:
    workspace.audit.verify_earlier()
    (workspace.folder / OLD / "contents").write_bytes(erase_elsewhere(home))
    workspace.audit.verify()
    with pytest.raises(LedgerTampered, match="by no erasure entry") as caught:
        workspace.audit.verify_earlier()
    assert caught.value.where.startswith(f"{OLD}/contents, entry ")


def test_an_erased_content_that_is_put_back_is_found(workspace: Workspace) -> None:
    contents = workspace.folder / OLD / "contents"
    before = contents.read_bytes()
    workspace.rights.erase(ADA_NAME)
    contents.write_bytes(before)
    for _ in range(2):
        with pytest.raises(LedgerTampered, match="erased, as recorded"):
            workspace.audit.verify_earlier()
        (workspace.folder / OLD / "erasing").write_text("1\n")  # nor is it excused by a plant


def test_every_kind_of_damage_to_it_is_found(workspace: Workspace) -> None:
    workspace.rights.erase(ADA_NAME)
    old = workspace.folder / OLD
    for name in ("contents", "tree"):
        whole = (old / name).read_bytes()
        for place in range(0, len(whole), len(whole) // 23):  # every byte: tests/ledger
            changed = bytearray(whole)
            changed[place] ^= 1
            (old / name).write_bytes(changed)
            with pytest.raises(LedgerTampered):
                workspace.audit.verify_earlier()
        (old / name).write_bytes(whole)
    workspace.audit.verify_earlier()


def test_one_that_was_removed_or_exchanged_is_found(home: Path, workspace: Workspace) -> None:
    (workspace.folder / OLD).rename(home / "taken")
    workspace.audit.verify()
    with pytest.raises(LedgerTampered, match="that was laid aside"):
        workspace.audit.verify_earlier()
    office(home / "another").close()
    shutil.copytree(home / "another" / "ledger", workspace.folder / OLD)
    with closing(opened(home / "another")) as another:
        public = another.audit.public_key
    (workspace.folder / OLD / "ledger_public_key").write_text(public)
    with pytest.raises(LedgerTampered, match="that was laid aside"):
        workspace.audit.verify_earlier()


def test_one_that_was_taken_away_is_named_by_a_certificate_of_erasure(
    home: Path, workspace: Workspace
) -> None:
    whole = workspace.rights.erase(ADA_NAME).certificate["to_do"]
    (workspace.folder / OLD).rename(home / "taken")
    (workspace.folder / OLD).symlink_to(home / "taken")  # no link is followed
    to_do = workspace.rights.erase(BEN_NAME).certificate["to_do"]
    assert [one["what"] for one in to_do if "laid aside" in one["what"]]
    assert not [one["what"] for one in whole if "laid aside" in one["what"]]


def test_its_old_checkpoints_still_count(workspace: Workspace) -> None:
    note = max((workspace.folder / OLD).glob("checkpoint.*"), key=_size).read_bytes()
    workspace.audit.verify([note])
    assert len(workspace.audit.verify_earlier([note])) == 1
    with pytest.raises(CheckpointInvalid):
        workspace.audit.verify([note.replace(b"\n", b"\n1", 1)])


def _size(slot: Path) -> int:
    return int(slot.read_text("utf-8").split("\n")[1])


def test_an_erasure_that_was_under_way_when_the_key_was_lost_is_finished(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    world = lived_in(folder)
    with world.repository.reading() as unit:
        ada = unit.people.get(ADA_NAME).id
    store = KeyStore(folder / "keys.sqlite")
    begun = datetime(2026, 6, 1, tzinfo=UTC).isoformat()
    store.begin_erasure(Pending("of a lost key", ada, b"sealed with a lost key", begun))
    store.close()
    world.close()
    (folder / "workspace.key").unlink()
    renew_key(folder, environment(folder))
    one = opened(folder)
    assert any(ada in note for note in one.notes)
    assert [listed.person.name for listed in one.people()] == [BEN_NAME]
    assert holding(folder, ada.encode(), ADA_NAME.encode()) == set()
    assert len(one.audit.verify_earlier()) == 1
    one.close()
    again = opened(folder)
    assert again.notes == ()
    again.close()


def test_one_too_damaged_to_be_read_keeps_nothing_of_an_erased_person(workspace: Workspace) -> None:
    ada, ben = person(workspace), person(workspace, BEN_NAME)
    for slot in (workspace.folder / OLD).glob("checkpoint.*"):
        slot.write_bytes(b"")
    workspace.rights.erase(ADA_NAME)
    assert holding(workspace.folder, ada.encode()) == set()
    assert f"{OLD}/contents" in holding(workspace.folder, ben.encode())


def test_the_end_of_a_torn_append_keeps_nothing_of_an_erased_person(workspace: Workspace) -> None:
    ada = person(workspace)
    with (workspace.folder / OLD / "contents").open("ab") as stream:
        stream.write(b"SLK\0" + bytes(44) + f'"subjects":["{ada}"],"targ'.encode())
    workspace.rights.erase(ADA_NAME)
    assert holding(workspace.folder, ada.encode()) == set()
    workspace.audit.verify_earlier()


def test_ledgers_of_several_lost_keys_are_all_erased_in(home: Path) -> None:
    folder = home / "workspace"
    again = office(folder)
    again.enrol("Late Comer", 3, ALL)
    again.close()
    with closing(opened(folder)) as one:
        one.rights.erase(BEN_NAME)  # vouched for by a ledger that is then laid aside itself
    (folder / "workspace.key").unlink()
    renew_key(folder, environment(folder))
    with closing(opened(folder)) as one:
        ids = [listed.person.id for listed in one.people()]
        for each in ids:
            one.rights.erase(each)
        assert holding(folder, *(each.encode() for each in ids)) == set()
        one.audit.verify()
        chain = one.audit.verify_earlier()
        assert [name for name, _ in chain] == ["ledger-2", OLD]
        assert all(verified.erased for _, verified in chain)


def test_a_backup_made_before_the_key_was_lost_brings_nobody_back(home: Path) -> None:
    folder = home / "workspace"
    with closing(opened(folder)) as one:
        ada = person(one)
        one.rights.erase(ADA_NAME)
    done = restore_workspace(home / "backup", folder, environment(folder), yes=True)
    assert done.erased == 1
    assert holding(folder, ada.encode(), ADA_NAME.encode()) == set()
    with closing(opened(folder)) as one:
        assert [listed.person.name for listed in one.people()] == [BEN_NAME]
        assert one.audit.verify().head.size > 1
        assert len(one.audit.verify_earlier()) == 1
    (folder / "workspace.key").unlink()  # the restored database knows whose ledger it has now
    renew_key(folder, environment(folder))
    with closing(opened(folder)) as one:
        assert len(one.audit.verify_earlier()) == 2


def test_what_was_refused_before_the_key_was_lost_is_not_undone_by_a_backup(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "workspace"
    lived_in(folder).close()
    with closing(opened(folder)) as one:
        one.backup(tmp_path / "backup")
        ada = person(one)
        one.rights.erase(ADA_NAME)
        one.rights.withdraw(BEN_NAME, Purpose.PUBLISH)
    for _ in range(2):  # a second lost key takes nothing of that away
        (folder / "workspace.key").unlink()
        renew_key(folder, environment(folder))
    done = restore_workspace(tmp_path / "backup", folder, environment(folder), yes=True)
    assert (done.erased, done.refused) == (1, 1)
    assert holding(folder, ada.encode(), ADA_NAME.encode()) == set()
    with closing(opened(folder)) as one:
        [ben] = one.people()
        assert ben.person.name == BEN_NAME
        assert "publish:website" not in ben.grants
        assert "find" in ben.grants
        assert len(one.audit.verify_earlier()) == 2
    again = restore_workspace(tmp_path / "backup", folder, environment(folder), yes=True)
    assert (again.erased, again.refused) == (1, 1)


def test_an_erasure_still_to_be_read_back_stays_so_over_a_restore(home: Path) -> None:
    folder = home / "workspace"
    (folder / "note.txt").write_text(ADA_NAME, "utf-8")
    with closing(opened(folder)) as one, pytest.raises(ErasureIncomplete):
        one.rights.erase(ADA_NAME)
    restore_workspace(home / "backup", folder, environment(folder), yes=True)
    with pytest.raises(ErasureIncomplete):
        opened(folder)
    (folder / "note.txt").unlink()
    with closing(opened(folder)) as one:
        assert [listed.person.name for listed in one.people()] == [BEN_NAME]
        assert len(one.notes) == 1


def test_a_backup_has_the_ledgers_that_were_laid_aside(home: Path) -> None:
    folder = home / "workspace"
    with closing(opened(folder)) as one:
        ben = person(one, BEN_NAME)
        one.backup(home / "second")
        one.rights.erase(BEN_NAME)
        one.write_refusals(home / "refusals")
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(folder / "workspace.key", elsewhere)
    restore_workspace(
        home / "second", elsewhere, environment(elsewhere), refusals=home / "refusals"
    )
    assert holding(elsewhere, ben.encode()) == set()
    with closing(opened(elsewhere)) as one:
        one.audit.verify()
        [(_, verified)] = one.audit.verify_earlier()
        assert verified.erased > 0


def test_a_copy_of_the_last_checkpoint_goes_on_with_the_new_ledger(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    lived_in(folder).close()
    settings = {**environment(folder), "SAYSO_CHECKPOINT_COPY": str(tmp_path / "copy")}
    with closing(open_workspace(folder, settings)) as one:
        (tmp_path / "copy").write_bytes(one.audit.checkpoint())
        one.people()
    (folder / "workspace.key").unlink()
    renew_key(folder, settings)
    with closing(open_workspace(folder, settings)) as one:
        old = (tmp_path / "copy").read_bytes()
        one.audit.verify()
        one.audit.verify_earlier()
        one.people()
        assert (tmp_path / "copy").read_bytes() == one.audit.checkpoint() != old
