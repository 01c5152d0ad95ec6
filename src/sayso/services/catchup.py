"""Catching up: faces of earlier scans meet the people who said yes since, and nobody else.

Boxes and landmarks are known, so nothing is detected again; the photograph is read, its faces
are embedded and compared with the newcomers alone, and the features go with this step.
"""

from dataclasses import dataclass

from sayso.domain.photo import Collection, PhotoId
from sayso.errors import PhotographError
from sayso.services.eye import Eye
from sayso.services.places import read_photograph
from sayso.services.ports import PhotographSource
from sayso.services.recognition import Candidate, Scope
from sayso.store.photographs import StoredFace
from sayso.store.repository import Repository


@dataclass(frozen=True, slots=True)
class Met:
    """What one photograph's faces were found to be, of the newcomers; or why it was not read."""

    photo: PhotoId
    path: str
    faces: tuple[StoredFace, ...]
    candidates: tuple[tuple[Candidate, ...], ...]
    through: int
    failure: PhotographError | None


class CatchUp:
    """Compares stored faces with newcomers. Safe to call from several threads."""

    def __init__(
        self, repository: Repository, source: PhotographSource, eye: Eye, scope: Scope
    ) -> None:
        self._repository = repository
        self._source = source
        self._eye = eye
        self._scope = scope

    def behind(self, collection: Collection) -> list[PhotoId]:
        """Photographs with faces that have not met everybody yet, newest first."""
        with self._repository.reading() as unit:
            return unit.photographs.behind(collection.id, self._scope.through)

    def __call__(self, photo: PhotoId) -> Met:
        """Compare one photograph's faces with those who joined since it was last compared."""
        with self._repository.reading() as unit:
            known = unit.photographs.get(photo)
        path = known.paths[0]
        try:
            picture = self._eye.picture(
                read_photograph(self._source, known, self._eye.limits.max_bytes)
            )
        except PhotographError as error:
            return Met(photo, path, known.faces, (), self._scope.through, error)
        candidates = self._scope.compare(
            picture,
            [stored.face for stored in known.faces],
            joined_after=known.compared_through,
        )
        return Met(photo, path, known.faces, candidates, self._scope.through, None)
