"""The journal in use: appending, intents, erasing, proving, and who may write."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.errors import (
    CheckpointInvalid,
    ClockBackwards,
    EntryForbidden,
    EntryUnknown,
    LedgerBusy,
    LedgerForked,
    LedgerTampered,
    LedgerUnwritable,
    ProofInvalid,
    WorkspaceExists,
    WorkspaceMissing,
)
from sayso.ledger import merkle, proof
from sayso.ledger.checkpoint import Checkpoint, SigningKey, open_checkpoint
from sayso.ledger.disk import PosixFolder
from sayso.ledger.entry import Action, Draft, Entry, Stage, format_time
from sayso.ledger.journal import Journal
from sayso.ledger.reader import Reader
from sayso.ledger.verification import verify
from sayso.ledger.writer import Writer

KEY = SigningKey.from_seed("example.org/sayso", bytes(range(32)))
OTHER = SigningKey.from_seed("example.org/sayso", bytes(reversed(range(32))))
VKEY = KEY.verifier.encode()
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Clock:
    """A clock that goes where it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def about(person: str, action: Action = Action.CONSENT) -> Draft:
    return Draft(action, "op-1", (person,), {"notice": "n-3"})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def journal(path: Path, clock: Clock) -> Iterator[Journal]:
    with Journal.create(path, KEY, clock) as opened:
        yield opened


def test_an_appended_entry_is_there_in_order_and_signed_for(journal: Journal, path: Path) -> None:
    receipts = [journal.append(about(f"p-{number}")) for number in range(5)]
    assert [receipt.sequence for receipt in receipts] == [0, 1, 2, 3, 4]
    assert [entry.draft.subjects[0] for entry in journal.reader.entries()] == [
        "p-0",
        "p-1",
        "p-2",
        "p-3",
        "p-4",
    ]
    assert open_checkpoint(receipts[2].note, KEY.verifier).size == 3
    assert verify(path, KEY.verifier).head.size == 5


def test_what_was_written_is_there_after_reopening(
    journal: Journal, path: Path, clock: Clock
) -> None:
    journal.append_all([about(f"p-{number}") for number in range(9)])
    written = list(journal.reader.entries())
    journal.close()
    with Journal.open(path, KEY, clock) as again:
        assert list(again.reader.entries()) == written
        assert again.recovery.cut_bytes == 0
        again.append(about("p-9"))
    assert verify(path, KEY.verifier).head.size == 10


def test_an_empty_ledger_verifies(journal: Journal, path: Path) -> None:
    assert verify(path, KEY.verifier).head == Checkpoint(KEY.name, 0, merkle.EMPTY_ROOT)
    assert journal.append_all([]) == ()
    with pytest.raises(EntryUnknown):
        journal.reader.prove(0)


def test_a_proof_checks_with_nothing_but_the_key(journal: Journal) -> None:
    for number in range(11):
        journal.append(about(f"p-{number}"))
    for number in range(11):
        verified = proof.check(journal.reader.prove(number), VKEY)
        assert verified.entry == journal.reader.entry(number)
        assert verified.checkpoint.size == 11


def test_any_changed_byte_of_a_proof_is_refused(journal: Journal) -> None:
    for number in range(6):
        journal.append(about(f"p-{number}"))
    written = journal.reader.prove(4)
    for place in range(len(written)):
        for bit in (0, 5):
            bent = bytearray(written)
            bent[place] ^= 1 << bit
            with pytest.raises((ProofInvalid, CheckpointInvalid)):
                proof.check(bytes(bent), VKEY)
        with pytest.raises((ProofInvalid, CheckpointInvalid)):
            proof.check(written[:place], VKEY)


def test_a_proof_of_another_log_or_key_is_refused(journal: Journal) -> None:
    journal.append(about("p-1"))
    written = journal.reader.prove(0)
    another = SigningKey.from_seed("example.org/another", bytes(range(32)))
    for key in (OTHER, another):
        with pytest.raises(CheckpointInvalid):
            proof.check(written, key.verifier.encode())


def test_a_proof_cannot_be_moved_to_another_entry(journal: Journal) -> None:
    journal.append_all([about("p-1"), about("p-2")])
    first, second = journal.reader.prove(0), journal.reader.prove(1)
    lines, others = first.split(b"\n"), second.split(b"\n")
    with pytest.raises(ProofInvalid):
        proof.check(b"\n".join([lines[0], others[1], *lines[2:]]), VKEY)
    with pytest.raises(ProofInvalid):
        proof.check(b"\n".join([*lines[:2], others[2], *lines[3:]]), VKEY)


def test_time_never_decreases(journal: Journal, path: Path, clock: Clock) -> None:
    journal.append(about("p-1"))
    clock.now = NOON - timedelta(seconds=1)
    with pytest.raises(ClockBackwards) as caught:
        journal.append(about("p-2"))
    assert caught.value.reason_code == "clock_backwards"
    assert journal.reader.size == 1
    journal.close()
    with Journal.open(path, KEY, clock) as again:
        with pytest.raises(ClockBackwards):
            again.append(about("p-2"))
        clock.now = NOON + timedelta(milliseconds=1)
        assert again.append(about("p-2")).entry.at == NOON
    assert not verify(path, KEY.verifier).unfinished_erasure


def test_a_clock_that_was_ahead_is_set_right_by_an_entry_that_every_auditor_sees(
    journal: Journal, path: Path, clock: Clock
) -> None:
    clock.now = NOON + timedelta(days=4000)
    journal.append(about("p-1"))
    clock.now = NOON
    with pytest.raises(ClockBackwards, match="sayso audit clock"):
        journal.append(about("p-2"))
    with pytest.raises(ClockBackwards):  # nothing slips through in its company
        journal.append_all([Draft(Action.CLOCK, "op-1"), about("p-2")])
    entry = journal.append(Draft(Action.CLOCK, "op-1")).entry
    assert (entry.at, entry.draft.details) == (
        NOON,
        {"before": format_time(NOON + timedelta(days=4000))},
    )
    assert journal.append(about("p-2")).entry.at == NOON
    assert verify(path, KEY.verifier).clock_set == (1,)
    with pytest.raises(EntryForbidden, match="nothing to set right"):
        journal.append(Draft(Action.CLOCK, "op-1"))
    journal.close()
    with Journal.open(path, KEY, clock) as again:
        assert again.append(about("p-3")).sequence == 3
        clock.now = NOON - timedelta(seconds=1)
        with pytest.raises(ClockBackwards):
            again.append(about("p-4"))


def test_an_earlier_time_without_such_an_entry_is_found(path: Path, clock: Clock) -> None:
    Journal.create(path, KEY, clock).close()
    folder = PosixFolder(path)
    writer = Writer(folder, KEY, Reader(folder, KEY.verifier, writable=True))
    writer.write([about("p-1")], NOON)
    writer.write([about("p-2")], NOON - timedelta(seconds=1))
    with pytest.raises(LedgerTampered, match="times that do not decrease in contents, entry 1"):
        verify(path, KEY.verifier)


@pytest.mark.parametrize("action", [Action.WITHDRAWAL, Action.OBJECTION, Action.TAKEDOWN])
def test_no_clock_stands_in_the_way_of_a_refusal(
    journal: Journal, path: Path, clock: Clock, action: Action
) -> None:
    journal.append(about("p-1"))
    clock.now = NOON - timedelta(days=400)
    entry = journal.append(Draft(action, "op-1", ("p-1",))).entry
    assert (entry.at, entry.draft.details) == (NOON, {"clock_behind": True})
    with pytest.raises(ClockBackwards):  # a yes in its company does not slip through
        journal.append_all([Draft(action, "op-1", ("p-1",)), about("p-1")])
    assert journal.erase([0], actor="op-1").entry.at == NOON
    clock.now = NOON
    assert journal.append(about("p-2")).entry.draft.details.get("clock_behind") is None
    assert verify(path, KEY.verifier).erased == 1


def test_there_is_one_writer_and_any_number_of_readers(
    journal: Journal, path: Path, clock: Clock
) -> None:
    journal.append(about("p-1"))
    with pytest.raises(LedgerBusy):
        Journal.open(path, KEY, clock)
    with Reader.open(path, KEY.verifier) as first, Reader.open(path, KEY.verifier) as second:
        journal.append(about("p-2"))
        assert first.entry(0) == second.entry(0)
        assert proof.check(first.prove(0), VKEY).checkpoint.size == 1
    journal.close()
    Journal.open(path, KEY, clock).close()


def test_threads_take_turns(journal: Journal, path: Path) -> None:
    def work(worker: int) -> None:
        for number in range(10):
            journal.append(about(f"p-{worker}-{number}"))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    people = [entry.draft.subjects[0] for entry in journal.reader.entries()]
    assert sorted(people) == sorted(f"p-{w}-{n}" for w in range(4) for n in range(10))
    assert verify(path, KEY.verifier).head.size == 40


def test_a_ledger_is_neither_overwritten_nor_invented(
    journal: Journal, path: Path, tmp_path: Path, clock: Clock
) -> None:
    with pytest.raises(WorkspaceExists):
        Journal.create(path, KEY, clock)
    with pytest.raises(WorkspaceMissing):
        Journal.open(tmp_path / "nowhere", KEY, clock)
    with pytest.raises(WorkspaceMissing):
        Reader.open(tmp_path, KEY.verifier)
    journal.close()
    with pytest.raises(LedgerUnwritable):
        journal.append(about("p-1"))


def test_an_action_that_fails_is_followed_by_aborted(journal: Journal) -> None:
    with pytest.raises(ZeroDivisionError), journal.intent(about("p-1")):
        raise ZeroDivisionError
    with journal.intent(about("p-2")) as receipt:
        assert receipt.entry.draft.stage is Stage.INTENT
    assert [(entry.draft.action, entry.draft.targets) for entry in journal.reader.entries()] == [
        (Action.CONSENT, ()),
        (Action.ABORTED, ((0, 0),)),
        (Action.CONSENT, ()),
    ]


def test_an_action_cut_off_by_a_crash_is_aborted_on_the_next_start(
    journal: Journal, clock: Clock, path: Path
) -> None:
    committed: set[int] = set()
    with journal.intent(about("p-1")) as receipt:
        committed.add(receipt.sequence)
    journal.append(about("p-2", Action.LOGIN))
    with journal.intent(about("p-3")) as lost:
        pass  # the process dies before its database commits
    journal.close()
    clock.now = NOON - timedelta(days=1)  # not even a wrong clock keeps the truth from the log
    with Journal.open(path, KEY, clock) as again:
        assert again.settle(committed.__contains__) == (lost.sequence,)
        assert again.settle(committed.__contains__) == ()
        *_, last = again.reader.entries()
        assert (last.draft.action, last.draft.targets) == (Action.ABORTED, ((2, 2),))
    assert verify(path, KEY.verifier).head.size == 4


def test_erasing_removes_content_and_salt_and_keeps_every_proof(
    journal: Journal, path: Path
) -> None:
    for number in range(7):
        journal.append(about(f"person-{number}"))
    kept = journal.reader.kept(3)
    before, old = journal.reader.prove(3), journal.reader.head.checkpoint
    receipt = journal.erase([3, 5], actor="op-1", details={"reason": "withdrawn"})
    assert receipt.entry.draft.targets == ((3, 3), (5, 5))
    stored = b"".join(file.read_bytes() for file in path.iterdir())
    assert kept.salt not in stored
    assert b"person-3" not in stored
    assert b"person-5" not in stored
    assert b"person-4" in stored
    assert proof.check(before, VKEY).entry.draft.subjects == ("person-3",)
    for gone in (3, 5):
        with pytest.raises(EntryUnknown):
            journal.reader.prove(gone)
    journal.reader.require_continues(old)
    assert proof.check(journal.reader.prove(4), VKEY).entry.draft.subjects == ("person-4",)
    assert verify(path, KEY.verifier, [old]).erased == 2
    assert [entry.sequence for entry in journal.reader.entries()] == [0, 1, 2, 4, 6, 7]


def test_erasing_twice_records_twice_and_harms_nothing(journal: Journal, path: Path) -> None:
    journal.append_all([about("p-1"), about("p-2")])
    journal.erase([0], actor="op-1")
    assert journal.erase([0, 1], actor="op-1").entry.draft.targets == ((1, 1),)
    assert journal.erase([0, 1], actor="op-1").entry.draft.targets == ()
    assert verify(path, KEY.verifier).erased == 2


def test_what_accounts_for_others_is_not_erased(journal: Journal) -> None:
    journal.append(about("p-1"))
    journal.erase([0], actor="op-1")
    with pytest.raises(EntryForbidden):
        journal.erase([1], actor="op-1")
    with pytest.raises(EntryForbidden):
        journal.append(Draft(Action.ERASURE, "op-1", targets=((0, 0),)))
    with pytest.raises(EntryUnknown):
        journal.erase([9], actor="op-1")


def test_the_entries_about_one_person_are_found(journal: Journal) -> None:
    for number in (1, 2, 1, 12):
        journal.append(about(f"p-{number}"))
    journal.append(Draft(Action.SCAN, "op-1", details={"code": "p-1"}))
    assert [entry.sequence for entry in journal.reader.about("p-1")] == [0, 2]


@settings(max_examples=15, deadline=None)
@given(batches=st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_every_two_checkpoints_of_a_random_history_are_consistent(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int]
) -> None:
    path = tmp_path_factory.mktemp("history") / "ledger"
    with Journal.create(path, KEY, lambda: NOON) as journal:
        heads = [journal.reader.head.checkpoint]
        for batch in batches:
            journal.append_all([about(f"p-{number}") for number in range(batch)])
            heads.append(journal.reader.head.checkpoint)
        for older in range(len(heads)):
            for newer in heads[older:]:
                merkle.verify_consistency(
                    first=heads[older].size,
                    second=newer.size,
                    first_root=heads[older].root,
                    second_root=newer.root,
                    path=merkle.consistency_proof(
                        heads[older].size, newer.size, journal.reader.read_node
                    ),
                )
        assert verify(path, KEY.verifier, heads).head == heads[-1]


def test_an_old_checkpoint_tells_a_rewritten_log_from_a_continued_one(
    journal: Journal, tmp_path: Path, clock: Clock
) -> None:
    journal.append_all([about("p-1"), about("p-2")])
    old = journal.reader.head.checkpoint
    journal.append(about("p-3"))
    assert len(journal.reader.prove_consistency(old)) > 0
    with Journal.create(tmp_path / "rewritten", KEY, clock) as forged:
        forged.append(about("p-1"))
        with pytest.raises(LedgerForked):
            forged.reader.require_continues(old)  # shorter
        forged.append_all([about("p-2"), about("p-3"), about("p-4")])
        with pytest.raises(LedgerForked):
            forged.reader.require_continues(old)  # the same entries under other salts
        with pytest.raises(LedgerForked):
            verify(tmp_path / "rewritten", KEY.verifier, [old])


def test_the_wrong_private_key_opens_nothing(journal: Journal, path: Path, clock: Clock) -> None:
    journal.append(about("p-1"))
    journal.close()
    with pytest.raises(LedgerTampered, match=r"signed by example\.org/sayso"):
        Journal.open(path, OTHER, clock)


def test_an_entry_can_be_compared_with_what_was_recorded(journal: Journal) -> None:
    receipt = journal.append(about("p-1"))
    assert receipt.entry == Entry(0, NOON, about("p-1")) == journal.reader.entry(0)
