import json
import shutil
import zipfile
from pathlib import Path

import pytest

from sayso.domain.face import FaceId
from sayso.domain.grant import Purpose
from sayso.domain.objection import Wish
from sayso.domain.screening import Verdict
from sayso.domain.sighting import Link
from sayso.errors import (
    BackupDamaged,
    BackupForeign,
    KeyMissing,
    ListMalformed,
    NotConfirmed,
    OutputRefused,
    WorkspaceBusy,
    WorkspaceNewer,
)
from sayso.services.judge import Judge
from sayso.services.objections import Object
from sayso.services.refusals import standing, write_list
from sayso.services.restore import Restored
from sayso.wiring import restore_workspace

from .drawing import ADA, BEN, Head, picture, vector
from .office import ADA_NAME, BEN_NAME, environment, lived_in, office, opened
from .world import WEBSITE, World


def backed_up(world: World, name: str = "backup") -> Path:
    workspace = opened(world.folder)
    out = world.folder.parent / name
    workspace.backup(out)
    workspace.close()
    return out


def restored(backup: Path, folder: Path, **options: object) -> Restored:
    return restore_workspace(backup, folder, environment(folder), **options)  # type: ignore[arg-type] # a test's options


def names(folder: Path) -> set[str]:
    workspace = opened(folder)
    found = {one.person.name for one in workspace.people()}
    workspace.close()
    return found


def contents(backup: Path) -> bytes:
    with zipfile.ZipFile(backup) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def test_a_backup_holds_templates_only_sealed_and_no_key_at_all(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    with world.repository.reading() as unit:
        person = unit.people.get(ADA_NAME).id
    wrapped = world.database.keys.wrapped(person)
    held = contents(backed_up(world))
    [sealed] = [row[3] for row in world.rows()["templates"] if row[1] == person]
    assert isinstance(sealed, bytes)
    assert sealed in held
    assert wrapped is not None
    assert wrapped not in held
    assert vector(ADA).tobytes()[:24] not in held
    assert (world.folder / "workspace.key").read_bytes().strip() not in held
    world.close()


def test_a_restored_workspace_serves_what_was_there(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    world.enrol("Late Comer", 3, "find")
    world.close()
    done = restored(backup, world.folder, yes=True)
    assert (done.erased, done.refused, done.closed) == (0, 0, ())
    assert names(world.folder) == {ADA_NAME, BEN_NAME}
    again = office(world.folder, world.sources)
    assert again.identify(picture(Head(ADA)))[0].person is not None
    again.close()


def test_who_was_erased_since_does_not_come_back(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    with world.repository.reading() as unit:
        person = unit.people.get(ADA_NAME).id
    [sealed] = [row[3] for row in world.rows()["templates"] if row[1] == person]
    assert isinstance(sealed, bytes)
    backup = backed_up(world)
    world.rights.erase(ADA_NAME)
    world.close()
    done = restored(backup, world.folder, yes=True)
    assert (done.erased, done.closed) == (1, ())
    assert names(world.folder) == {BEN_NAME}
    again = office(world.folder, world.sources)
    for trace in (ADA_NAME.encode(), ADA_NAME.casefold().encode(), person.encode(), sealed):
        assert trace not in again.on_disk()
    assert again.identify(picture(Head(BEN)))[0].person is not None
    again.close()


def test_withdrawals_and_objections_since_hold_after_a_restore(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    world.clock.forward(days=1)
    world.rights.withdraw(BEN_NAME, Purpose.PUBLISH)
    Object(world.repository, world.book, world.clock).add("a.png", None, Wish.REMOVE)
    world.close()
    done = restored(backup, world.folder, yes=True, clock=world.clock)
    assert done.refused == 2
    again = office(world.folder, world.sources)
    again.clock.forward(days=1)
    by_path = dict(again.screen("club", WEBSITE).files())
    assert by_path["a.png"].verdict is Verdict.WITHHOLD
    assert by_path["c.png"].verdict is Verdict.COVER
    again.close()
    assert restored(backup, world.folder, yes=True, clock=world.clock).refused == 2


def test_what_humans_said_since_holds_after_a_restore(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    source = world.sources["photographs-club"]
    source.put("later.png", picture(Head(ADA), number=9))
    face, other = world.face("a.png"), world.face("c.png")
    world.judge.mark("c.png", other, BEN_NAME)
    backup = backed_up(world)
    world.judge.reject("a.png", face, ADA_NAME)
    world.judge.take_back("c.png", other, BEN_NAME)
    world.scan("club")
    world.judge.reject("later.png", world.face("later.png"), ADA_NAME)
    world.close()
    done = restored(backup, world.folder, yes=True)
    assert (done.said, done.lost) == (2, 1)
    again = office(world.folder, world.sources)
    links = again.links()
    assert Link.REJECTED in {one.link for one in links[FaceId(face)]}
    assert Link.MARKED not in {one.link for found in links.values() for one in found}
    assert dict(again.screen("club", WEBSITE).files())["a.png"].verdict is Verdict.COVER
    again.close()
    assert restored(backup, world.folder, yes=True).said == 2


def test_where_two_must_agree_a_word_that_covers_holds_after_a_restore_and_one_that_shows_waits(
    tmp_path: Path,
) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    world.judge.reject("a.png", world.face("a.png"), ADA_NAME)
    world.judge.mark("c.png", world.face("c.png"), ADA_NAME)
    world.close()
    (world.folder / "sayso.toml").write_text("review_operators = 2\n")
    assert restored(backup, world.folder, yes=True).said == 2
    again = office(world.folder, world.sources)
    files = dict(again.screen("club", WEBSITE).files())
    assert files["a.png"].verdict is Verdict.COVER
    links = again.links()
    assert Link.MARKED not in {one.link for one in links[FaceId(again.face("c.png"))]}
    assert again.count("answers") == 2
    again.close()


def test_where_two_must_agree_what_they_said_counts_the_same_after_a_restore(
    tmp_path: Path,
) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    second = world.beside(operator="bob")
    mine, other = (Judge(one.book, one.clock, one.standard, 2) for one in (world, second))
    assert not mine.take_back("a.png", world.face("a.png"), ADA_NAME).holds
    told = [judge.mark("c.png", world.face("c.png"), ADA_NAME).holds for judge in (mine, other)]
    assert told == [False, True]
    before = world.links(), world.rows()["answers"]
    second.close()
    world.close()
    (world.folder / "sayso.toml").write_text("review_operators = 2\n")
    assert restored(backup, world.folder, yes=True).said == 3
    again = office(world.folder, world.sources)
    assert (again.links(), again.count("answers")) == (before[0], len(before[1]))
    assert dict(again.screen("club", WEBSITE).files())["a.png"].verdict is Verdict.COVER
    again.close()


def test_without_data_keys_templates_stay_closed_and_that_is_said(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(world.folder / "workspace.key", elsewhere)
    world.close()
    done = restored(backup, elsewhere)
    assert len(done.closed) == 2
    again = office(elsewhere, world.sources)
    assert again.count("templates") == again.count("sightings") == 0
    assert again.identify(picture(Head(ADA)))[0].person is None
    again.close()
    assert names(elsewhere) == {ADA_NAME, BEN_NAME}


def test_a_copy_of_the_key_store_brings_templates_back_but_nobody_who_was_erased(
    tmp_path: Path,
) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    workspace = opened(world.folder)
    workspace.copy_keys(tmp_path / "keys.copy")
    workspace.close()
    done = world.rights.erase(ADA_NAME)
    assert not any("key store" in one["why"] for one in done.certificate["to_do"])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(world.folder / "workspace.key", elsewhere)
    before = (tmp_path / "keys.copy").read_bytes()
    brought = restored(backup, elsewhere, keys=tmp_path / "keys.copy")
    assert (brought.erased, brought.closed) == (1, ())
    assert (tmp_path / "keys.copy").read_bytes() == before
    again = office(elsewhere, world.sources)
    assert again.identify(picture(Head(BEN)))[0].person is not None
    assert again.identify(picture(Head(ADA)))[0].person is None
    again.close()
    world.close()


def test_a_copy_of_the_key_store_that_cannot_be_reached_is_named_in_the_certificate(
    tmp_path: Path,
) -> None:
    world = lived_in(tmp_path / "workspace")
    workspace = opened(world.folder)
    workspace.copy_keys(tmp_path / "keys.copy")
    workspace.close()
    (tmp_path / "keys.copy").unlink()
    to_do = world.rights.erase(ADA_NAME).certificate["to_do"]
    assert str(tmp_path / "keys.copy") in {one["what"] for one in to_do}
    world.close()


def test_a_list_of_erasures_holds_on_another_machine(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    world.rights.erase(ADA_NAME)
    listed = tmp_path / "refusals.json"
    listed.write_text(write_list(standing(world.repository.vault)))
    assert ADA_NAME not in listed.read_text()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(world.folder / "workspace.key", elsewhere)
    world.close()
    assert restored(backup, elsewhere, refusals=listed).erased == 1
    assert names(elsewhere) == {BEN_NAME}


def test_bad_input_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    with pytest.raises(OutputRefused):
        backed_up(world)
    world.close()
    before = world.on_disk()
    with pytest.raises(NotConfirmed):
        restored(backup, world.folder)
    with pytest.raises(KeyMissing):
        restored(backup, tmp_path / "no key")
    assert not (tmp_path / "no key" / "sayso.sqlite").exists()
    (tmp_path / "list").write_text(json.dumps({"erased": {"x": "y"}, "refused": []}))
    with pytest.raises(ListMalformed):
        restored(backup, world.folder, yes=True, refusals=tmp_path / "list")
    (tmp_path / "no zip").write_bytes(b"words")
    (tmp_path / "cut").write_bytes(backup.read_bytes()[:-200])
    for damaged in ("no zip", "cut"):
        with pytest.raises(BackupDamaged):
            restored(tmp_path / damaged, world.folder, yes=True)
    with pytest.raises(OutputRefused):
        restored(tmp_path / "nothing", world.folder, yes=True)
    assert world.on_disk() == before


def rewritten(backup: Path, target: Path, **changes: object) -> Path:
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "backup.json":
                data = json.dumps({**json.loads(data), **changes}).encode()
            elif name == "sayso.sqlite" and "files" not in changes and not changes:
                data = data[:-1] + b"x"
            new.writestr(name, data)
    return target


def test_a_newer_a_foreign_and_a_changed_backup_are_refused(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    world.close()
    newer = rewritten(backup, tmp_path / "newer", schema="9999")
    with pytest.raises(WorkspaceNewer):
        restored(newer, world.folder, yes=True)
    with pytest.raises(BackupForeign):
        restored(rewritten(backup, tmp_path / "other", workspace_id="x"), world.folder, yes=True)
    with pytest.raises(BackupDamaged):
        restored(rewritten(backup, tmp_path / "changed"), world.folder, yes=True)


def test_a_workspace_that_somebody_has_open_is_not_replaced(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    backup = backed_up(world)
    with world.repository.reading() as unit:
        assert unit.people.all()
        with pytest.raises(WorkspaceBusy):
            restored(backup, world.folder, yes=True)
    world.close()
    assert names(world.folder) == {ADA_NAME, BEN_NAME}


def test_what_a_killed_restore_leaves_is_gone_at_the_next_start(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    world.close()
    left = world.folder / ".restore-killed"
    left.mkdir()
    (left / "sayso.sqlite").write_bytes(ADA_NAME.encode())
    opened(world.folder).close()
    assert not left.exists()
