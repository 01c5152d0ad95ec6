"""What a template leaves when it goes, or when it never came to be: no key, no old page."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from sayso.domain.grant import Purpose

from .drawing import ADA
from .office import ADA_NAME, ALL, BEN_NAME, RunningClock, lived_in, office, opened
from .world import World, enrolment

PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
STEPS = 12
"""More than an enrolment asks for the time."""


class BrokenOff(Exception):
    """What a test's clock raises."""


class BreakingClock(RunningClock):
    """Breaks off what asks it for the nth time; every step asks it, the ledger's among them."""

    def __init__(self, nth: int, *, kills: bool) -> None:
        super().__init__()
        self._left, self._kills = nth, kills

    def __call__(self) -> datetime:
        self._left -= 1
        if self._left == 0:
            if self._kills:
                os.kill(os.getpid(), signal.SIGKILL)
            raise BrokenOff
        return super().__call__()


def enrol_until(folder: Path, nth: int, *, kills: bool) -> bool:
    """Enrol, with a clock that breaks off; whether it came to its end."""
    first = office(folder)
    world = World(folder, first.key, BreakingClock(nth, kills=kills), {})
    try:
        world.enrolling(enrolment(ADA_NAME, ADA, ALL))
    except BrokenOff:
        return False
    finally:
        world.close()
        first.close()
    return True


def agree(world: World) -> bool:
    """Whether just those have a data key who have a template; tells whether anybody has."""
    with world.repository.reading() as unit:
        owners = frozenset(unit.templates.counts())
    assert world.database.keys.holders() == owners
    return bool(owners)


def test_an_enrolment_that_fails_at_any_step_leaves_no_data_key(tmp_path: Path) -> None:
    ended = []
    for nth in range(1, STEPS):
        folder = tmp_path / f"{nth}" / "workspace"
        folder.parent.mkdir()
        ended.append(enrol_until(folder, nth, kills=False))
        world = office(folder)
        assert agree(world) == ended[-1], nth
        world.close()
    assert ended[0] is False
    assert ended[-1] is True


KILLED = """
import sys
from pathlib import Path
from tests.services.test_parting import enrol_until
enrol_until(Path(sys.argv[1]), int(sys.argv[2]), kills=True)
"""


def test_what_a_killed_enrolment_leaves_is_destroyed_by_the_next_start(tmp_path: Path) -> None:
    ended, orphans = [], 0
    for nth in range(1, STEPS):
        folder = tmp_path / f"{nth}" / "workspace"
        folder.parent.mkdir()
        command = [sys.executable, "-c", KILLED, str(folder), str(nth)]
        status = subprocess.run(command, env=ENVIRONMENT, check=False).returncode  # noqa: S603
        assert status in {0, -signal.SIGKILL}
        ended.append(status == 0)
        with closing(sqlite3.connect(folder / "keys.sqlite")) as raw:
            [[keys]] = raw.execute("SELECT count(*) FROM data_keys")
        orphans += keys and not ended[-1]
        opened(folder).close()
        world = office(folder)
        assert agree(world) == ended[-1], nth
        world.close()
        if ended[-1]:
            break
    assert ended[-1] is True
    assert orphans  # at some step there was one to destroy


def test_a_fault_of_the_database_after_the_key_was_made_leaves_none(tmp_path: Path) -> None:
    world = office(tmp_path / "workspace")
    with world.database.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no_room BEFORE INSERT ON templates "
            "BEGIN SELECT RAISE(ABORT, 'no room for templates'); END"
        )
    with pytest.raises(Exception, match="no room for templates"):
        world.enrolling(enrolment(ADA_NAME, ADA, ALL))
    assert not agree(world)
    assert world.count("persons") == 0
    world.close()


def sealed_and_wrapped(world: World) -> list[bytes]:
    with world.repository.reading() as unit:
        person = unit.people.get(ADA_NAME).id
    [sealed] = [row[3] for row in world.rows()["templates"] if row[1] == person]
    wrapped = world.database.keys.wrapped(person)
    assert isinstance(sealed, bytes)
    assert wrapped is not None
    return [sealed[-40:], wrapped[-40:]]


def on_disk(folder: Path, pattern: bytes) -> bool:
    return any(pattern in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_withdrawal_stands_while_another_reads_and_is_swept_by_the_next_start(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "workspace"
    world = lived_in(folder)
    sealed, wrapped = sealed_and_wrapped(world)
    with closing(sqlite3.connect(folder / "sayso.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM persons").fetchall()
        done = world.rights.withdraw(ADA_NAME, Purpose.RECOGNISE)
        assert (done.templates, done.swept) == (1, False)
        assert done.receipt
        assert on_disk(folder, sealed)
        assert not on_disk(folder, wrapped)  # so that nobody can open it
        busy = opened(folder)
        assert "Another process keeps reading" in " ".join(busy.notes)
        busy.close()
    swept = opened(folder)
    assert swept.notes == ()
    swept.close()
    assert not on_disk(folder, sealed)
    assert agree(world)  # Ben's
    assert world.rights.withdraw(BEN_NAME).swept
    world.close()


def test_what_a_template_left_in_a_free_page_is_found_and_removed(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    world = lived_in(folder)
    sealed, wrapped = sealed_and_wrapped(world)
    with closing(sqlite3.connect(folder / "sayso.sqlite")) as careless:
        careless.execute("PRAGMA secure_delete=OFF")
        careless.execute("CREATE TABLE scratch AS SELECT sealed FROM templates")
        careless.commit()
        careless.execute("DROP TABLE scratch")
        careless.commit()
    assert on_disk(folder, sealed)
    assert world.rights.withdraw(ADA_NAME, Purpose.RECOGNISE).swept
    assert not on_disk(folder, sealed)
    assert not on_disk(folder, wrapped)
    world.close()


def test_a_template_whose_key_is_gone_leaves_no_old_page_either(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    world = lived_in(folder)
    sealed, _ = sealed_and_wrapped(world)
    with world.repository.reading() as unit:
        person = unit.people.get(ADA_NAME).id
    with closing(sqlite3.connect(folder / "keys.sqlite")) as careless:
        careless.execute("DELETE FROM data_keys WHERE person_id = ?", (person,))
        careless.commit()
    started = opened(folder)
    assert person in " ".join(started.notes)
    assert not on_disk(folder, sealed)  # `world` is open still, and with it the log
    started.close()
    world.close()


def test_no_journal_keeps_what_the_key_store_destroyed(tmp_path: Path) -> None:
    world = office(tmp_path / "workspace")
    keys = world.database.keys
    wrapped = {f"person-{number}": os.urandom(60) for number in range(400)}
    for person, key in wrapped.items():
        keys.keep(person, key)
    keys.destroy(list(wrapped)[:399])
    journal = keys.path.with_name(f"{keys.path.name}-journal")
    assert journal.stat().st_size > 0  # what lies there lies over the pages as they were
    gone = list(wrapped.values())[:399]
    assert not [key for key in gone if on_disk(tmp_path, key)]
    assert on_disk(tmp_path, wrapped["person-399"])
    world.close()


def test_what_is_killed_at_any_moment_is_done_or_untouched_after_the_next_start(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "tests.services.killing", str(tmp_path), "9", "7"]
    ran = subprocess.run(  # noqa: S603 - ours
        command, env=ENVIRONMENT, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(ran.stdout.splitlines()) == 9
