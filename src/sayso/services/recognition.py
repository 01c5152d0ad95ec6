"""Recognisers: what computes features of faces, with what is known of its errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sayso.domain.calibration import Calibration
from sayso.domain.face import Face
from sayso.domain.matching import GallerySize, Promise, Thresholds, least_agreement, thresholds
from sayso.domain.policy import Permit
from sayso.services.galleries import Galleries
from sayso.services.ports import FaceEmbedder
from sayso.store.models import InUse
from sayso.store.repository import Unit
from sayso.store.templates import Reference
from sayso.vision.align import CROP_PX, align
from sayso.vision.decode import Picture

LoadRecogniser = Callable[[], "Recogniser"]
"""Gives the recogniser, loading it at the first call: mode ``off`` never calls."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """An embedder with what is known of its errors.

    Attributes:
        model_sha256: of the model's file; templates of another model are not compared.
        dimension: of the features.
        calibration: what is known of the model's errors.
        promise: the false positive identification rates that the controller accepts.
        galleries: of this process, kept from one use to the next.
        quick: computes nearly the same features in less time; None: there is none.
        slack: how far a similarity of those may be off.
        former: the model that is being left, for those who have no reference of this one yet.
        in_use: what the workspace said of its models when this was loaded.
    """

    embedder: FaceEmbedder
    model_sha256: str
    dimension: int
    calibration: Calibration
    promise: Promise
    galleries: Galleries = field(default_factory=Galleries)
    quick: FaceEmbedder | None = None
    slack: float = 0.0
    former: "Recogniser | None" = None
    in_use: InUse | None = None

    def features(self, picture: Picture, faces: Sequence[Face]) -> npt.NDArray[np.float32]:
        """Features (N, D), unit length; zeros, which match nobody, for a face drawn by hand."""
        return self.features_of(cut_out(picture, faces))

    def features_of(self, cut: "CutOut") -> npt.NDArray[np.float32]:
        """Features (N, D) of faces that were cut out, computed in one go; see `features`."""
        return self._features(self.embedder, cut)

    def quick_features_of(self, cut: "CutOut") -> npt.NDArray[np.float32]:
        """The same, with similarities that may be off by ``slack``."""
        return self._features(self.quick or self.embedder, cut)

    def _features(self, embedder: FaceEmbedder, cut: "CutOut") -> npt.NDArray[np.float32]:
        found = np.zeros((len(cut.faces), self.dimension), np.float32)
        if cut.usable.any():
            found[cut.usable] = embedder.embed(cut.crops)
        return found

    def limits(self, size: GallerySize) -> Thresholds:
        """The thresholds in a gallery of some size."""
        return thresholds(self.calibration, size=size, promise=self.promise)

    @property
    def least_agreement(self) -> float:
        """The similarity that references of one person have at least."""
        return least_agreement(self.calibration)

    def references(self, unit: Unit, permit: Permit) -> tuple["Recogniser", list[Reference]]:
        """The references of the person whom a permit names, and the recogniser that they are of.

        Raises:
            ModelChanged: another process changed the models since this was loaded.
        """
        unit.models.require(self.in_use)
        found = unit.templates.references(permit, model_sha256=self.model_sha256)
        if found or self.former is None:
            return self, found
        former = self.former.model_sha256
        return self.former, unit.templates.references(permit, model_sha256=former)


@dataclass(frozen=True, slots=True)
class CutOut:
    """Faces cut out of their photographs, so that those can go.

    Attributes:
        faces: all of them.
        crops: uint8 (N, 112, 112, 3) RGB, of those faces that have landmarks, in their order.
    """

    faces: tuple[Face, ...]
    crops: npt.NDArray[np.uint8]

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which of the faces have landmarks."""
        return np.array([face.landmarks is not None for face in self.faces], bool)

    def only(self, chosen: npt.NDArray[np.bool_]) -> "CutOut":
        """Some of the faces."""
        faces = tuple(face for face, one in zip(self.faces, chosen, strict=True) if one)
        return CutOut(faces, self.crops[chosen[self.usable]])

    def split(self, crops: int) -> tuple["CutOut", "CutOut"]:
        """The faces up to so many crops, from 1 to all but one, and the others."""
        end = int(np.flatnonzero(self.usable)[crops - 1]) + 1
        return (
            CutOut(self.faces[:end], self.crops[:crops]),
            CutOut(self.faces[end:], self.crops[crops:]),
        )


def together(many: Sequence[CutOut]) -> CutOut:
    """The faces of several photographs as one."""
    faces = tuple(face for one in many for face in one.faces)
    return CutOut(faces, np.concatenate([one.crops for one in many]))


def cut_out(picture: Picture, faces: Sequence[Face]) -> CutOut:
    """Cut the faces out of a photograph at full size."""
    crops = [align(picture.pixels, one.landmarks) for one in faces if one.landmarks is not None]
    return CutOut(tuple(faces), np.array(crops, np.uint8).reshape(-1, CROP_PX, CROP_PX, 3))
