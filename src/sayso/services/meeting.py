"""Stored faces of one collection meet the people who said yes since, and nobody else.

Boxes and landmarks are known, so nothing is detected again: a photograph is read, decoded at the
scale that its smallest face needs, and its faces are cut out. Faces of several photographs are
embedded at once and compared with all newcomers at once, and the features go with this step.

How far each photograph has come is written with what was found. Whatever ends a meeting, the next
one goes on there, and no photograph counts twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from sayso.domain.face import Face, FaceId
from sayso.domain.photo import Collection
from sayso.errors import FaceError, PhotographError
from sayso.services.pipeline import in_batches, in_order
from sayso.services.places import Unreadable, read_photograph
from sayso.services.ports import Clock, PhotographSource, Progress, unwatched
from sayso.services.recognition import CutOut, Recogniser
from sayso.services.scope import Candidate, Scope, keep_sightings
from sayso.services.side_by_side import open_scope
from sayso.store.photographs import Behind, Photograph, StoredFace
from sayso.store.repository import Repository, Unit
from sayso.vision.align import align, enough_px
from sayso.vision.decode import Buffers, DecodeLimits, Pixels, decode

_PAGE = 512
"""Photographs whose faces are asked for at once."""
_ALL_PAIRS = 20_000
"""In galleries of at most so many people each is compared with each, in a second or two; in larger
ones those who joined since, with everybody."""
_FACES = 32
"""Faces embedded at once; the last photograph of a group may bring more."""


@dataclass(frozen=True, slots=True)
class Met:
    """Whom one photograph's faces may be, of the newcomers; or why it was not read."""

    photograph: Photograph
    candidates: dict[FaceId, tuple[Candidate, ...]]
    through: int
    failure: PhotographError | None = None


@dataclass(slots=True)
class Done:
    """What a meeting did so far.

    Attributes:
        photographs: whose faces were compared.
        faces: compared.
        unreadable: photographs that are still behind, each with the reason, by path.
    """

    photographs: int = 0
    faces: int = 0
    unreadable: dict[str, Unreadable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Group:
    """Photographs that have met the same people, looked at in one step of one worker."""

    photographs: tuple[Photograph, ...]
    met: int


class Meeting:
    """One collection's catching up.

    Args:
        repository: what is kept.
        source: where the photographs lie.
        limits: what is refused before it is decoded.
        recogniser: of the gallery.
        collection: in mode ``group``.
        clock: gives the present instant.
        workers: how many threads.

    Raises:
        Denied: the collection's mode does not allow comparing every face.
    """

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        repository: Repository,
        source: PhotographSource,
        limits: DecodeLimits,
        recogniser: Recogniser,
        collection: Collection,
        *,
        clock: Clock,
        workers: int,
    ) -> None:
        self._repository = repository
        self.source = source
        self._limits = limits
        self._recogniser = recogniser
        self.collection = collection
        self._clock = clock
        self._workers = workers
        # A picture is used up inside one call, so that the next may lie where it lay.
        self._buffers = Buffers()
        self._scopes: list[Scope] = []
        self.scope = self._load()
        self.done = Done()

    @property
    def opened(self) -> int:
        """How many templates were opened so far."""
        return sum(scope.opened for scope in self._scopes)

    def backlog(self) -> tuple[int, int]:
        """How many photographs are behind, and how many people they have still to meet."""
        with self._repository.reading() as unit:
            behind, least = unit.photographs.backlog(self.collection.id, self.scope.through)
        return behind, self.scope.people(joined_after=least)

    def __call__(self, progress: Progress = unwatched) -> Done:
        """Catch up with everybody who has joined by the end of it.

        Args:
            progress: told how many photographs are done, of how many.
        """
        through = -1
        while through < self.scope.through:  # who joins meanwhile is met as well
            through = self.scope.through
            self._hold_to_limits()
            self._pass(through, progress)
        return self.done

    def _hold_to_limits(self) -> None:
        """The promise is of the gallery as it is now, and so is who can be told apart in it."""
        with self._repository.writing() as unit:
            unit.collections.keep_gallery(self.collection.id, self.scope.size)
        for part in self.scope.parts:
            self._hold(part)

    def _hold(self, part: Scope) -> None:
        """The same for what one model found."""
        here, limits, model = self.collection.id, part.limits, part.model_sha256
        with self._repository.reading() as unit:
            strong = unit.sightings.strong_doubts(here, match=limits.match, model_sha256=model)
            _, least = unit.photographs.backlog(here, self.scope.through)
        all_pairs = len(self.scope) <= _ALL_PAIRS
        likely = part.everybody(joined_after=-1 if all_pairs else least)
        inseparable = part.inseparable(likely | strong)
        doubtful = inseparable.keys() | {one for others in inseparable.values() for one in others}
        with self._repository.writing() as unit:
            unit.sightings.let_go(here, review=limits.review, model_sha256=model)
            unit.sightings.doubt(here, doubtful)
            unit.sightings.settle(
                here, match=limits.match, model_sha256=model, people=strong - doubtful
            )

    def _pass(self, through: int, progress: Progress) -> None:
        total, seen = self.backlog()[0], 0
        progress(seen, total)
        groups = in_order(self._meet, self._groups(through), workers=self._workers)
        for batch in in_batches(group() for group in groups):
            together = [met for group in batch for met in group]
            self._keep(together)
            seen += len(together)
            progress(seen, max(seen, total))

    def _groups(self, through: int) -> Iterator[_Group]:
        """The photographs that are behind, newest first, in groups of about so many faces."""
        group: list[Photograph] = []
        met = faces = 0
        for photograph in self._behind(through):
            reached = photograph.compared_through
            if reached is None or reached >= through:
                continue  # another scan was faster
            if group and (faces >= _FACES or reached != met):
                yield _Group(tuple(group), met)
                group, faces = [], 0
            group.append(photograph)
            met, faces = reached, faces + len(photograph.faces)
        if group:
            yield _Group(tuple(group), met)

    def _behind(self, through: int) -> Iterator[Photograph]:
        last: Behind | None = None
        while True:
            with self._repository.reading() as unit:
                page = unit.photographs.behind(self.collection.id, through, after=last, limit=_PAGE)
                known = unit.photographs.some(one.photo for one in page)
            if not page:
                return
            last = page[-1]
            yield from (known[one.photo] for one in page)

    def _meet(self, group: _Group) -> list[Met]:
        """One worker's step: everything that is computed lives and ends in here."""
        scope = self.scope
        met: list[Met] = []
        crops: list[Pixels] = []
        faces: list[Face] = []
        owners: list[tuple[Met, FaceId]] = []
        for photograph in group.photographs:
            one = Met(photograph, {}, scope.through)
            try:
                for stored, crop in self._crops(photograph):
                    crops.append(crop)
                    faces.append(stored.face)
                    owners.append((one, stored.id))
            except PhotographError as error:
                one = Met(photograph, {}, scope.through, error)
            met.append(one)
        if crops:
            cut = CutOut(tuple(faces), np.stack(crops))
            [found] = scope.compare_all([cut], joined_after=group.met)
            for (one, face), candidates in zip(owners, found, strict=True):
                one.candidates[face] = candidates
        return met

    def _crops(self, photograph: Photograph) -> list[tuple[StoredFace, Pixels]]:
        """The faces that can be compared, cut out.

        Raises:
            PhotographError: the photograph cannot be read, or was changed since.
        """
        needed = _needed_px(photograph)
        if not needed:
            return []
        data = read_photograph(self.source, photograph, self._limits.max_bytes)
        longest_px = max(needed.values())
        picture = decode(data, self._limits, at_least_px=longest_px, buffers=self._buffers)
        return [
            (stored, align(picture.pixels, stored.face.landmarks))
            for stored in photograph.faces
            if stored.id in needed and stored.face.landmarks is not None
        ]

    def _keep(self, batch: Sequence[Met]) -> None:
        with self._repository.writing() as unit:
            self._write(unit, batch)
            version = unit.people.version()
        if self.scope.version != version:
            # Somebody said yes or no meanwhile: what comes next meets the gallery as it is now.
            self.scope = self._load()

    def _write(self, unit: Unit, batch: Sequence[Met]) -> None:
        current = unit.photographs.some(met.photograph.id for met in batch)
        kept: list[Met] = []
        for met in batch:
            known = current.get(met.photograph.id)
            if met.failure is not None:
                path = met.photograph.paths[0]
                self.done.unreadable[path] = Unreadable.because(path, met.failure)
            elif known is not None and known.faces == met.photograph.faces:
                kept.append(met)
            # else another scan looked at it again meanwhile, and met everybody it knew of
        for met in kept:
            reached = met.photograph.compared_through
            unit.sightings.forget(
                met.candidates,
                joined_after=-1 if reached is None else reached,
                joined_through=met.through,
            )
        found = [pair for met in kept for pair in met.candidates.items()]
        keep_sightings(
            unit,
            self.collection,
            [face for face, _ in found],
            [candidates for _, candidates in found],
            model_sha256=self._recogniser.model_sha256,
            now=self._clock(),
        )
        unit.photographs.compared({met.photograph.id: met.through for met in kept})
        self.done.photographs += len(kept)
        self.done.faces += len(found)

    def _load(self) -> Scope:
        scope = open_scope(self._repository, self._recogniser, self.collection, self._clock)
        self._scopes.append(scope)
        return scope


def _needed_px(photograph: Photograph) -> dict[FaceId, int]:
    """At what longest side each face that can be compared is decoded well enough."""
    needed = {}
    for stored in photograph.faces:
        if stored.face.landmarks is not None:
            with suppress(FaceError):  # landmarks in one point show nobody
                needed[stored.id] = enough_px(
                    stored.face.landmarks, photograph.width_px, photograph.height_px
                )
    return needed
