"""From a photograph to a copy that may be published, or why there is none.

A photograph at which nobody has looked thoroughly yet is looked at first, and decoded once for
both: decoding it again would take a tenth of all that publishing it does. What the look finds is
in the database, and the photograph is screened with it, before anything is covered.
"""

import hashlib
from dataclasses import dataclass

from sayso.domain.screening import PERHAPS_A_FACE, CoverStyle, Outcome, Verdict
from sayso.errors import PhotographError
from sayso.services.cover import covered_copy
from sayso.services.eye import Eye
from sayso.services.places import read_photograph
from sayso.services.ports import PhotographSource
from sayso.services.scrutiny import Looking, is_waiting
from sayso.services.verdicts import ScreenedPhotograph
from sayso.vision.decode import Buffers, Picture


@dataclass(frozen=True, slots=True)
class Draft:
    """A covered copy that lies nowhere yet.

    Attributes:
        paths: of the photograph, when the publication began.
        screened: what the copy rests on.
        data: the copy's bytes.
        sha256: of these, hex.
        found_later: faces that only the check of the copy found; they are covered too.
    """

    paths: tuple[str, ...]
    screened: ScreenedPhotograph
    data: bytes
    sha256: str
    found_later: int


@dataclass(frozen=True, slots=True)
class Left:
    """A photograph of which there is no copy, with the reason; ``paths`` as in `Draft`."""

    paths: tuple[str, ...]
    screened: ScreenedPhotograph
    code: str
    reason: str


class Drafting:
    """Makes the drafts of one publication. Safe to call from several threads."""

    def __init__(
        self, eye: Eye, source: PhotographSource, style: CoverStyle, looking: Looking
    ) -> None:
        self._eye, self._source, self._style, self._looking = eye, source, style, looking
        # Pictures are used up inside one draft, so that the next may lie where they lay.
        self._originals, self._copies = Buffers(), Buffers()

    def __call__(self, screened: ScreenedPhotograph) -> Draft | Left:
        """A draft of one photograph, if its verdict permits one once it was looked at.

        Args:
            screened: when the publication began.
        """
        paths = screened.photograph.paths
        waiting = is_waiting(screened)
        try:
            if not waiting and (withheld := _withheld(screened)):
                return Left(paths, screened, *withheld)
            data = read_photograph(self._source, screened.photograph, self._eye.limits.max_bytes)
            picture = self._eye.picture(data, buffers=self._originals)
            if waiting:
                screened = self._looking(picture, screened.photograph)
                if withheld := _withheld(screened):
                    return Left(paths, screened, *withheld)
            return self._covered(paths, screened, picture)
        except PhotographError as error:
            return Left(paths, screened, error.reason_code, error.reason)

    def _covered(
        self, paths: tuple[str, ...], screened: ScreenedPhotograph, picture: Picture
    ) -> Draft:
        shown = [face for face in screened.faces if face.outcome.outcome is Outcome.SHOW]
        hidden = [face for face in screened.faces if face.outcome.outcome is not Outcome.SHOW]
        copy = covered_copy(
            picture.pixels,
            shown=[*(face.stored.face for face in shown), *(s.face for s in screened.no_faces)],
            covered=[face.stored.face for face in hidden],
            style=self._style,
            format=picture.format,
            eye=self._eye,
            buffers=self._copies,
        )
        sha256 = hashlib.sha256(copy.data).hexdigest()
        return Draft(paths, screened, copy.data, sha256, copy.found_later)


def _withheld(screened: ScreenedPhotograph) -> tuple[str, str] | None:
    """Why a verdict lets nothing be published: a code and a sentence."""
    if screened.verdict is Verdict.WITHHOLD:
        return "objection", _OBJECTED
    if screened.verdict is not Verdict.REVIEW:
        return None
    doubtful = [face for face in screened.faces if face.outcome.outcome is Outcome.REVIEW]
    perhaps = all(face.outcome.reason == PERHAPS_A_FACE for face in doubtful)
    return "review", _PERHAPS if perhaps else _REVIEW


_REVIEW = (
    "A face in it may be somebody who said yes; a human must look. Use `sayso mark` or "
    "`sayso reject` and publish again."
)
_PERHAPS = (
    "There is perhaps a face in it of which nobody knows; a human must look. Use `sayso mark` or "
    "`sayso reject` without a person, and publish again."
)
_OBJECTED = (
    "Somebody objected to its publication. It stays out until they take that back: see "
    "`sayso objection list`."
)
