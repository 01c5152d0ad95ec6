"""Nothing happens without its entry, whatever goes wrong; and entries tell nothing personal."""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from sayso.domain.grant import Purpose
from sayso.domain.photo import Collection, CollectionId, Recognition
from sayso.errors import (
    CheckpointInvalid,
    ClockBackwards,
    DiskFull,
    LedgerBusy,
    LedgerForked,
    LedgerUnwritable,
    SaysoError,
    WorkspaceMissing,
)
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.disk import WriterLock
from sayso.ledger.entry import Action, Entry
from sayso.ledger.proof import check
from sayso.ledger.reader import Reader
from sayso.ledger.verification import Verification
from sayso.ledger.verification import verify as verify_ledger
from sayso.services.roll import Roll
from sayso.services.takedowns import TakeDowns
from sayso.store.sealing import WorkspaceKey

from .drawing import ADA, BEN, LEFT, NOBODY, RIGHT, Head, faint, picture, vector
from .world import STAFF, WEBSITE, World, enrolment, form

PROJECT = Path(__file__).resolve().parents[2]
ALL = "recognise find name:staff publish:website"
SIGNING = SigningKey.from_seed("sayso/tests", bytes(32))
VKEY = SIGNING.verifier.encode()
KEY = WorkspaceKey(bytes(32))


def entries(world: World) -> list[Entry]:
    with Reader.open(world.folder / "ledger", SIGNING.verifier) as reader:
        return list(reader.entries())


def verified(world: World) -> Verification:
    return verify_ledger(world.folder / "ledger", SIGNING.verifier)


def told(world: World, action: Action) -> list[Entry]:
    return [entry for entry in entries(world) if entry.draft.action is action]


def furnished(world: World) -> None:
    """Ada and Ben said yes; one photograph shows Ada and a stranger, one somebody like Ada."""
    source = world.collection()
    world.enrol("Ada Unusualname", ADA, ALL, fields="phone=5550199@staff")
    world.enrol("Ben", BEN, "publish:website")
    source.put("IMG_ada.png", picture(Head(ADA, x=LEFT), Head(NOBODY, x=RIGHT)))
    source.put("doubt.png", picture(Head(faint(ADA))))
    world.scan("club")
    world.clock.forward(seconds=10)
    world.judge.mark("IMG_ada.png", world.face("IMG_ada.png", 1), "Ben")


def declare(world: World) -> None:
    world.declare(
        "more",
        world.folder.parent / "photographs-club",
        purpose="x",
        recognition=Recognition.OFF,
        basis=None,
        retain_days=None,
    )


ACTIONS: dict[str, Callable[[World], object]] = {
    "declare": declare,
    "enrol": lambda world: world.enrol("Cat", 2, ALL),
    "scan": lambda world: world.scan("club", again=True),
    "identify": lambda world: world.identify(picture(Head(ADA))),
    "verify": lambda world: world.verify("doubt.png", world.face("doubt.png"), "Ada Unusualname"),
    "find": lambda world: world.find("Ada Unusualname"),
    "mark": lambda world: world.judge.mark("doubt.png", world.face("doubt.png"), "Ben"),
    "reject": lambda world: world.judge.reject("doubt.png", world.face("doubt.png"), "Ben"),
    "reject all": lambda world: world.judge.reject_all("doubt.png", world.face("doubt.png")),
    "take back": lambda world: world.judge.take_back(
        "IMG_ada.png", world.face("IMG_ada.png", 1), "Ben"
    ),
    "screen": lambda world: world.screen("club", WEBSITE),
    "people": lambda world: Roll(world.repository, world.book, world.clock)(),
    "publish": lambda world: world.publish(world.folder.parent / "out"),
    "withdraw": lambda world: world.rights.withdraw("Ada Unusualname"),
    "erase": lambda world: world.rights.erase("Ada Unusualname"),
}


@contextmanager
def vanished(world: World) -> Iterator[None]:
    ledger = world.folder / "ledger"
    ledger.rename(world.folder / "elsewhere")
    yield
    (world.folder / "elsewhere").rename(ledger)


@contextmanager
def held(world: World) -> Iterator[None]:
    lock = WriterLock(world.folder / "ledger")
    yield
    lock.release()


@contextmanager
def full(world: World) -> Iterator[None]:
    """No file may grow beyond what the ledger's has: what a full disk does, without filling one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = (world.folder / "ledger" / "contents").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def no_copy(world: World) -> Iterator[None]:
    world.book.kept = world.folder / "unplugged" / "checkpoint"
    yield
    world.book.kept = None


@contextmanager
def behind(world: World) -> Iterator[None]:
    world.clock.now -= timedelta(seconds=1)
    yield
    world.clock.now += timedelta(seconds=1)


def rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Every row but data keys: one without a template, made before it, opens nothing."""
    return {name: kept for name, kept in world.rows().items() if name != "data_keys"}


FAULTS: list[tuple[Callable[[World], AbstractContextManager[None]], type[SaysoError], set[str]]] = [
    (vanished, WorkspaceMissing, set()),
    (held, LedgerBusy, set()),
    (full, DiskFull, set()),
    (no_copy, LedgerUnwritable, set()),
    (behind, ClockBackwards, {"withdraw", "erase"}),  # a refusal is never impossible
]


@pytest.mark.parametrize(("fault", "error", "possible"), FAULTS, ids=lambda one: getattr(
    one, "__name__", ""))  # fmt: skip
def test_no_action_happens_whose_entry_cannot_be_written(
    world: World,
    fault: Callable[[World], AbstractContextManager[None]],
    error: type[SaysoError],
    possible: set[str],
) -> None:
    furnished(world)
    before, size = rows(world), verified(world).head.size
    out = world.folder.parent / "out"
    for name, act in ACTIONS.items():
        if name in possible:
            continue
        with fault(world), pytest.raises(error):
            act(world)
        assert rows(world) == before, name
        assert not list(out.rglob("*.png")), name
    for entry in entries(world)[size:]:  # written, and said at once not to have happened
        assert fault is no_copy
        assert entry.draft.action is Action.ABORTED or entry.draft.stage == "intent"
    aborted = sum(last - first + 1 for entry in told(world, Action.ABORTED)
                  for first, last in entry.draft.targets)  # fmt: skip
    assert verified(world).head.size == size + aborted + len(told(world, Action.ABORTED))
    # With the fault gone each of them works.
    for name, act in ACTIONS.items():
        if name != "erase":
            world.clock.forward(seconds=1)
            if name == "reject all":
                world.judge.take_back("doubt.png", world.face("doubt.png"), "Ben")
            act(world)


@pytest.mark.parametrize("after", [0, 1], ids=["before the copies", "before the end"])
def test_no_copy_lies_anywhere_without_a_name_on_the_take_down_list(
    world: World, after: int
) -> None:
    furnished(world)
    world.look()
    ledger, out = world.folder / "ledger", world.folder.parent / "out"

    def unplug(done: int, _total: int) -> None:
        if done >= after and ledger.is_dir():
            ledger.rename(world.folder / "elsewhere")

    with pytest.raises(WorkspaceMissing):
        world.publishing("club", out, "website", "fill", progress=unplug)  # type: ignore[arg-type]
    (world.folder / "elsewhere").rename(ledger)
    copies = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert bool(copies) == bool(after)
    listed = {Path(one.path) for one in world.rights.withdraw("Ada Unusualname").published}
    assert {out / copy for copy in copies if "ada" in copy} <= listed
    steps = [entry.draft.details["step"] for entry in told(world, Action.PUBLICATION)]
    assert steps == ["begun"]


WITHDRAWAL = """
import sys
import time
from pathlib import Path
from tests.services.test_book import KEY
from tests.services.world import HandClock, World

world = World(Path(sys.argv[1]), KEY, HandClock(), {})
world.clock.forward(seconds=10)


class Hanging(type(Path())):
    '''A place that does not answer: whoever writes the copy waits here, entered, not done.'''

    def with_name(self, name):
        time.sleep(600)


world.book.kept = Hanging(sys.argv[2])
world.rights.withdraw("Ada Unusualname")
"""


def script(text: str, *arguments: str | Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", text, *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"},
    )


def test_a_process_killed_between_entry_and_commit_leaves_an_aborted_entry(
    tmp_path: Path,
) -> None:
    world = World.create(tmp_path / "workspace", KEY)
    furnished(world)
    world.book.settle()
    before, size = rows(world), verified(world).head.size
    copy = tmp_path / "checkpoint"
    with script(WITHDRAWAL, world.folder, copy) as process:
        until = time.monotonic() + 60
        while verified(world).head.size == size:
            assert time.monotonic() < until
            time.sleep(0.02)
        process.kill()
    assert rows(world) == before
    other = world.beside()
    assert other.book.needs_settling()
    assert other.book.settle() == (size,)
    assert not other.book.needs_settling()
    intended, aborted = entries(world)[size:]
    assert intended.draft.action is Action.WITHDRAWAL
    assert (aborted.draft.action, aborted.draft.targets) == (Action.ABORTED, ((size, size),))
    assert other.book.settle() == ()
    assert verified(world).unfinished_bytes == 0
    other.close()
    world.close()


MARKING = """
import sys
from pathlib import Path
from tests.services.test_book import KEY
from tests.services.world import HandClock, World

world = World(Path(sys.argv[1]), KEY, HandClock(), {})
world.clock.forward(seconds=10)
for _ in range(10):
    world.judge.mark("doubt.png", world.face("doubt.png"), "Ben")
    world.find("Ada Unusualname")
"""


def test_several_processes_write_in_turn(tmp_path: Path) -> None:
    world = World.create(tmp_path / "workspace", KEY)
    furnished(world)
    size = verified(world).head.size
    processes = [script(MARKING, world.folder) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert verified(world).head.size == size + 60
    assert world.book.settle() == ()  # every one of them was carried out
    world.close()


def test_entries_hold_neither_names_nor_features_nor_files(world: World) -> None:
    furnished(world)
    for name, act in ACTIONS.items():
        if name not in {"erase", "take back", "reject all"}:
            act(world)
    contents = b"".join(file.read_bytes() for file in (world.folder / "ledger").iterdir())
    hidden = [b"Unusualname", b"unusualname", b"Ben", b"5550199", b"phone", b"IMG_ada", b"doubt",
              b".png", b"yearbook", b"club", b"signed form", vector(ADA).tobytes()[:16],
              vector(ADA).tobytes().hex()[:16].encode()]  # fmt: skip
    assert [text for text in hidden if text in contents] == []
    assert form("Ada Unusualname").sha256.encode() in contents


def test_every_action_leaves_the_entry_that_says_what_was_done(world: World) -> None:
    furnished(world)
    ada = told(world, Action.CONSENT)[0].draft.subjects
    said = entries(world)
    assert [entry.draft.action.value for entry in said] == [
        "collection", "consent", "enrolment", "consent", "scan", "scan", "review",
    ]  # fmt: skip
    assert {entry.draft.actor for entry in said} == {"account-7"}
    consent, enrolled, begun, ended = (said[n].draft.details for n in (1, 2, 4, 5))
    assert consent["grants"] == ALL.split()
    assert consent["evidence_sha256"] == form("Ada Unusualname").sha256
    assert (enrolled["references"], len(str(enrolled["model_sha256"]))) == (1, 64)
    assert (begun["step"], begun["photographs"]) == ("begun", 0)
    assert (ended["step"], ended["photographs"], ended["faces"]) == ("ended", 2, 3)
    assert (ended["gallery_size"], ended["collection"]) == (1, begun["collection"])
    assert ended["gallery_version"] is not None

    done = len(entries(world))
    world.identify(picture(Head(ADA), Head(NOBODY, x=RIGHT)))
    identified, disclosed = entries(world)[done:]
    assert identified.draft.action is Action.IDENTIFICATION
    assert (identified.draft.details["faces"], identified.draft.subjects) == (2, ())
    assert identified.draft.details["gallery_size"] == 1
    assert (disclosed.draft.action, disclosed.draft.subjects) == (Action.DISCLOSURE, ada)
    assert disclosed.draft.details["audience"] == STAFF
    world.identify(picture(Head(NOBODY)))  # nobody told: no disclosure
    assert entries(world)[-1].draft.action is Action.IDENTIFICATION

    done = len(entries(world))
    world.find("Ada Unusualname")
    world.judge.take_back("IMG_ada.png", world.face("IMG_ada.png", 1), "Ben")
    world.publish(world.folder.parent / "out")
    world.rights.withdraw("Ada Unusualname", Purpose.PUBLISH)
    accessed, taken, first, *looks, last, withdrawn, listed = entries(world)[done:]
    shown = looks.pop(1)
    assert {one.draft.action for one in looks} == {Action.SCAN}
    looked = [(one.draft.details["step"], one.draft.details["photographs"]) for one in looks]
    assert looked == [("scrutiny_begun", 0), ("scrutiny_ended", 2)]
    assert (accessed.draft.action, accessed.draft.subjects) == (Action.ACCESS, ada)
    assert (taken.draft.action, taken.draft.details["said"]) == (Action.REVIEW, "taken_back")
    steps = [(one.draft.details["step"], one.draft.details["copies"]) for one in (first, last)]
    assert steps == [("begun", 0), ("ended", 1)]
    assert (shown.draft.action, shown.draft.subjects) == (Action.DISCLOSURE, ada)
    assert shown.draft.details["channel"] == "website"
    assert (withdrawn.draft.subjects, withdrawn.draft.details["purposes"]) == (ada, ["publish"])
    assert listed.draft.action is Action.TAKEDOWN


def test_whom_a_screening_or_a_list_tells_of_is_entered_before_it_is_told(world: World) -> None:
    furnished(world)
    ada, ben = [entry.draft.subjects[0] for entry in told(world, Action.CONSENT)]
    done = len(entries(world))
    screening = world.screen("club", WEBSITE)
    [entry] = entries(world)[done:]
    assert screening.people() == set(entry.draft.subjects) == {ada, ben}  # Ben is marked
    assert entry.draft.action is Action.DISCLOSURE
    said = entry.draft.details
    assert (said["of"], said["channel"], said["audience"]) == ("screening", "website", "staff")
    assert (said["photographs"], said["collection"]) == (2, screening.collection.id)
    world.screen.unread("club", WEBSITE)  # by the program alone: nobody is told
    Roll(world.repository, world.book, world.clock)()
    [listing] = entries(world)[done + 1 :]
    assert (listing.draft.action, listing.draft.details) == (Action.DISCLOSURE, {"of": "people"})
    assert set(listing.draft.subjects) == {ada, ben}
    world.rights.erase("Ada Unusualname")  # and goes with the person
    assert ada not in str([one.draft for one in entries(world)])


def test_a_screening_that_tells_of_nobody_leaves_no_entry(world: World) -> None:
    world.collection().put("a.png", picture(Head(NOBODY)))
    world.scan("club")
    done = len(entries(world))
    assert world.screen("club", WEBSITE).people() == frozenset()
    assert not Roll(world.repository, world.book, world.clock)()
    assert entries(world)[done:] == []


def test_what_opened_templates_is_entered_with_the_key_and_how_many(world: World) -> None:
    furnished(world)
    world.identify(picture(Head(ADA)))
    key = world.repository.vault.key_id
    assert (len(key), key in world.key.secret.hex()) == (16, False)
    scanned, identified = told(world, Action.SCAN)[-1], told(world, Action.IDENTIFICATION)[-1]
    [enrolled] = told(world, Action.ENROLMENT)
    # Once: the gallery stays in memory to catch up, and to identify.
    assert (scanned.draft.details["key"], scanned.draft.details["templates_opened"]) == (key, 1)
    said = identified.draft.details
    assert (said["key"], said["templates_opened"]) == (key, 0)
    beside = world.beside()
    beside.identify(picture(Head(ADA)))
    assert told(world, Action.IDENTIFICATION)[-1].draft.details["templates_opened"] == 1
    beside.close()
    assert enrolled.draft.details["key"] == key


def test_a_consent_for_a_thousand_collections_is_entered_by_count_and_digest(world: World) -> None:
    names = [f"event-{number}" for number in range(1000)]
    with world.repository.writing() as unit:
        for name in names:
            number = CollectionId(f"c-{name}")
            held = Collection(number, name, "yearbook", Recognition.OFF, None, None)
            unit.collections.declare(held, f"/photographs/{name}", world.clock())
    done = world.enrol("Ada", ADA, "recognise find", collections=tuple(names))
    said = told(world, Action.CONSENT)[-1].draft.details
    assert (said["grants"], said["collections_count"]) == (["recognise", "find"], 1000)
    assert "collections" not in said
    with world.repository.reading() as unit:  # the record has the list, which the entry binds
        scope = unit.people.consents(done.person.id).events[0].scope.collections
    assert scope is not None
    written = json.dumps(sorted(scope), separators=(",", ":")).encode()
    assert said["collections_sha256"] == hashlib.sha256(written).hexdigest()
    assert verified(world).head.size == len(entries(world))


def test_what_goes_on_the_take_down_list_is_entered_where_it_goes_there(world: World) -> None:
    furnished(world)
    world.publish(world.folder.parent / "out")
    done = len(entries(world))
    withdrawn = world.rights.withdraw("Ada Unusualname", Purpose.PUBLISH)
    assert check(withdrawn.receipt, VKEY).entry.draft.action is Action.WITHDRAWAL
    first, listed = entries(world)[done:]
    assert (first.draft.action, listed.draft.action) == (Action.WITHDRAWAL, Action.TAKEDOWN)
    assert listed.draft.subjects == first.draft.subjects
    said = listed.draft.details
    assert (said["listed"], said["reason"]) == (1, "withdrawn")
    again = TakeDowns(world.repository, world.book, world.clock)
    assert len(again()) == 1
    [told] = [one.draft for one in entries(world)[done + 2 :]]  # nothing new; but it was told
    assert (told.action, told.subjects) == (Action.TAKEDOWN, first.draft.subjects)
    assert told.details == {"told": 1}


def test_what_lapsed_goes_on_the_take_down_list_by_itself_and_is_entered(world: World) -> None:
    source = world.collection()
    source.put("a.png", picture(Head(ADA)))
    world.enrol("Ada", ADA, ALL, expires=world.clock.now + timedelta(days=1))
    world.scan("club")
    world.publish(world.folder.parent / "out")
    world.clock.forward(days=2)
    done = len(entries(world))
    assert len(TakeDowns(world.repository, world.book, world.clock)()) == 1
    listed, told = entries(world)[done:]
    assert listed.draft.action is told.draft.action is Action.TAKEDOWN
    assert told.draft.details == {"told": 1}
    assert (listed.draft.details["listed"], listed.draft.details["reason"]) == (1, "expired")


def test_what_lapses_by_itself_is_entered_too(world: World) -> None:
    world.collection()
    ada = world.enrol("Ada", ADA, "recognise", expires=world.clock.now + timedelta(days=1)).person
    world.clock.forward(days=2)
    with vanished(world), pytest.raises(WorkspaceMissing):
        world.scan("club")
    assert world.count("templates") == 1
    world.scan("club")
    assert world.count("templates") == 0
    assert [entry.draft.subjects for entry in told(world, Action.RETENTION)] == [(ada.id,)]


def test_erasing_leaves_proofs_whole_and_nothing_to_read(world: World) -> None:
    furnished(world)
    consent, enrolled = told(world, Action.CONSENT)[0], told(world, Action.ENROLMENT)[0]
    receipt = world.rights.withdraw("Ada Unusualname", Purpose.PUBLISH).receipt
    proof = world.book.prove(consent.sequence)
    with Reader.open(world.folder / "ledger", SIGNING.verifier) as reader:
        salts = [reader.kept(one.sequence).salt for one in (consent, enrolled)]
    gone = world.rights.erase("Ada Unusualname")
    kept = world.on_disk()
    assert gone.person.encode() not in kept
    assert [salt for salt in salts if salt in kept] == []
    assert consent.canonical() not in kept
    for earlier in (proof, receipt):
        assert check(earlier, VKEY).entry.draft.subjects == (gone.person,)
    certificate = check(gone.receipt, VKEY).entry
    assert certificate.draft.action is Action.ERASURE
    assert certificate.draft.subjects == ()
    assert verified(world).erased == sum(b - a + 1 for a, b in certificate.draft.targets)
    assert {entry.draft.subjects for entry in entries(world) if entry.draft.subjects}


def test_a_clock_set_back_stands_in_the_way_of_no_refusal(world: World) -> None:
    furnished(world)
    world.clock.now -= timedelta(days=400)
    for act in (ACTIONS["enrol"], ACTIONS["scan"]):  # seen from then, no yes was given yet
        with pytest.raises(ClockBackwards):
            act(world)
    assert world.count("templates") == 1
    assert world.rights.withdraw("Ada Unusualname", Purpose.PUBLISH).templates == 0
    done = world.rights.withdraw("Ada Unusualname")
    assert done.templates == 1
    entry = check(done.receipt, VKEY).entry
    assert entry.draft.details["clock_behind"] is True
    assert entry.at == entries(world)[-2].at
    world.clock.now += timedelta(days=400)  # and it holds when the clock is right again
    assert world.identify(picture(Head(ADA)))[0].person is None
    world.clock.now -= timedelta(days=400)
    assert world.rights.erase("Ada Unusualname").receipt
    assert verified(world).erased


def test_the_very_same_enrolment_again_is_no_entry(world: World) -> None:
    furnished(world)
    size = len(entries(world))
    assert world.enrolling(
        enrolment("Ada Unusualname", ADA, ALL, fields="phone=5550199@staff")
    ).unchanged
    assert len(entries(world)) == size


def test_an_older_ledger_in_the_place_of_this_one_is_found_on_opening(world: World) -> None:
    world.collection()
    ledger, old = world.folder / "ledger", world.folder.parent / "old"
    shutil.copytree(ledger, old)
    world.enrol("Ada", ADA, ALL)
    shutil.rmtree(ledger)
    shutil.copytree(old, ledger)
    verified(world)  # whole in itself
    with pytest.raises(LedgerForked):
        world.beside().book.needs_settling()


def test_the_copy_of_a_checkpoint_is_the_newest_and_survives_a_rewritten_ledger(
    world: World, tmp_path: Path
) -> None:
    copy = world.book.kept = tmp_path / "elsewhere"
    world.collection()
    shutil.copytree(world.folder / "ledger", tmp_path / "old")
    world.enrol("Ada", ADA, ALL)
    with Reader.open(world.folder / "ledger", SIGNING.verifier) as reader:
        assert copy.read_bytes() == reader.head.note
    world.rights.erase("Ada")
    evidence = copy.read_bytes()
    assert evidence.split(b"\n")[1] == str(verified(world).head.size).encode()
    shutil.rmtree(world.folder / "ledger")
    (tmp_path / "old").rename(world.folder / "ledger")
    with pytest.raises(LedgerForked):
        world.enrol("Ben", BEN, ALL)
    copy.write_text("a file of somebody's")
    with pytest.raises(CheckpointInvalid):
        world.enrol("Ben", BEN, ALL)
    assert copy.read_text() == "a file of somebody's"
    assert world.count("persons") == 0
