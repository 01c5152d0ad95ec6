"""Verification: whatever is done to the files behind the journal's back, it is found and named."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sayso.errors import LedgerError, LedgerForked, LedgerTampered, ProofInvalid
from sayso.ledger import erasure, merkle, proof, records
from sayso.ledger.checkpoint import Checkpoint, SigningKey, sign_checkpoint
from sayso.ledger.entry import Action, Draft, Entry, commitment
from sayso.ledger.journal import Journal
from sayso.ledger.reader import Reader
from sayso.ledger.verification import verify

FLIPPING = Path(__file__).with_name("flipping.py")
KEY = SigningKey.from_seed("example.org/sayso", bytes(range(32)))
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def noon() -> datetime:
    return NOON


def fill(path: Path, entries: int, batch: int) -> None:
    with Journal.create(path, KEY, noon) as journal:
        for start in range(0, entries, batch):
            journal.append_all(
                [
                    Draft(Action.CONSENT, "op-1", (f"person-{start + number}",))
                    for number in range(batch)
                ]
            )
        journal.erase([2, 3, entries // 2], actor="op-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    fill(tmp_path / "ledger", 20, 4)
    return tmp_path / "ledger"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("large") / "ledger"
    fill(path, 10_000, 1000)
    yield path
    shutil.rmtree(path)


def require_found(file: Path, data: bytes, place: int, bits: int) -> LedgerError:
    """Bend one byte, verify, mend it; the fault that was found."""
    with file.open("r+b", buffering=0) as opened:
        opened.seek(place)
        opened.write(bytes([data[place] ^ bits]))
        try:
            with pytest.raises(LedgerError) as caught:
                verify(file.parent, KEY.verifier)
        finally:
            opened.seek(place)
            opened.write(data[place : place + 1])
    return caught.value


def data_files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.name != "lock")


def test_a_log_of_20_entries_has_no_byte_that_could_change_unseen(path: Path) -> None:
    for file in data_files(path):
        data = file.read_bytes()
        assert data
        for place in range(len(data)):
            require_found(file, data, place, 1 << place % 8)
    assert verify(path, KEY.verifier).erased == 3


def test_a_changed_byte_of_a_log_of_10_000_entries_is_found(large: Path) -> None:
    for file in data_files(large):
        data = file.read_bytes()
        for place in random.sample(range(len(data)), 12):
            require_found(file, data, place, random.randrange(1, 256))  # noqa: S311 - no secret
    assert verify(large, KEY.verifier).head.size == 10_001


def flipped(path: Path, stride: int = 1, offset: int = 0) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(FLIPPING), str(path), KEY.verifier.encode()]
    command += [str(stride), str(offset)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - ours


def test_the_program_that_changes_every_byte_tells_of_one_that_changes_nothing(path: Path) -> None:
    with (path / "contents").open("ab") as contents:
        contents.write(b"beyond")
    told = json.loads(flipped(path, 40, 7).communicate()[0])
    assert told["whole"]
    assert told["never_read"] == {**dict.fromkeys(told["never_read"], 0), "contents": 6}
    assert told["unseen"] == []
    assert sum(told["changed"].values()) > 100


@pytest.mark.skipif(not os.environ.get("SAYSO_SOAK"), reason="takes an hour of CPU: just soak")
def test_every_changed_byte_of_a_log_of_10_000_entries_is_found(large: Path) -> None:
    cores = os.cpu_count() or 1
    running = [flipped(large, cores, core) for core in range(cores)]
    told = [json.loads(one.communicate()[0]) for one in running]
    sizes = {file.name: len(file.read_bytes()) for file in data_files(large)}
    assert all(one["whole"] for one in told)
    assert [one["unseen"] for one in told] == [[]] * cores
    assert {name: sum(one["changed"][name] for one in told) for name in sizes} == sizes


@pytest.mark.parametrize("sequence", [0, 7, 19, 20])
def test_the_changed_entry_is_named(path: Path, sequence: int) -> None:
    with Reader.open(path, KEY.verifier) as reader:
        begin, _ = reader.place(sequence)
    data = (path / "contents").read_bytes()
    content = begin + records.HEADER_BYTES + 40
    fault = require_found(path / "contents", data, content, 4)
    assert isinstance(fault, LedgerTampered)
    assert fault.where == f"contents or tree, entry {sequence}"
    assert fault.exit_status == 3


def swap_frames(path: Path, first: int, second: int) -> None:
    with Reader.open(path, KEY.verifier) as reader:
        places = [reader.place(first), reader.place(second)]
    assert places[0][1] == places[1][1]
    data = bytearray((path / "contents").read_bytes())
    frames = [bytes(data[begin : begin + length]) for begin, length in places]
    for (begin, length), frame in zip(places, reversed(frames), strict=True):
        data[begin : begin + length] = frame
    (path / "contents").write_bytes(data)


def test_reordered_entries_are_found(path: Path) -> None:
    swap_frames(path, 12, 13)
    with pytest.raises(LedgerTampered, match="entry 12"):
        verify(path, KEY.verifier)


def test_content_removed_without_an_erasure_entry_is_found(path: Path) -> None:
    with Reader.open(path, KEY.verifier) as reader:
        begin, length = reader.place(8)
    with (path / "contents").open("r+b") as contents:
        contents.seek(begin)
        contents.write(records.erased_frame(8, length))
    with pytest.raises(LedgerTampered, match="entry 8, found it removed"):
        verify(path, KEY.verifier)


def test_content_that_came_back_after_its_erasure_is_found_and_erased_again(
    path: Path,
) -> None:
    with Journal.open(path, KEY, noon) as journal:
        before = (path / "contents").read_bytes()
        journal.erase([9], actor="op-1")
        begin, length = journal.reader.place(9)
        with (path / "contents").open("r+b") as contents:  # as from a backup
            contents.seek(begin)
            contents.write(before[begin : begin + length])
        with pytest.raises(LedgerTampered, match="entry 9"):
            verify(path, KEY.verifier)
        assert erasure.replay(journal.reader) == 1
    assert verify(path, KEY.verifier).erased == 4
    assert b"person-9" not in (path / "contents").read_bytes()


@pytest.mark.parametrize("name", ["contents", "tree", "checkpoint.0", "checkpoint.1"])
def test_a_shortened_or_missing_file_is_found(path: Path, name: str) -> None:
    whole = (path / name).read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 64, len(whole) - 1):
        (path / name).write_bytes(whole[:length])
        with pytest.raises(LedgerTampered):
            verify(path, KEY.verifier)
    (path / name).unlink()
    with pytest.raises(LedgerTampered):
        verify(path, KEY.verifier)


def test_bytes_beyond_the_head_are_said(path: Path) -> None:
    with (path / "contents").open("ab") as contents:
        contents.write(b"beyond")
    assert verify(path, KEY.verifier).unfinished_bytes == 6
    with Journal.open(path, KEY, noon) as journal:
        assert journal.recovery.cut_bytes == 6
    assert verify(path, KEY.verifier).unfinished_bytes == 0


def test_old_checkpoints_replayed_over_the_new_ones_lose_no_entry(path: Path) -> None:
    old = {slot.name: slot.read_bytes() for slot in path.glob("checkpoint.*")}
    with Journal.open(path, KEY, noon) as journal:
        for _ in range(3):
            journal.append(Draft(Action.LOGIN, "op-1"))
        newest = journal.reader.head.checkpoint
    for name, note in old.items():
        (path / name).write_bytes(note)
    assert verify(path, KEY.verifier).unfinished_bytes > 0
    with pytest.raises(LedgerForked):
        verify(path, KEY.verifier, [newest])
    with Journal.open(path, KEY, noon) as journal:
        assert journal.recovery.kept_entries == 3
        assert journal.reader.head.checkpoint == newest
    assert verify(path, KEY.verifier, [newest]).unfinished_bytes == 0


def test_a_stored_node_that_the_head_does_not_vouch_for_is_not_believed(path: Path) -> None:
    with Reader.open(path, KEY.verifier) as reader:
        entries = [entry.draft for entry in reader.entries()]
        left = reader.read_node(1, 0)
        old = Checkpoint(KEY.name, 2, left)
        reader.require_continues(old)
    forged = path.with_name("forged")
    with Journal.create(forged, KEY, noon) as journal:
        journal.append_all([draft for draft in entries if draft.action is Action.CONSENT])
    with (forged / "tree").open("r+b") as tree:
        tree.seek(records.node_offset(1, 0))
        tree.write(left)
    with Reader.open(forged, KEY.verifier) as reader:
        with pytest.raises(LedgerForked):
            reader.require_continues(old)
        with pytest.raises(LedgerTampered):
            reader.prove(2)


def test_an_older_copy_of_the_whole_folder_is_caught_by_a_newer_checkpoint(path: Path) -> None:
    backup = path.with_name("backup")
    shutil.copytree(path, backup)
    with Journal.open(path, KEY, noon) as journal:
        journal.append(Draft(Action.LOGIN, "op-1"))
        newer = journal.reader.head.checkpoint
    assert verify(backup, KEY.verifier).head.size == 21  # nothing in it is wrong by itself
    with pytest.raises(LedgerForked, match="at least 22 entries"):
        verify(backup, KEY.verifier, [newer])


def test_a_log_rewritten_with_the_private_key_is_caught_by_an_old_checkpoint(
    path: Path, tmp_path: Path
) -> None:
    with Reader.open(path, KEY.verifier) as reader:
        old = reader.head.checkpoint
        entries = [entry.draft for entry in reader.entries()]
    with Journal.create(tmp_path / "forged", KEY, noon) as forged:
        forged.append_all([draft for draft in entries if draft.action is Action.CONSENT])
        forged.append_all([Draft(Action.LOGIN, "op-1") for _ in range(9)])
    assert verify(tmp_path / "forged", KEY.verifier).head.size > old.size
    with pytest.raises(LedgerForked, match="signed at 21 entries"):
        verify(tmp_path / "forged", KEY.verifier, [old])


def test_a_fork_is_caught_where_both_branches_signed(path: Path) -> None:
    branch = path.with_name("branch")
    shutil.copytree(path, branch)
    heads = []
    for folder in (path, branch):
        with Journal.open(folder, KEY, noon) as journal:
            journal.append(Draft(Action.LOGIN, "op-1"))
            heads.append(journal.reader.head.checkpoint)
    assert verify(path, KEY.verifier, heads[:1]).head.size == 22
    with pytest.raises(LedgerForked):
        verify(path, KEY.verifier, heads)
    with pytest.raises(LedgerForked):
        verify(branch, KEY.verifier, heads[:1])


def test_a_fork_that_was_signed_in_the_older_slot_is_caught(path: Path) -> None:
    with Reader.open(path, KEY.verifier) as reader:
        (older,) = reader.heads.others
    forked = Checkpoint(KEY.name, older.checkpoint.size, bytes(32))
    (path / older.slot).write_bytes(sign_checkpoint(forked, KEY))
    with pytest.raises(LedgerForked):
        verify(path, KEY.verifier)


def test_an_entry_signed_for_at_another_place_is_neither_verified_nor_proven(
    tmp_path: Path,
) -> None:
    with Journal.create(tmp_path / "forged", KEY, noon) as journal:
        content = Entry(5, NOON, Draft(Action.LOGIN, "op-1")).canonical()
        leaf = commitment(bytes(32), content)
        frame = records.kept_frame(0, bytes(32), content)
        head = Checkpoint(KEY.name, 1, merkle.leaf_hash(leaf))
        note = sign_checkpoint(head, KEY)
        (tmp_path / "forged" / "contents").write_bytes(frame)
        (tmp_path / "forged" / "tree").write_bytes(records.leaf_record(leaf, len(frame), ()))
        (tmp_path / "forged" / journal.reader.head.slot).write_bytes(note)
    with pytest.raises(LedgerTampered, match="entries in order"):
        verify(tmp_path / "forged", KEY.verifier)
    forged = proof.write(salt=bytes(32), content=content, index=0, path=(), signed_checkpoint=note)
    with pytest.raises(ProofInvalid, match="entry 5 at its place"):
        proof.check(forged, KEY.verifier.encode())


def test_a_checkpoint_of_another_log_proves_nothing(path: Path, tmp_path: Path) -> None:
    another = SigningKey.from_seed("example.org/another", bytes(32))
    with Journal.create(tmp_path / "another", another, noon) as journal:
        foreign = journal.reader.head.checkpoint
    with pytest.raises(LedgerForked, match=r"example\.org/another"):
        verify(path, KEY.verifier, [foreign])
