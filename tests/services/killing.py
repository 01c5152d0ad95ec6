"""Kills erasures, withdrawals and retention at random, and looks at what the next start finds.

Usage: ``python killing.py FOLDER ROUNDS SEED``. Prints a line for each round: the verb, after how
much of its usual time it was killed, what became of it. Ends with status 1 at the first half-done.
"""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sayso.domain.grant import Purpose
from sayso.domain.person import PersonId
from sayso.wiring import Workspace, open_workspace

from .office import ADA_NAME, BEN_NAME, PHONE, environment, lived_in

EVERYBODY = (ADA_NAME, BEN_NAME)
PIECE = 40


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(days=4 * 366)


VERBS: Mapping[str, Callable[[Workspace], object]] = {
    "erase": lambda one: one.rights.erase(ADA_NAME),
    "withdraw": lambda one: one.rights.withdraw(ADA_NAME, Purpose.RECOGNISE),
    "retention": lambda one: one.retention(),
}


def opened(folder: Path, verb: str) -> Workspace:
    settings = environment(folder)
    if verb == "retention":
        return open_workspace(folder, settings, clock=_later)
    return open_workspace(folder, settings)


def run(folder: Path, verb: str, killed_after_s: float | None) -> tuple[float, bool]:
    """Run a verb in a process of its own; how long it took, and whether it came to its end."""
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            workspace = opened(folder, verb)
            os.write(ready[1], b"!")
            os.read(go[0], 1)
            VERBS[verb](workspace)
            os._exit(0)
        finally:
            os._exit(1)
    os.read(ready[0], 1)
    began = time.perf_counter()
    os.write(go[1], b"!")
    if killed_after_s is not None:
        time.sleep(killed_after_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    for end in (*ready, *go):
        os.close(end)
    return time.perf_counter() - began, status == 0


def secrets(folder: Path) -> tuple[dict[str, PersonId], dict[str, list[bytes]]]:
    """Ids by name; by name, what only a template leaves: sealed rows and the wrapped key."""
    with closing(open_workspace(folder, environment(folder))) as one:
        with one.repository.reading() as unit:
            ids = {person.name: person.id for person in unit.people.all()}
        with one.database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT person_id, id, sealed FROM templates").all()
        found = {
            name: [
                *(part for row in rows if row[0] == person for part in (row[1].encode(), row[2])),
                one.database.keys.wrapped(person) or b"",
            ]
            for name, person in ids.items()
        }
    return ids, found


def left(folder: Path, patterns: list[bytes]) -> list[str]:
    places = [folder, folder.parent / "out"]
    files = [file for place in places for file in sorted(place.rglob("*")) if file.is_file()]
    return [
        f"{pattern[:12]!r} in {file}"
        for file in files
        for pattern in filter(None, patterns)
        if pattern[-PIECE:] in file.read_bytes()
    ]


def judge(folder: Path, verb: str, ids: dict[str, PersonId], kept: dict[str, list[bytes]]) -> str:
    """What the next start finds; raises for what is neither done nor untouched."""
    with closing(open_workspace(folder, environment(folder))) as one:
        with one.repository.reading() as unit:
            people = {person.name for person in unit.people.all()}
            owners = set(unit.templates.counts())
        assert owners == one.database.keys.holders(), "keys and templates do not go together"
        assert one.database.keys.pending_erasures() == [], "an erasure is still open"
        assert not one.database.keys.sweep_is_due(), "old pages are still to be swept"
        one.audit.verify()
    for name in EVERYBODY:
        person = ids[name]
        if person not in owners:
            found = left(folder, kept[name])
            assert not found, f"the template of {name} went, and left {found}"
    assert BEN_NAME in people, "somebody else went"
    assert verb == "retention" or ids[BEN_NAME] in owners, "somebody else's template went"
    if verb == "erase" and ADA_NAME not in people:
        words = (ADA_NAME, ADA_NAME.casefold(), PHONE, ids[ADA_NAME])
        found = left(folder, [word.encode() for word in words])
        assert not found, f"erased, and left {found}"
        return "done"
    assert ADA_NAME in people, "somebody went who was not erased"
    assert verb != "erase" or ids[ADA_NAME] in owners, "half erased"
    return "untouched" if ids[ADA_NAME] in owners else "done"


def main(home: Path, rounds: int, seed: int) -> None:
    """Kill, open, look; again and again."""
    draw = random.Random(seed)  # noqa: S311 - moments, no secrets
    lived_in(home / "workspace").close()
    ids, kept = secrets(home / "workspace")
    for part in ("workspace", "out"):
        shutil.copytree(home / part, home / "first" / part)
    usual: dict[str, float] = {}
    for number in range(rounds):
        verb = sorted(VERBS)[number % len(VERBS)]
        folder = home / "workspace"  # the same path each time: publications know theirs
        for part in ("workspace", "out"):
            shutil.rmtree(home / part, ignore_errors=True)
            shutil.copytree(home / "first" / part, home / part)
        if verb not in usual:
            usual[verb], ended = run(folder, verb, None)
            assert ended, f"{verb} failed by itself"
            share = 1.0
        else:
            share = draw.random() * 1.1
            run(folder, verb, share * usual[verb])
        print(f"{verb:10} {share:4.2f} {judge(folder, verb, ids, kept)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
