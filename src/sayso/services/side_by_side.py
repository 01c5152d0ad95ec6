"""The scope of a collection, by one model, or by two while people move from one to the other."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sayso.domain.face import Face
from sayso.domain.matching import Likeness, Thresholds
from sayso.domain.photo import Collection
from sayso.domain.policy import Manner, require_comparable
from sayso.services.galleries import ScopeGallery
from sayso.services.ports import Clock
from sayso.services.recognition import CutOut, Recogniser, cut_out
from sayso.services.scope import CANDIDATES, Candidate, Scope, settled
from sayso.store.repository import Repository
from sayso.vision.decode import Picture


class SideBySide(Scope):
    """Two models in one scope: the one in use, and the one that is being left.

    Whoever has a reference of the model in use is compared by it alone; the others by the former.
    A face is compared with both galleries, each at the thresholds that its model has in a gallery
    of everybody: what each may get wrong is its share of the promise, and both together keep it.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        former: Recogniser,
        galleries: tuple[ScopeGallery, ScopeGallery],
        renew: Callable[[], int],
    ) -> None:
        super().__init__(recogniser, galleries[0], renew)

        def renew_here() -> int:
            opened = renew()  # of both at once, counted here
            with self._counting:
                self.opened += opened
            return 0

        self._former = Scope(former, galleries[1], renew_here)
        self.size += galleries[1].size
        self.limits = recogniser.limits(self.size)
        self._former.limits = former.limits(self.size)
        self.through = max(self.through, self._former.through)

    @property
    def parts(self) -> tuple[Scope, ...]:
        """Of the model in use, and of the former."""
        return (self, self._former)

    def people(self, *, joined_after: int = -1) -> int:
        """How many people joined after a sequence."""
        return super().people(joined_after=joined_after) + self._former.people(
            joined_after=joined_after
        )

    def compare(
        self, picture: Picture, faces: Sequence[Face], *, joined_after: int = -1
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Whom each face may be, see `Scope.compare`."""
        return self.compare_all([cut_out(picture, faces)], joined_after=joined_after)[0]

    def compare_all(
        self, many: Sequence[CutOut], *, joined_after: int = -1
    ) -> list[tuple[tuple[Candidate, ...], ...]]:
        """Whom each face of several photographs may be, by either model."""
        here = super().compare_all(many, joined_after=joined_after)
        there = self._former.compare_all(many, joined_after=joined_after)
        return [
            tuple(self._better(*both) for both in zip(first, second, strict=True))
            for first, second in zip(here, there, strict=True)
        ]

    def _better(
        self, here: Sequence[Candidate], there: Sequence[Candidate]
    ) -> tuple[Candidate, ...]:
        """One face's candidates, best first: a match before a doubt, then by how sure each is.

        Somebody who was given a reference of the model in use just now may be in both: that counts.
        """
        moved = {one.person for one in here}
        former = self._former.model_sha256
        left = [replace(one, model_sha256=former) for one in there if one.person not in moved]
        ranked = sorted(
            [*((self.limits, one) for one in here), *((self._former.limits, c) for c in left)],
            key=lambda pair: (pair[1].likeness is not Likeness.MATCH, -_sureness(*pair)),
        )
        return settled([one for _, one in ranked[:CANDIDATES]], {})


def open_scope(
    repository: Repository, recogniser: Recogniser, collection: Collection, clock: Clock
) -> Scope:
    """The gallery of a collection in mode ``group``.

    Raises:
        Denied: the collection's mode does not allow comparing every face.
        ModelChanged: another process changed the models since the recogniser was loaded.
    """
    require_comparable(collection, Manner.ONE_TO_MANY, clock())
    model, former = recogniser.model_sha256, recogniser.former
    galleries = [recogniser.galleries.of(collection, recogniser.dimension, model)]
    if former is not None:
        left, size = former.model_sha256, former.dimension
        galleries.append(recogniser.galleries.of(collection, size, left, besides=model))

    def renew() -> int:
        repository.vault.require_current()  # what the old key opened is not used under a new one
        with repository.reading() as unit:
            unit.models.require(recogniser.in_use)
            return sum(one.renew(unit, collection, clock()) for one in galleries)

    if former is None:
        return Scope(recogniser, galleries[0], renew)
    return SideBySide(recogniser, former, (galleries[0], galleries[1]), renew)


def _sureness(limits: Thresholds, one: Candidate) -> float:
    """How far a similarity lies from a model's review threshold, in steps to its match threshold.

    Similarities of two models say nothing beside each other; these do.
    """
    return (one.similarity - limits.review) / max(limits.match - limits.review, 1e-6)
