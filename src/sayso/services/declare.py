"""Declaring what is held, why, and how far faces in it may be compared."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sayso.domain.photo import Collection, CollectionId, Recognition, declare_collection
from sayso.errors import CollectionMalformed, DatasetRefused, FolderMissing
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.ports import Clock
from sayso.store.repository import Repository


@dataclass(frozen=True, slots=True)
class Held:
    """A collection, where it lies, and how many files and faces were scanned."""

    collection: Collection
    folder: str
    files: int
    faces: int


@dataclass(frozen=True, slots=True)
class Declare:
    """The use case."""

    repository: Repository
    book: Book
    clock: Clock

    def __call__(  # noqa: PLR0913 - a declaration is these facts
        self,
        name: str,
        folder: Path,
        *,
        purpose: str,
        recognition: Recognition,
        basis: str | None,
        retain_days: int | None,
    ) -> Collection:
        """Declare a collection.

        Raises:
            CollectionExists: one of this name is declared already.
            CollectionMalformed: no name, no purpose, or less than a day of retention.
            BasisRequired: ``group`` without a basis.
            FolderMissing: the folder is not there.
        """
        now = self.clock()
        try:
            collection = declare_collection(
                id=CollectionId(uuid.uuid4().hex[:12]),
                name=name,
                purpose=purpose,
                recognition=recognition,
                basis=basis,
                retain_days=retain_days,
                now=now,
            )
        except OverflowError as error:
            raise CollectionMalformed(
                expected="a retention that ends before the calendar does",
                found=f"{retain_days} days",
                remedy="Give fewer --retain-days, or leave it out.",
            ) from error
        if not folder.is_dir():
            raise FolderMissing(
                expected=f"a folder at {folder}",
                found="none",
                remedy="Check its name, or connect the drive that it is on.",
            )
        with self.book.writing() as page:
            page.unit.collections.declare(collection, folder.resolve().as_posix(), now)
            page.enter(
                Action.COLLECTION,
                details={"collection": collection.id, "recognition": collection.recognition},
            )
        return collection

    def require_apart(self, folder: Path) -> None:
        """Refuse a folder that shares photographs with a collection.

        People in a collection were asked for its purpose, and for no other.

        Raises:
            DatasetRefused: it lies in one, or one lies in it.
        """
        place = folder.resolve()
        for held in self.all():
            other = Path(held.folder)
            if place.is_relative_to(other) or other.is_relative_to(place):
                raise DatasetRefused(
                    expected="labelled photographs that belong to no collection",
                    found=f"those of {held.collection.name}",
                    remedy="Use photographs of people who agreed to be compared for measuring.",
                )

    def all(self) -> Sequence[Held]:
        """Every collection, by name."""
        with self.repository.reading() as unit:
            counts = unit.collections.counts()
            return [
                Held(collection, unit.collections.folder(collection.name), *counts[collection.id])
                for collection in unit.collections.all()
            ]
