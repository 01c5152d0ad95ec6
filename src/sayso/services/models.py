"""Which models a workspace knows, what each does there, and removing one that was added."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sayso.errors import ModelInUse, ModelUnknown
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.store.models import InUse
from sayso.store.repository import Repository, Unit
from sayso.vision.manifest import loaded
from sayso.vision.models import SFACE, YUNET, ModelManifest, RecogniserManifest, kept_file

DEFAULT = SFACE
"""The recogniser of a workspace whose operator never chose one."""
GROUPS = (
    "Not measured: the photographs that it was measured with have no labels of groups, and Sayso "
    "guesses none. `sayso evaluate` sets the rates of groups side by side that you name."
)
_SHORTEST = 3


class State(StrEnum):
    """What a model does in a workspace."""

    DETECTS = "detects"
    IN_USE = "in use"
    LEFT = "being left"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model, what it does, and how many people faces are compared with by it."""

    manifest: ModelManifest
    state: State
    people: int

    def values(self) -> dict[str, Any]:
        """Its card, as plain values."""
        known = self.manifest
        card: dict[str, Any] = {
            "name": known.name,
            "sha256": known.sha256,
            "state": self.state.value,
            "people": self.people,
            "licence": known.licence,
            "source": known.source,
            "colour_order": known.colour_order,
            "training": known.training,
            "rates": known.rates,
            "groups": GROUPS,
            "limits": known.limits,
        }
        if isinstance(known, RecogniserManifest):
            card |= {
                "dimension": known.dimension,
                "calibration": asdict(known.calibration),
                "calibration_provenance": known.provenance,
            }
        return card


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which recognisers a workspace compares by, and what it says of that."""

    manifest: RecogniserManifest
    former: RecogniserManifest | None
    in_use: InUse | None


def recognisers(unit: Unit) -> Mapping[str, RecogniserManifest]:
    """Every recogniser of a workspace by its SHA-256, those that come with Sayso first."""
    added = {sha256: loaded(text) for sha256, text in unit.models.manifests().items()}
    return {DEFAULT.sha256: DEFAULT, **added}


def chosen(unit: Unit) -> Chosen:
    """Which recognisers a workspace compares by.

    Raises:
        ModelUnknown: one that is not known here.
    """
    known, in_use = recognisers(unit), unit.models.in_use()
    if in_use is None:
        return Chosen(DEFAULT, None, None)
    model, left = in_use.model_sha256, in_use.former_sha256
    for sha256 in (model, left):
        if sha256 is not None and sha256 not in known:
            raise ModelUnknown(
                expected=f"the model that this workspace compares by, SHA-256 {sha256}",
                found="none of this version of Sayso, nor of those that were added",
                remedy="Install the version of Sayso that this workspace was used with.",
            )
    return Chosen(known[model], None if left is None else known[left], in_use)


def named(known: Mapping[str, RecogniserManifest], name: str) -> RecogniserManifest:
    """A recogniser by its name, the beginning of its name, or of its SHA-256.

    Raises:
        ModelUnknown: none, or several.
    """
    wanted = name.strip().casefold()
    same = [one for one in known.values() if one.name.casefold() == wanted]
    found = same or [
        one
        for one in known.values()
        if len(wanted) >= _SHORTEST
        and (one.name.casefold().startswith(wanted) or one.sha256.startswith(wanted))
    ]
    if len(found) != 1:
        raise ModelUnknown(
            expected="the name of one model, or how it or its SHA-256 begins",
            found=f"{name!r}, which {len(found) or 'none'} of {len(known)} have",
            remedy="See `sayso models list`.",
        )
    return found[0]


@dataclass(frozen=True, slots=True)
class ModelBook:
    """The use cases.

    Attributes:
        folder: of the files of models that were added.
    """

    repository: Repository
    book: Book
    folder: Path

    def all(self) -> list[KnownModel]:
        """Every model, the detector first."""
        with self.repository.reading() as unit:
            now = chosen(unit)
            model, former = now.manifest.sha256, now.former and now.former.sha256
            people = {model: len(unit.templates.owners(model))}
            if former:
                people[former] = len(unit.templates.owners(former, besides=model))
            states = {model: State.IN_USE, former: State.LEFT}
            return [KnownModel(YUNET, State.DETECTS, 0)] + [
                KnownModel(one, states.get(sha256, State.ADDED), people.get(sha256, 0))
                for sha256, one in recognisers(unit).items()
            ]

    def one(self, name: str) -> KnownModel:
        """One model.

        Raises:
            ModelUnknown: none, or several, have this name.
        """
        everything = self.all()
        if YUNET.name.casefold().startswith(name.strip().casefold()):
            return everything[0]
        with self.repository.reading() as unit:
            wanted = named(recognisers(unit), name)
        return next(one for one in everything if one.manifest.sha256 == wanted.sha256)

    def remove(self, name: str) -> RecogniserManifest:
        """Remove a model that was added.

        Raises:
            ModelUnknown: none, or several, have this name.
            ModelInUse: people are compared by it, or it comes with Sayso.
        """
        with self.book.writing() as page:
            wanted, now = named(recognisers(page.unit), name), chosen(page.unit)
            if wanted == DEFAULT or wanted in {now.manifest, now.former}:
                raise ModelInUse(
                    expected="a model that was added and is not in use",
                    found=f"{wanted.name}, which "
                    + ("comes with Sayso" if wanted == DEFAULT else "people are compared by"),
                    remedy="Use another one first: `sayso models use NAME`, then again with --only "
                    "once everybody was asked.",
                )
            page.unit.models.remove(wanted.sha256)
            page.enter(Action.MODEL, details={"change": "removed", "model_sha256": wanted.sha256})
        kept_file(self.folder, wanted.sha256).unlink(missing_ok=True)
        return wanted
