"""Crashes: kill -9 of a real process, power lost at every byte, and a disk that fails."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sayso.errors import DiskFull, LedgerTampered, LedgerUnwritable
from sayso.ledger.admission import Json
from sayso.ledger.aside import PUBLIC_KEY
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.disk import File, PosixFolder
from sayso.ledger.entry import Action, Draft
from sayso.ledger.journal import Journal
from sayso.ledger.verification import verify, verify_earlier

SEED = bytes(range(32))
KEY = SigningKey.from_seed("example.org/sayso", SEED)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def noon() -> datetime:
    return NOON


def about(person: str) -> Draft:
    return Draft(Action.CONSENT, "op-1", (person,), {"notice": "n-3"})


class PowerLost(BaseException):
    """The machine went off; nothing of the program runs any more."""


class Budget:
    """How many bytes may still be written, and what happens then."""

    def __init__(self, room_bytes: int, error: BaseException) -> None:
        self.room_bytes = room_bytes
        self.error = error
        self.broken_sync = ""
        self.durable: dict[str, bytes] = {}


class FailingFile:
    """A real file that stops in the middle of a write."""

    def __init__(self, file: File, name: str, budget: Budget) -> None:
        self._file, self._name, self._budget = file, name, budget
        self.size, self.read, self.close = file.size, file.read, file.close

    def write(self, offset: int, data: bytes) -> None:
        part = data[: self._budget.room_bytes]
        self._file.write(offset, part)
        self._budget.room_bytes -= len(part)
        if len(part) < len(data):
            raise self._budget.error

    def cut(self, size: int) -> None:
        if isinstance(self._budget.error, PowerLost) and not self._budget.room_bytes:
            raise self._budget.error
        self._file.cut(size)

    def sync(self) -> None:
        if self._name == self._budget.broken_sync:
            raise OSError(errno.EIO, "broken")
        self._file.sync()
        self._budget.durable[self._name] = self._file.read(0, self._file.size())


class FailingFolder:
    """A real folder of such files."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self._folder, self._budget = PosixFolder(path), budget
        self.has, self.name = self._folder.has, self._folder.name

    def open(self, name: str, *, writable: bool) -> FailingFile:
        return FailingFile(self._folder.open(name, writable=writable), name, self._budget)

    def replace(self, name: str, data: bytes) -> None:
        if self._budget.room_bytes < len(data):
            raise self._budget.error
        self._folder.replace(name, data)

    def remove(self, name: str) -> None:
        if isinstance(self._budget.error, PowerLost) and not self._budget.room_bytes:
            raise self._budget.error
        self._folder.remove(name)

    def laid_aside(self) -> "list[FailingFolder]":
        return [FailingFolder(one.path, self._budget) for one in self._folder.laid_aside()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "ledger"
    with Journal.create(folder, KEY, noon) as journal:
        journal.append_all([about(f"person-{number}") for number in range(5)])
        journal.append_all([about(f"person-{number}") for number in range(5, 7)])
    return folder


def copied(path: Path, name: str) -> Path:
    target = path.with_name(name)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(path, target)
    return target


def require_whole(path: Path, sizes: set[int]) -> int:
    """Open, verify, append: what a log must allow after any crash. Returns its size."""
    with Journal.open(path, KEY, noon) as journal:
        size = journal.reader.size
        assert size in sizes
        assert verify(path, KEY.verifier).unfinished_bytes == 0
        assert [entry.sequence for entry in journal.reader.entries()][:7] == list(range(7))
        journal.append(about("afterwards-1"))
    assert verify(path, KEY.verifier).head.size == size + 1
    return size


def test_power_lost_at_any_byte_of_an_append_loses_nothing_acknowledged(path: Path) -> None:
    outcomes = set()
    for room_bytes in range(5000):
        crashed = copied(path, "crashed")
        budget = Budget(room_bytes, PowerLost())
        journal = Journal(FailingFolder(crashed, budget), KEY, noon)
        try:
            journal.append_all([about("person-7"), about("person-8")])
        except PowerLost:
            outcomes.add(require_whole(crashed, {7, 9}))  # both of the batch, or none
        else:
            assert budget.room_bytes >= 0
            break
        finally:
            journal.reader.close()
    else:
        pytest.fail("the append never completed")
    assert 7 in outcomes
    assert 9 in outcomes  # torn in the checkpoint: the whole data behind it was kept


def test_what_was_acknowledged_survives_the_loss_of_all_that_was_not_flushed(path: Path) -> None:
    durable = copied(path, "durable")
    budget = Budget(10**6, PowerLost())
    journal = Journal(FailingFolder(path, budget), KEY, noon)
    for size in range(8, 14):
        if size == 11:
            journal.erase([3], actor="op-1")
        else:
            journal.append(about(f"person-{size - 1}"))
        for name, data in budget.durable.items():
            (durable / name).write_bytes(data)
        report = verify(durable, KEY.verifier)
        assert (report.head.size, report.unfinished_bytes) == (size, 0)
        assert (b"person-3" in (durable / "contents").read_bytes()) is (size < 11)
    journal.close()


def test_data_that_never_reached_the_disk_is_cut_whatever_is_there_instead(path: Path) -> None:
    after = copied(path, "after")
    with Journal.open(after, KEY, noon) as journal:
        journal.append_all([about("person-7"), about("person-8")])
    grown = {name: (after / name).read_bytes() for name in ("contents", "tree")}
    for name, whole in grown.items():
        start = (path / name).stat().st_size
        for stop in range(start, len(whole) + 1, 13):
            for filler in (b"", b"\0" * (len(whole) - stop), os.urandom(len(whole) - stop)):
                torn = copied(path, "torn")
                for other, data in grown.items():
                    (torn / other).write_bytes(data)
                (torn / name).write_bytes(whole[:stop] + filler)
                all_there = whole[:stop] + filler == whole
                with Journal.open(torn, KEY, noon) as journal:
                    assert journal.reader.size == (9 if all_there else 7)
                    assert (journal.recovery.kept_entries == 2) is all_there
                    assert (journal.recovery.cut_bytes > 0) is not all_there
                assert verify(torn, KEY.verifier).unfinished_bytes == 0


def slots_by_age(path: Path) -> list[Path]:
    return sorted(path.glob("checkpoint.*"), key=lambda slot: int(slot.read_text().split("\n")[1]))


def test_a_checkpoint_torn_in_writing_is_signed_again_and_said(path: Path) -> None:
    _, newest = slots_by_age(path)
    newest.write_bytes(newest.read_bytes()[:-9])
    with pytest.raises(LedgerTampered, match=newest.name):
        verify(path, KEY.verifier)
    with Journal.open(path, KEY, noon) as journal:
        assert journal.recovery.kept_entries == 2
        assert journal.reader.size == 7
    assert verify(path, KEY.verifier).head.size == 7


def test_a_damage_that_no_crash_leaves_is_reported_and_not_repaired(path: Path) -> None:
    older, newest = slots_by_age(path)
    contents = (path / "contents").read_bytes()
    bent = copied(path, "older")
    (bent / older.name).write_bytes(older.read_bytes()[:-9])
    cut = copied(path, "cut")  # the newest checkpoint, and half of what it signed for
    (cut / newest.name).write_bytes(newest.read_bytes()[:-9])
    (cut / "contents").write_bytes(contents[:-64])
    changed = copied(path, "changed")
    (changed / newest.name).unlink()
    (changed / "contents").write_bytes(contents[:-200] + b"?" + contents[-199:])
    for damaged in (bent, cut, changed):
        before = {file.name: file.read_bytes() for file in damaged.iterdir()}
        with pytest.raises(LedgerTampered):
            Journal.open(damaged, KEY, noon)
        assert {file.name: file.read_bytes() for file in damaged.iterdir()} == before


def test_power_lost_during_an_erasure_is_finished_on_the_next_start(path: Path) -> None:
    finished = 0
    for room_bytes in range(0, 5000, 5):  # each costs a dozen flushes
        crashed = copied(path, "crashed")
        budget = Budget(room_bytes, PowerLost())
        journal = Journal(FailingFolder(crashed, budget), KEY, noon)
        try:
            journal.erase([2, 4], actor="op-1")
        except PowerLost:
            with Journal.open(crashed, KEY, noon) as again:
                recorded = again.reader.size == 8
                finished += again.recovery.erased_entries > 0
            report = verify(crashed, KEY.verifier)
            assert not report.unfinished_erasure
            assert report.erased == (2 if recorded else 0)
            assert (b"person-2" in (crashed / "contents").read_bytes()) is not recorded
        else:
            break
        finally:
            journal.reader.close()
    else:
        pytest.fail("the erasure never completed")
    assert finished > 20


def test_power_lost_while_a_ledger_laid_aside_is_erased_in_is_made_good(path: Path) -> None:
    old = path.rename(path.with_name("ledger-1"))
    (old / PUBLIC_KEY).write_text(KEY.verifier.encode())
    end = verify(old, KEY.verifier).head
    new = SigningKey.from_seed(KEY.name, SEED[::-1])
    renewed: dict[str, Json] = {
        "change": "renewed",
        "previous_size": end.size,
        "previous_root": end.root.hex(),
    }
    with Journal.create(path, new, noon) as journal:
        journal.append(Draft(Action.KEY, "op-1", details=renewed))
    finished = 0
    for room_bytes in range(0, 5000, 9):
        crashed = copied(path, "crashed")
        aside = copied(old, "crashed-1")
        journal = Journal(FailingFolder(crashed, Budget(room_bytes, PowerLost())), new, noon)
        try:
            journal.erase([], actor="op-1", subject="person-2")
        except PowerLost:
            with Journal.open(crashed, new, noon) as again:
                recorded = again.reader.size == 2
                finished += again.recovery.erased_entries > 0
            verify(crashed, new.verifier)
            [(name, report)] = verify_earlier(crashed, new.verifier)
            assert (name, report.erased) == ("crashed-1", int(recorded))
            assert (b"person-2" in (aside / "contents").read_bytes()) is not recorded
        else:
            break
        finally:
            journal.reader.close()
    else:
        pytest.fail("the erasure never completed")
    assert finished > 5


def test_a_full_disk_refuses_the_entry_and_leaves_nothing_half_written(path: Path) -> None:
    budget = Budget(0, OSError(errno.ENOSPC, "no room"))
    journal = Journal(FailingFolder(path, budget), KEY, noon)
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    for room_bytes in range(0, 380, 7):
        budget.room_bytes = room_bytes
        with pytest.raises(DiskFull):
            journal.append(about("person-7"))
        assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    budget.room_bytes = 0
    with pytest.raises(DiskFull):
        journal.erase([1], actor="op-1")
    budget.room_bytes = 10**6
    assert journal.append(about("person-7")).sequence == 7
    journal.close()
    assert require_whole(path, {8}) == 8


def test_an_action_whose_entry_cannot_be_written_does_not_happen(path: Path) -> None:
    budget = Budget(0, OSError(errno.ENOSPC, "no room"))
    journal = Journal(FailingFolder(path, budget), KEY, noon)
    happened = False
    with pytest.raises(DiskFull), journal.intent(about("person-7")):
        happened = True
    assert not happened
    journal.close()


def test_an_abort_that_cannot_be_written_does_not_hide_the_error(path: Path) -> None:
    budget = Budget(10**6, OSError(errno.ENOSPC, "no room"))
    journal = Journal(FailingFolder(path, budget), KEY, noon)

    def act() -> None:
        with journal.intent(about("person-7")):
            budget.room_bytes = 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        act()
    assert "aborted" in caught.value.__notes__[0]
    journal.close()
    with Journal.open(path, KEY, noon) as again:
        assert again.settle(lambda _: False) == (7,)


@pytest.mark.parametrize("name", ["contents", "tree", "checkpoint.0", "checkpoint.1"])
def test_after_a_disk_error_nothing_is_written_until_the_ledger_is_reopened(
    path: Path, name: str
) -> None:
    budget = Budget(10**6, OSError(errno.EIO, "broken"))
    journal = Journal(FailingFolder(path, budget), KEY, noon)
    budget.broken_sync = name

    def append_twice() -> None:  # the two slots take turns
        for number in (7, 8):
            journal.append(about(f"person-{number}"))

    with pytest.raises(LedgerUnwritable):
        append_twice()
    budget.broken_sync = ""
    with pytest.raises(LedgerUnwritable):
        journal.append(about("person-9"))
    journal.close()
    require_whole(path, {7, 8, 9})


def test_a_creation_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "ledger.new").mkdir()
    (tmp_path / "ledger.new" / "tree").write_bytes(b"half")
    Journal.create(tmp_path / "ledger", KEY, noon).close()
    assert verify(tmp_path / "ledger", KEY.verifier).head.size == 0


WORKER = textwrap.dedent("""
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from sayso.ledger.checkpoint import SigningKey
    from sayso.ledger.entry import Action, Draft
    from sayso.ledger.journal import Journal

    key = SigningKey.from_seed("example.org/sayso", bytes(range(32)))
    with Journal.open(Path(sys.argv[1]), key, lambda: datetime.now(UTC)) as journal:
        number = 0
        while True:
            number += 1
            receipt = journal.append(Draft(Action.SCAN, "op-1", details={"code": f"c{number}"}))
            print(receipt.sequence, f"c{number}", flush=True)
            if number % 7 == 0:
                journal.erase([receipt.sequence - 3], actor="op-1")
""")


def test_kill_9_at_any_moment_loses_nothing_acknowledged(path: Path) -> None:
    for round_number in range(6):
        with subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-c", WORKER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout is not None
            acknowledged = [process.stdout.readline()]
            time.sleep(0.003 + 0.017 * round_number)
            process.send_signal(signal.SIGKILL)
            acknowledged += process.stdout.readlines()
        whole = [line.split() for line in acknowledged if line.endswith("\n")]
        assert whole
        with Journal.open(path, KEY, lambda: datetime.now(UTC)) as journal:
            report = verify(path, KEY.verifier)
            assert not report.unfinished_erasure
            there = {entry.sequence: entry for entry in journal.reader.entries()}
            assert journal.reader.size > max(int(sequence) for sequence, _ in whole)
            gone = [sequence for sequence, _ in whole if int(sequence) not in there]
            assert len(gone) <= report.erased
            for sequence, code in whole:
                if int(sequence) in there:
                    assert there[int(sequence)].draft.details == {"code": code}
