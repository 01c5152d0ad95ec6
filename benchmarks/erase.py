"""How long an erasure takes, with its read-back, by the number of the person's sightings.

Run: ``python benchmarks/erase.py [SIGHTINGS ...]``. Everything happens in a temporary folder.
"""

import hashlib
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sayso.domain.event import Act, ConsentEvent, Evidence
from sayso.domain.grant import EVERYWHERE, Purpose
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, CollectionId, Recognition
from sayso.domain.policy import HoldTemplate, require
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.journal import Journal
from sayso.services.book import Book
from sayso.services.rights import Rights
from sayso.store.database import Database
from sayso.store.repository import Repository
from sayso.store.sealing import WorkspaceKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ADA = Person(PersonId("ada0ada0ada0"), "Ada Unusualname", None, "GB")
PEOPLE_EVERY = 10
"""One sighting in so many is of somebody else."""


def filled(folder: Path, sightings: int) -> Repository:
    """A workspace in which one person was found so many times."""
    database = Database(folder / "sayso.sqlite")
    database.create()
    repository = Repository(database, WorkspaceKey.generate())
    club = Collection(CollectionId("club"), "club", "x", Recognition.GROUP, "DPIA", None)
    other = Person(PersonId("ben0ben0ben0"), "Ben Othername", None, "GB")
    with repository.writing() as unit:
        unit.collections.declare(club, "folder", NOW)
        for person in (ADA, other):
            unit.people.add(person, NOW)
            unit.people.record([_yes(person)])
            permit = require(HoldTemplate(person.id), unit.people.consents(person.id), NOW)
            vector = np.random.default_rng(1).normal(size=128).astype(np.float32)
            unit.templates.add(permit, vector, model_sha256="ab" * 32, usable=1.0, now=NOW)
    with database.writing() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None  # noqa: S101 - SQLAlchemy gives one
        numbers = range(1, sightings + 1)
        raw.executemany(
            "INSERT INTO photos VALUES (?, 'club', ?, 1, 1, 'JPEG', 'x', 0, NULL)",
            ((n, f"{n:064x}") for n in numbers),
        )
        raw.executemany(
            "INSERT INTO faces VALUES (?, ?, .1, .1, .1, .1, NULL, 1, 100, 'sure', NULL)",
            ((n, n) for n in numbers),
        )
        raw.executemany(
            "INSERT INTO sightings VALUES (?, ?, 'match', .5, ?)",
            ((n, ADA.id if n % PEOPLE_EVERY else other.id, "ab" * 32) for n in numbers),
        )
    repository.forget()
    return repository


def _yes(person: Person) -> ConsentEvent:
    return ConsentEvent(
        act=Act.GIVEN,
        person=person.id,
        purpose=Purpose.RECOGNISE,
        target=None,
        scope=EVERYWHERE,
        at=NOW,
        evidence=Evidence(hashlib.sha256(person.id.encode()).hexdigest(), "signed form"),
    )


def _book(repository: Repository, ledger: Path) -> Book:
    signing = SigningKey.from_seed("sayso/benchmark", bytes(32))
    Journal.create(ledger, signing, lambda: NOW).close()
    return Book(repository, ledger, signing, "benchmark", lambda: NOW)


def main() -> None:
    """Print the table."""
    print("| sightings | database, MB | erase with read-back, s | bytes read back, MB |")
    print("| --- | --- | --- | --- |")
    for sightings in [int(text) for text in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            repository = filled(Path(folder), sightings)
            size = repository.database.path.stat().st_size
            book = _book(repository, Path(folder) / "ledger")
            started = time.perf_counter()
            gone = Rights(repository, book, lambda: NOW).erase(ADA.id)
            took = time.perf_counter() - started
            read = gone.certificate["read_back"]["bytes"]
            repository.database.close()
            print(f"| {sightings:,} | {size / 1e6:.0f} | {took:.1f} | {read / 1e6:.0f} |")


if __name__ == "__main__":
    main()
