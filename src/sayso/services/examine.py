"""One file of a scan: read once, hashed, and looked at if its content is new."""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sayso.domain.photo import CollectionId, PhotoId
from sayso.errors import PhotographError
from sayso.services.eye import Eye
from sayso.services.listing import Ticked
from sayso.services.ports import PhotographSource
from sayso.services.recognition import CutOut, cut_out
from sayso.services.scope import Candidate, Scope
from sayso.sources.source import SourceFile
from sayso.store.photographs import Seen
from sayso.store.repository import Repository
from sayso.vision.decode import Buffers


@dataclass(frozen=True, slots=True)
class Examined:
    """A file as a worker saw it.

    Attributes:
        sha256: of its bytes, hex.
        seen: what was found; None for a content that was examined before, or is in hand.
        scope: whom its faces are to be compared with; None: with nobody.
        faces: cut out for that, until it is done; see `in_pieces`.
        candidates: of each face in ``seen``, whom it may be; empty unless faces are compared.
        goes_on: whether its other faces are in the next piece.
    """

    file: SourceFile
    sha256: str
    seen: Seen | None
    scope: Scope | None = None
    faces: CutOut | None = None
    candidates: tuple[tuple[Candidate, ...], ...] = ()
    goes_on: bool = False

    @property
    def through(self) -> int:
        """The sequence of consent events up to which it is compared; -1: not at all."""
        return -1 if self.scope is None else self.scope.through


def compare(group: Sequence[Examined]) -> list[Examined]:
    """Compare the faces of several photographs, computing their features together.

    Their features live in this call alone, and the cut out faces go with it.
    """
    done: list[Examined] = []
    for scope, ones in groupby(group, lambda one: one.scope if one.faces else None):
        same = list(ones)
        if scope is None:
            done += same
            continue
        found = scope.compare_all([one.faces for one in same if one.faces is not None])
        done += [
            replace(one, faces=None, candidates=candidates)
            for one, candidates in zip(same, found, strict=True)
        ]
    return done


Outcome = tuple[SourceFile, Examined | PhotographError]


def crops(outcome: Outcome) -> int:
    """How many faces are to be compared."""
    found = outcome[1]
    return 0 if isinstance(found, PhotographError) or not found.faces else len(found.faces.crops)


def in_pieces(outcomes: Iterable[Outcome], most: int) -> Iterator[Outcome]:
    """Divide the faces of photographs so that groups of just so many can be made.

    A network makes code for each size of batch that it meets, which takes as long as ten faces.
    """
    room = most
    for file, found in outcomes:
        if isinstance(found, PhotographError) or found.faces is None:
            yield file, found
            continue
        left = found.faces
        while len(left.crops) > room:
            first, left = left.split(room)
            yield file, replace(found, faces=first, goes_on=True)
            room = most
        yield file, replace(found, faces=left)
        room = room - len(left.crops) or most


def whole(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Put the pieces of each photograph together again; one that is not complete is left out."""
    held: tuple[tuple[Candidate, ...], ...] = ()
    for file, found in outcomes:
        if isinstance(found, PhotographError):
            yield file, found
            continue
        held += found.candidates
        if not found.goes_on:
            yield file, replace(found, candidates=held)
            held = ()


class Examiner:
    """Examines files. Safe to call from several threads; each content is looked at once.

    Args:
        repository: to ask whether a content is known.
        source: to read from.
        collection: whose files they are.
        eye: to look with.
        again: look at known contents too.

    Attributes:
        failures: by SHA-256, why a content could not be looked at.
    """

    def __init__(
        self,
        repository: Repository,
        source: PhotographSource,
        collection: CollectionId,
        eye: Eye,
        *,
        again: bool,
    ) -> None:
        self._repository = repository
        self._source = source
        self._collection = collection
        self._eye = eye
        self._again = again
        # A picture is used up inside one call, so that the next may lie where it lay.
        self._buffers = Buffers()
        self.failures: dict[str, PhotographError] = {}
        self._in_hand: set[str] = set()
        self._looked_at = Ticked()
        self._lock = threading.Lock()

    def __call__(self, file: SourceFile, scope: Scope | None) -> Examined:
        """Read, hash and, where needed, look, and cut out what is to be compared.

        Raises:
            PhotographError: the file cannot be read or decoded.
        """
        data = self._source.read(file.path, max_bytes=self._eye.limits.max_bytes)
        sha256 = hashlib.sha256(data).hexdigest()
        if not self._is_first(sha256):
            return Examined(file, sha256, None)
        try:
            # Publication looks for itself, thoroughly.
            picture, faces = self._eye.glance(
                data,
                for_features=bool(scope is not None and len(scope)),
                buffers=self._buffers,
            )
        except PhotographError as error:
            self.failures[sha256] = error
            raise
        seen = Seen(sha256, picture.width_px, picture.height_px, picture.format, tuple(faces))
        if scope is None or not len(scope):
            return Examined(file, sha256, seen, scope)
        return Examined(file, sha256, seen, scope, cut_out(picture, faces))

    def written(self, sha256: str, photo: PhotoId) -> None:
        """Say that a content is in the database now, which tells of it from here on."""
        with self._lock:
            self._looked_at.add(int(photo))
            self._in_hand.discard(sha256)

    def _is_first(self, sha256: str) -> bool:
        with self._lock:
            if sha256 in self._in_hand:
                return False
            self._in_hand.add(sha256)
        with self._repository.reading() as unit:
            known = unit.photographs.known(self._collection, sha256)
        with self._lock:
            if known is None or (self._again and int(known) not in self._looked_at):
                return True
            self._in_hand.discard(sha256)
            return False
