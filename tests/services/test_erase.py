import base64
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sayso.errors import ErasureIncomplete, LedgerBusy, PersonUnknown
from sayso.ledger.disk import WriterLock

from .drawing import ADA, Head, picture, vector
from .office import ADA_NAME, ALL, BEN_NAME, PHONE, lived_in, office, opened
from .world import World

STEPS = ["note", "copies", "key", "rows", "commit", "forget", "read back", "finish"]
PROJECT = Path(__file__).resolve().parents[2]

# Looks for a person without a line of this project's code.
SEARCH = """
import pathlib, sys
folder, *patterns = sys.argv[1:]
for file in sorted(p for f in folder.split("|") for p in pathlib.Path(f).rglob("*") if p.is_file()):
    data = file.read_bytes()
    for pattern in patterns:
        if bytes.fromhex(pattern) in data:
            print(file.name, pattern)
"""

KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from tests.services.office import ADA_NAME, lived_in

def step(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

world = lived_in(Path(sys.argv[1]))
replace(world.rights.erasing, step=step)(ADA_NAME)
"""


def found(world: World, patterns: list[bytes]) -> list[str]:
    out = world.folder.parent / "out"
    command = [sys.executable, "-c", SEARCH, f"{world.folder}|{out}", *[p.hex() for p in patterns]]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return ran.stdout.splitlines()


def encodings_of_the_vector() -> list[bytes]:
    features = vector(ADA)
    plain = [features.tobytes(), features.astype(np.float16).tobytes()]
    written = [form for one in plain for form in (one.hex().encode(), base64.b64encode(one))]
    return [*(one[:24] for one in plain), *(one[:32] for one in written)]


def texts() -> list[bytes]:
    names = [ADA_NAME, ADA_NAME.casefold(), PHONE]
    return [
        *(name.encode() for name in names),
        *(json.dumps(name)[1:-1].encode() for name in names),
        *(name.encode("utf-16-le") for name in names),
    ]


def secrets(world: World) -> list[bytes]:
    """Ada's id, her sealed template and her wrapped key."""
    with world.repository.reading() as unit:
        person = unit.people.get(ADA_NAME).id
    [sealed] = [row[3] for row in world.rows()["templates"] if row[1] == person]
    wrapped = world.database.keys.wrapped(person)
    assert isinstance(sealed, bytes)
    assert wrapped is not None
    return [person.encode(), sealed, sealed[100:140], wrapped]


def test_after_an_erasure_a_search_of_every_byte_finds_nothing(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    kept = secrets(world)
    patterns = [*kept, *texts(), *encodings_of_the_vector()]
    there = found(world, patterns)
    assert {line.split()[1] for line in there} >= {one.hex() for one in kept}
    assert any(line.startswith("report.html") for line in there)
    done = world.rights.erase(ADA_NAME)
    assert found(world, patterns) == []
    assert (done.templates, done.certificate["removed"]["persons"]) == (1, 1)
    assert done.certificate["read_back"]["patterns"] > 100
    assert done.certificate["read_back"]["found"] == 0
    world.close()


def test_nobody_else_loses_anything(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    world.rights.erase(ADA_NAME)
    assert world.identify(picture(Head(1)))[0].person is not None
    assert {one.path for one in world.find(BEN_NAME)[1]} == {"b.png", "c.png"}
    copies = {path.name for path in (tmp_path / "out" / "photographs").iterdir()}
    assert copies == {"c.png"}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [one["copy"] for one in manifest["published"]] == ["photographs/c.png"]
    world.close()


def test_a_copy_that_somebody_changed_since_is_theirs_and_stays(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    (tmp_path / "out" / "photographs" / "a.png").write_bytes(b"another picture by now")
    world.rights.erase(ADA_NAME)
    copies = {path.name for path in (tmp_path / "out" / "photographs").iterdir()}
    assert copies == {"a.png", "c.png"}
    world.close()


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_is_killed_is_finished_by_the_next_start(tmp_path: Path, step: str) -> None:
    folder = tmp_path / "workspace"
    search = {"PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
    command = [sys.executable, "-c", KILLED, str(folder), step]
    ended = subprocess.run(command, env=search, check=False)  # noqa: S603 - ours
    assert ended.returncode == -signal.SIGKILL
    begun = step != "note"
    workspace = opened(folder)
    assert bool(workspace.notes) == begun
    names = {one.person.name for one in workspace.people()}
    assert names == ({BEN_NAME} if begun else {ADA_NAME, BEN_NAME})
    workspace.close()
    world = office(folder)
    assert (found(world, [*texts(), *encodings_of_the_vector()]) == []) == begun
    world.close()
    again = opened(folder)
    assert again.notes == ()
    again.close()


def test_what_is_found_on_reading_back_is_told_loudly_until_it_is_mended(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    world = lived_in(folder)
    (folder / "notes.txt").write_text(f"{ADA_NAME} rang today", encoding="utf-8")
    with pytest.raises(ErasureIncomplete) as caught:
        world.rights.erase(ADA_NAME)
    assert caught.value.exit_status == 3
    assert "notes.txt" in str(caught.value)
    assert ADA_NAME not in str(caught.value)
    with pytest.raises(PersonUnknown):
        world.find(ADA_NAME)
    world.close()
    with pytest.raises(ErasureIncomplete):
        opened(folder)
    (folder / "notes.txt").unlink()
    mended = opened(folder)
    assert len(mended.notes) == 1
    mended.close()


def test_bytes_left_in_free_pages_are_found_and_repaired(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    with world.database.writing() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        connection.exec_driver_sql("CREATE TABLE scratch (words TEXT)")
        connection.exec_driver_sql("INSERT INTO scratch VALUES (?)", ((ADA_NAME + " ") * 3000,))
    with world.database.writing() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        connection.exec_driver_sql("DROP TABLE scratch")
    world.repository.forget()
    assert found(world, [(ADA_NAME + " " + ADA_NAME).encode()])
    world.rights.erase(ADA_NAME)
    assert found(world, texts()) == []
    world.close()


def test_a_namesake_keeps_the_name_and_the_certificate_says_so(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    with world.repository.reading() as unit:
        first = unit.people.get(ADA_NAME)
    other = world.enrol(ADA_NAME, 3, ALL).person
    done = world.rights.erase(first.id)
    kept = [one["what"] for one in done.certificate["kept"]]
    assert any("the name" in what and "persons.name" in what for what in kept)
    with world.repository.reading() as unit:
        assert unit.people.get(ADA_NAME).id == other.id
    world.close()


@contextmanager
def held(ledger: Path) -> Iterator[None]:
    """Another process writes in the ledger."""
    lock = WriterLock(ledger)
    try:
        yield
    finally:
        lock.release()


def test_what_may_not_be_entered_is_not_done(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    before = world.rows()

    with held(tmp_path / "workspace" / "ledger"), pytest.raises(LedgerBusy):
        world.rights.erase(ADA_NAME)
    assert world.rows() == before
    assert (tmp_path / "out" / "photographs" / "a.png").exists()
    assert world.database.keys.pending_erasures() == []
    world.close()


def test_an_erasure_lists_what_is_left_to_do_without_naming_anybody(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    done = world.rights.erase(ADA_NAME)
    with world.repository.reading() as unit:
        listed = unit.takedowns.all()
    assert [one.path for one in listed] == ["photographs/a.png", "photographs/b.png"]
    assert {(one.person, one.reason) for one in listed} == {(None, "erased")}
    assert ADA_NAME not in json.dumps(done.certificate, ensure_ascii=False)
    world.close()


def test_that_an_erasure_opened_templates_is_entered(tmp_path: Path) -> None:
    world = lived_in(tmp_path / "workspace")
    world.rights.erase(ADA_NAME)
    said = world.entries()[-1].draft
    key = world.repository.vault.key_id
    assert (said.action, said.subjects) == ("erasure", ())
    assert said.details == {"references": 1, "key": key, "templates_opened": 1}
    world.close()
