import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sayso.domain.key import KeyPlace
from sayso.errors import EvidenceWithdrawn, KeyMissing, KeyStoreMissing, KeyWrong
from sayso.services.custody import report
from sayso.wiring import open_workspace, renew_key

from .drawing import ADA, Head, picture
from .office import ADA_NAME, ALL, BEN_NAME, environment, lived_in, office, opened
from .world import WEBSITE, World

PROJECT = Path(__file__).resolve().parents[2]


def recognised(folder: Path, world: World) -> bool:
    again = office(folder, world.sources)
    found = again.identify(picture(Head(ADA)))[0].person is not None
    again.close()
    return found


def test_a_new_key_opens_everything_and_the_old_one_nothing(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    sealed = [row[3] for row in world.rows()["templates"]]
    old = (world.folder / "workspace.key").read_bytes()
    workspace = opened(world.folder)
    assert workspace.custody.rotate(workspace.repository, workspace.book, None).data_keys == 2
    workspace.close()
    world.close()
    assert (world.folder / "workspace.key").read_bytes() != old
    assert not (world.folder / "workspace.key.new").exists()
    assert recognised(world.folder, world)
    after = office(world.folder, world.sources)
    assert [row[3] for row in after.rows()["templates"]] == sealed
    after.close()
    (world.folder / "workspace.key").write_bytes(old)
    with pytest.raises(KeyWrong):
        opened(world.folder)


def test_forms_of_erased_people_are_known_again_after_a_change_of_key(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    world.rights.erase(ADA_NAME)
    workspace = opened(world.folder)
    workspace.custody.rotate(workspace.repository, workspace.book, None)
    workspace.close()
    world.close()
    after = office(world.folder, world.sources)
    with pytest.raises(EvidenceWithdrawn):
        after.enrol(ADA_NAME, ADA, ALL)
    assert after.enrol(BEN_NAME, 1, ALL).unchanged
    after.close()


def test_a_program_that_still_has_the_old_key_says_so_and_loses_nothing(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    workspace = opened(world.folder)
    workspace.custody.rotate(workspace.repository, workspace.book, None)
    workspace.close()
    with pytest.raises(KeyWrong):
        world.enrol("Late Comer", 3, ALL)
    with pytest.raises(KeyWrong):
        world.identify(picture(Head(ADA)))
    world.close()
    assert recognised(world.folder, world)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.services.office import opened

folder, when = Path(sys.argv[1]), sys.argv[2]
workspace = opened(folder)
def audit(event, arguments):
    name = str(arguments[0]) if arguments else ""
    if event == "os.rename" and name.endswith("workspace.key.new"):
        os.kill(os.getpid(), signal.SIGKILL)
    if when == "key written" and event == "open" and name.endswith("workspace.key.new"):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(audit)
workspace.custody.rotate(workspace.repository, workspace.book, None)
"""


@pytest.mark.parametrize("when", ["key written", "committed"])
def test_a_change_of_key_that_is_killed_leaves_a_key_that_opens(tmp_path: Path, when: str) -> None:
    world = lived_in(tmp_path / "workspace")
    world.close()
    command = [sys.executable, "-c", KILLED, str(world.folder), when]
    search = {**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"}
    ended = subprocess.run(command, env=search, check=False)  # noqa: S603 - ours
    assert ended.returncode == -signal.SIGKILL
    opened(world.folder).close()
    assert not (world.folder / "workspace.key.new").exists()
    assert recognised(world.folder, world)


def test_a_key_can_move_into_the_environment_and_back(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    world.close()
    workspace = opened(world.folder)
    with pytest.raises(KeyMissing):
        workspace.custody.rotate(workspace.repository, workspace.book, KeyPlace.ENVIRONMENT)
    workspace.close()
    text = base64.b64encode(bytes(range(32))).decode()
    given = {**environment(world.folder), "SAYSO_NEW_KEY": text}
    workspace = open_workspace(world.folder, given)
    workspace.custody.rotate(workspace.repository, workspace.book, KeyPlace.ENVIRONMENT)
    workspace.close()
    assert not (world.folder / "workspace.key").exists()
    with pytest.raises(KeyMissing):
        opened(world.folder)
    workspace = open_workspace(world.folder, {**environment(world.folder), "SAYSO_KEY": text})
    assert report(workspace.repository.vault, workspace.custody.place).unopened == ()
    workspace.custody.rotate(workspace.repository, workspace.book, KeyPlace.FILE)
    workspace.close()
    assert recognised(world.folder, world)


def test_a_lost_key_is_said_plainly_and_can_be_done_without(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    world.close()
    (world.folder / "workspace.key").unlink()
    with pytest.raises(KeyMissing, match="templates cannot be recovered"):
        opened(world.folder)
    assert renew_key(world.folder, environment(world.folder)).templates == 2
    workspace = opened(world.folder)
    assert {one.person.name for one in workspace.people()} == {ADA_NAME, BEN_NAME}
    assert [one.templates for one in workspace.people()] == [0, 0]
    workspace.close()
    after = office(world.folder, world.sources)
    assert after.screen("club", WEBSITE).photographs
    after.enrol("New Person", 3, ALL)
    after.close()


def test_a_lost_key_store_is_said_plainly(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    world.close()
    (world.folder / "keys.sqlite").unlink()
    with pytest.raises(KeyStoreMissing):
        opened(world.folder)
    assert not (world.folder / "keys.sqlite").exists()
    assert renew_key(world.folder, environment(world.folder)).templates == 2
    opened(world.folder).close()


def test_a_template_without_its_key_is_dropped_and_reported_at_the_start(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    with world.repository.reading() as unit:
        person = unit.people.get(ADA_NAME).id
    world.database.keys.destroy([person])
    world.close()
    workspace = opened(world.folder)
    [note] = workspace.notes
    assert person in note
    assert {one.person.name: one.templates for one in workspace.people()} == {
        ADA_NAME: 0,
        BEN_NAME: 1,
    }
    workspace.close()


def test_a_key_without_a_template_is_destroyed_at_the_start(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    world.database.keys.keep("nobody", b"left by a crash")
    world.close()
    workspace = opened(world.folder)
    assert "nobody" not in workspace.database.keys.holders()
    workspace.close()
