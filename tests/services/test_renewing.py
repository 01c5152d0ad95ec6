"""A lost key: beginning anew is entered, and finished whatever interrupts it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sayso.errors import KeyMissing
from sayso.ledger import verification
from sayso.ledger.checkpoint import VerifierKey
from sayso.store.keystore import KeyStore, Pending
from sayso.wiring import LEDGER, Workspace, renew_key

from .drawing import ADA
from .office import ADA_NAME, ALL, BEN_NAME, environment, lived_in, office, opened

PROJECT = Path(__file__).resolve().parents[2]

# Kills the process at the n-th call of a function that writes, for every n until it is done.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from sayso.wiring import renew_key
from tests.services.office import environment

whole, folder = Path(sys.argv[1]), Path(sys.argv[2])
WRITING = {"_writing", "writing", "replace", "set_facts", "put", "promote", "discard", "renew",
    "start_over", "finish_renewal", "_lay_ledger_aside", "sync_folder", "begin_ledger", "write",
    "sync", "adopt", "keep_public_key", "renewed", "settle", "forget", "create", "close"}

def run(n):
    left = n
    def count(frame, event, _):
        nonlocal left
        code = frame.f_code
        ours = "/sayso/" in code.co_filename and code.co_name in WRITING
        if ours and event == "call":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(count)
    renew_key(Path(f"{folder}-{n}"), environment(folder))
    sys.setprofile(None)

for n in range(10_000):
    shutil.copytree(whole, f"{folder}-{n}")
    child = os.fork()
    if child == 0:
        run(n)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        print(n)
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
"""


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """A workspace whose key is gone."""
    world = lived_in(tmp_path / "workspace")
    world.close()
    (world.folder / "workspace.key").unlink()
    return world.folder


def public_key(folder: Path) -> str:
    return (folder / "ledger_public_key").read_text("utf-8").strip()


def require_renewed(folder: Path) -> Workspace:
    """One new ledger that says so, and behind it the old one, whole, that it continues."""
    workspace = opened(folder)
    first = next(iter(workspace.audit.entries())).draft
    assert (first.action.value, first.details["change"]) == ("key", "renewed")
    old = folder / "ledger-1"
    ended = verification.verify(old, VerifierKey.parse(public_key(old))).head
    assert first.details["previous_size"] == ended.size
    assert first.details["previous_root"] == ended.root.hex()
    assert first.details["templates_lost"] == 2
    assert workspace.audit.verify().head.size >= 1
    assert [path.name for path in folder.glob("ledger*")].count("ledger") == 1
    assert not (folder / "ledger-2").exists()
    assert not (folder / "workspace.key.new").exists()
    assert {one.person.name: one.templates for one in workspace.people()} == {
        ADA_NAME: 0,
        BEN_NAME: 0,
    }
    return workspace


def test_beginning_anew_is_entered_with_where_the_old_ledger_ended(lost: Path) -> None:
    with pytest.raises(KeyMissing):
        opened(lost)
    done = renew_key(lost, environment(lost))
    assert (done.templates, done.old_ledger) == (2, lost / "ledger-1")
    workspace = require_renewed(lost)
    said = next(iter(workspace.audit.entries())).draft.details
    assert said["key"] == workspace.repository.vault.key_id
    workspace.close()


def test_a_ledger_too_damaged_to_be_read_is_laid_aside_all_the_same(lost: Path) -> None:
    for slot in (lost / LEDGER).glob("checkpoint.*"):
        slot.write_bytes(b"")
    done = renew_key(lost, environment(lost))
    assert done.old_ledger == lost / "ledger-1"
    assert not (lost / "ledger-1" / "ledger_public_key").exists()
    workspace = opened(lost)
    first = next(iter(workspace.audit.entries())).draft.details
    assert (first["previous_size"], first["previous_root"]) == (None, None)
    workspace.close()


def test_beginning_anew_can_be_killed_at_every_step(lost: Path, tmp_path: Path) -> None:
    KeyStore(lost / "keys.sqlite").begin_erasure(Pending("token", "p-9", b"traces", "2026-06-01"))
    command = [sys.executable, "-c", KILLED, str(lost), str(tmp_path / "killed")]
    search = {**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"}
    ended = subprocess.run(command, env=search, check=True, stdout=subprocess.PIPE)  # noqa: S603
    steps = json.loads(ended.stdout)
    assert steps > 20
    again = 0
    for n in range(steps + 1):
        folder = tmp_path / f"killed-{n}"
        store = KeyStore(folder / "keys.sqlite")
        [pending] = store.pending_erasures()  # an erasure that was begun is never forgotten
        assert pending.person == "p-9"
        store.give_up_erasure(pending.token)
        store.close()
        try:
            opened(folder).close()
        except KeyMissing:  # killed before anything was changed: it is asked for again
            renew_key(folder, environment(folder))
            again += 1
        require_renewed(folder).close()
        shutil.rmtree(folder)
    assert 0 < again < steps / 2


def test_a_key_that_is_lost_twice_is_done_without_twice(lost: Path) -> None:
    renew_key(lost, environment(lost))
    office(lost).enrol("Late Comer", 3, ALL)
    (lost / "workspace.key").unlink()
    assert renew_key(lost, environment(lost)).old_ledger == lost / "ledger-2"
    assert public_key(lost / "ledger-1") != public_key(lost / "ledger-2")
    world = office(lost)
    assert world.enrol(ADA_NAME, ADA, ALL).templates
    world.close()
