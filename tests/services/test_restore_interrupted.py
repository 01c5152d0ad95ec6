"""A restore that is killed, that fails, or that finds a workspace half-way to another key."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sayso.errors import KeyMissing, WorkspaceBusy
from sayso.wiring import Workspace, renew_key, restore_workspace

from .drawing import portrait
from .office import ADA_NAME, ALL, BEN_NAME, environment, lived_in, office, opened

PROJECT = Path(__file__).resolve().parents[2]
LATE, LATE_NAME = 3, "Late Comer"

# Kills the process at the n-th call of a function that writes, for some n of all.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from sayso.wiring import renew_key, restore_workspace
from tests.services.office import environment

verb, home, made, stride = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
WRITING = {"_writing", "writing", "replace", "put", "promote", "discard", "start_over", "refuse",
    "_lay_ledger_aside", "sync_folder", "begin_ledger", "write", "sync", "adopt", "renewed",
    "settle", "forget", "vacuum", "close_log", "put_in_place", "_put_in_place", "_sync",
    "_sync_folder", "unpack", "_extract", "finish", "finish_erasure", "erase", "prepare", "cut",
    "drop_closed", "_blank_journal", "keep_head", "carry_out"}

def run(n, folder):
    left = n
    def count(frame, event, _):
        nonlocal left
        code = frame.f_code
        if event == "call" and "/sayso/" in code.co_filename and code.co_name in WRITING:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(count)
    if verb == "restore":
        restore_workspace(home / "backup", folder, environment(folder), yes=True)
    else:
        renew_key(folder, environment(folder))
    sys.setprofile(None)

for n in range(0, 10_000, stride):
    folder = made / str(n)
    if (home / "workspace").exists():
        shutil.copytree(home / "workspace", folder)
    child = os.fork()
    if child == 0:
        run(n, folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        print(n)
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
"""


def killed(verb: str, home: Path, made: Path, stride: int) -> list[Path]:
    """The workspaces that a verb left which was killed after more and more steps, and ended."""
    made.mkdir()
    command = [sys.executable, "-c", KILLED, verb, str(home), str(made), str(stride)]
    search = {**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"}
    ended = subprocess.run(command, env=search, check=True, stdout=subprocess.PIPE)  # noqa: S603
    return [made / str(n) for n in range(0, json.loads(ended.stdout) + 1, stride)]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of two people, one of whom was erased since; and somebody who came since."""
    home = tmp_path_factory.mktemp("backed up")
    world = lived_in(home / "workspace")
    with closing(opened(home / "workspace")) as one:
        one.backup(home / "backup")
    world.rights.erase(ADA_NAME)
    world.enrol(LATE_NAME, LATE, ALL)
    world.close()
    return home


def names(workspace: Workspace) -> set[str]:
    return {listed.person.name for listed in workspace.people() if listed.templates}


def require_whole(folder: Path) -> bool:
    """Wholly as it was, or wholly restored; gives which."""
    with closing(opened(folder)) as one:
        found = names(one)
        assert found == {listed.person.name for listed in one.people()}  # nobody's key went
        assert not list(folder.glob(".restore-*"))
        one.audit.verify()
    assert found in ({BEN_NAME, LATE_NAME}, {BEN_NAME})
    assert ADA_NAME.encode() not in b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file()
    )
    return LATE_NAME not in found


def test_a_restore_can_be_killed_at_any_step(first: Path, tmp_path: Path) -> None:
    states = []
    for folder in killed("restore", first, tmp_path / "killed", 4):
        states.append(require_whole(folder))
        shutil.rmtree(folder)
    assert states == sorted(states)  # as it was, up to one step; restored from then on
    assert states[0] < states[-1]
    assert len(states) > 10


def test_a_restore_that_fails_takes_nobodys_key(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "home")
    folder = tmp_path / "home" / "workspace"
    world = office(folder)
    before = len(world.entries())
    with world.repository.reading() as unit:
        assert unit.people.all()
        with pytest.raises(WorkspaceBusy):
            restore_workspace(first / "backup", folder, environment(folder), yes=True)
    assert len(world.entries()) == before
    world.collection("later")
    found = world.identify(portrait(LATE), collection="later")
    assert found[0].person is not None
    world.close()


def test_a_restore_into_an_empty_folder_can_be_killed_and_done_again(
    first: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    renewed = home / "renewed"
    shutil.copytree(first / "workspace", renewed)
    (renewed / "workspace.key").unlink()
    renew_key(renewed, environment(renewed))
    with closing(opened(renewed)) as one:
        one.backup(home / "backup")
        ben = next(each.person.id for each in one.people() if each.person.name == BEN_NAME)
        one.rights.erase(ben)
        one.write_refusals(home / "list")
    (home / "workspace").mkdir()
    shutil.copy(renewed / "workspace.key", home / "workspace")
    for folder in killed("restore", home, tmp_path / "killed", 7):
        restore_workspace(
            home / "backup", folder, environment(folder), yes=True, refusals=home / "list"
        )
        with closing(opened(folder)) as two:
            assert [each.person.name for each in two.people()] == [LATE_NAME]
            two.audit.verify()
            assert len(two.audit.verify_earlier()) == 1
        everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert ben.encode() not in everything
        shutil.rmtree(folder)


def test_a_restore_over_a_half_renewed_workspace_finishes_it(first: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(first, home)
    (home / "workspace" / "workspace.key").unlink()
    restored = 0
    for number, folder in enumerate(killed("renew", home, tmp_path / "killed", 3)):
        if number % 2:  # the reason for restoring
            (folder / "sayso.sqlite").write_bytes(b"no database")
        try:
            restore_workspace(home / "backup", folder, environment(folder), yes=True)
        except KeyMissing:  # nothing was begun yet: it is asked for
            assert not (folder / "ledger-1").exists()
            continue
        restored += 1
        with closing(opened(folder)) as one:
            assert BEN_NAME in {listed.person.name for listed in one.people()}
            assert names(one) == set()
            one.audit.verify()
            assert len(one.audit.verify_earlier()) == 1
        shutil.rmtree(folder)
    assert restored > 4
