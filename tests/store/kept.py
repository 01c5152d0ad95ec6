"""A database in a folder, with one person whose references are made of known bytes."""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from sayso.domain.event import Act, ConsentEvent, Evidence
from sayso.domain.grant import EVERYWHERE, Purpose
from sayso.domain.person import Person, PersonId
from sayso.domain.photo import Collection, CollectionId, Recognition
from sayso.domain.policy import Compare, HoldTemplate, Manner, Permit, require
from sayso.store.database import Database
from sayso.store.repository import Repository, Unit
from sayso.store.sealing import WorkspaceKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MODEL = "ab" * 32
ADA = Person(PersonId("ada0ada0ada0"), "Ada Unusualname", None, "GB")
BEN = Person(PersonId("ben0ben0ben0"), "Ben Othername", None, "GB")
CLUB = Collection(CollectionId("club"), "club", "yearbook", Recognition.GROUP, "DPIA 7", None)


@functools.cache
def fresh() -> bytes:
    """A database as it is made; made once, because that takes longer than most tests."""
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "sayso.sqlite")
        database.create()
        database.forget()
        database.close()
        return database.path.read_bytes()


@dataclass(frozen=True)
class Kept:
    """An open database."""

    folder: Path
    database: Database
    repository: Repository

    @classmethod
    def create(cls, folder: Path, key: WorkspaceKey | None = None) -> "Kept":
        folder.mkdir(exist_ok=True)
        database = Database(folder / "sayso.sqlite")
        database.path.write_bytes(fresh())
        return cls(folder, database, Repository(database, key or WorkspaceKey.generate()))

    def on_disk(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.folder.iterdir()))


def features(seed: int) -> npt.NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=128)
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


def yes(person: Person, days: float = 0) -> ConsentEvent:
    return ConsentEvent(
        act=Act.GIVEN,
        person=person.id,
        purpose=Purpose.RECOGNISE,
        target=None,
        scope=EVERYWHERE,
        at=NOW + timedelta(days=days),
        evidence=Evidence("cd" * 32, "signed form"),
    )


def hold(unit: Unit, person: Person) -> Permit:
    return require(HoldTemplate(person.id), unit.people.consents(person.id), NOW)


def compare(unit: Unit, person: Person) -> Permit:
    request = Compare(person.id, CLUB, Manner.ONE_TO_MANY)
    return require(request, unit.people.consents(person.id), NOW)


def enrol(unit: Unit, person: Person, seed: int) -> str:
    """Keep a person with one reference; gives its id."""
    unit.people.add(person, NOW)
    unit.people.record([yes(person)])
    return unit.templates.add(
        hold(unit, person), features(seed), model_sha256=MODEL, usable=1.0, now=NOW
    )
