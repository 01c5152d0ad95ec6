"""How usable a face is as a reference. Nothing else is said about it, ever."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sayso.domain.face import Face, Landmarks
from sayso.errors import FaceTooBlurred, FaceTooSmall, NoFace, SeveralFaces
from sayso.vision.align import align
from sayso.vision.decode import Picture, Pixels

SMALLEST_REFERENCE_PX = 48.0
"""A reference face must be this high in the full-size photograph: TAR is within a point of its
best from here on (0.96 at FMR 1e-4 against 0.97 at 64 px)."""
SHARPNESS_FLOOR = 0.0235
"""All 300 references of Labeled Faces in the Wild lie above (the least at 0.0243); below lie,
shrunk to a quarter and enlarged again, 98 % of them, and blurred or moved, 99 % and more."""
_INNER = np.s_[22:102, 16:96]
_FREQUENCY = np.abs(np.fft.fftfreq(80))
_ACROSS, _DOWN = _FREQUENCY[None, :], _FREQUENCY[:, None]
_RADIUS = np.hypot(_ACROSS, _DOWN)
_FINE_BAND = (_RADIUS >= 0.2) & (_RADIUS < 0.4)  # noqa: PLR2004 - cycles a pixel
_FINE = (_FINE_BAND & (_ACROSS > _DOWN), _FINE_BAND & (_ACROSS <= _DOWN))
_COARSE = (_RADIUS >= 0.06) & (_RADIUS < 0.12)  # noqa: PLR2004 - cycles a pixel
_SHAPES = (_RADIUS >= 0.02) & (_RADIUS < 0.06)  # noqa: PLR2004 - cycles a pixel
_WINDOW = np.hanning(80)[:, None] * np.hanning(80)
_NOISE = 0.5 * float((_WINDOW**2).sum())
"""Power, in each bin of the spectrum, of noise with a variance of half a grey level squared."""
_CENTRAL = 0.25
_PLAINLY = 2.0
"""How much more weight (area times centrality) the meant face has than any other."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How usable a face is as a reference.

    Attributes:
        height_px: in the full-size photograph.
        sharpness: fine detail against coarse detail on the aligned crop; about 0.03 to 0.15 for
            faces in focus, 0.02 and less for blurred or enlarged ones. Independent of contrast.
        asymmetry: how far the nose lies from the middle of the eyes, in distances between the
            eyes; 0 seen from the front, about 0.5 and more from the side. 0 without landmarks.
        exposure: share of the face's pixels that are neither black nor burnt out, 0..1.
        usable: all of these in one, 0 (not at all) to 1 (ideal).
    """

    height_px: float
    sharpness: float
    asymmetry: float
    exposure: float
    usable: float


def measure(crop: Pixels, face: Face) -> Quality:
    """How usable a face is.

    Args:
        crop: uint8 (112, 112, 3) RGB, aligned.
        face: the same face.
    """
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.float32)
    sharpness = _sharpness(grey)
    asymmetry = 0.0 if face.landmarks is None else _asymmetry(face.landmarks)
    exposure = _exposure(grey)
    usable = math.prod(
        (
            _ramp(face.height_px, 16.0, 112.0),
            _ramp(sharpness, SHARPNESS_FLOOR / 2, SHARPNESS_FLOOR * 2),
            _ramp(-asymmetry, -0.8, -0.2),
            _ramp(exposure, 0.2, 0.9),
        )
    )
    return Quality(face.height_px, sharpness, asymmetry, exposure, usable)


def enrolment(picture: Picture, faces: Sequence[Face]) -> Face:
    """The one face that an enrolment photograph is meant to show.

    A bystander does no harm as long as one face plainly dominates by its size and by being near
    the middle.

    Args:
        picture: as decoded.
        faces: all that were found in it.

    Raises:
        NoFace: there is none.
        SeveralFaces: no face plainly dominates.
        FaceTooSmall: under 48 px high in the full-size photograph.
        FaceTooBlurred: out of focus, moved, or enlarged from fewer pixels.
    """
    face = _meant(faces)
    if face.height_px < SMALLEST_REFERENCE_PX:
        raise FaceTooSmall(
            expected=f"a face at least {SMALLEST_REFERENCE_PX:.0f} px high",
            found=f"{face.height_px:.0f} px",
            remedy="Use a photograph taken from nearer, or the original instead of a copy.",
        )
    if face.landmarks is not None:
        sharpness = measure(align(picture.pixels, face.landmarks), face).sharpness
        if sharpness < SHARPNESS_FLOOR:
            raise FaceTooBlurred(
                expected=f"a face in focus (sharpness {SHARPNESS_FLOOR:g} or more)",
                found=f"{sharpness:.3f}",
                remedy="Use a sharper photograph; an enlarged small picture will not do.",
            )
    return face


def main_face(faces: Sequence[Face]) -> Face:
    """The face that is largest and nearest to the middle, of at least one."""
    return max(faces, key=_weight)


def _meant(faces: Sequence[Face]) -> Face:
    if not faces:
        raise NoFace(
            expected="a photograph of one face",
            found="no face",
            remedy="Use a photograph that shows the face from the front.",
        )
    ranked = sorted(faces, key=_weight, reverse=True)
    if len(ranked) > 1 and _weight(ranked[0]) < _PLAINLY * _weight(ranked[1]):
        raise SeveralFaces(
            expected="one face, or one that plainly dominates",
            found=f"{len(faces)} faces",
            remedy="Cut the photograph so that it shows only the person meant.",
        )
    return ranked[0]


def _weight(face: Face) -> float:
    """Area times centrality: 1 in the middle, 0.6 a quarter of the frame away, 0.14 at half."""
    box = face.box
    off_centre = math.hypot(box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5)
    return box.width * box.height * math.exp(-((off_centre / _CENTRAL) ** 2) / 2)


def _sharpness(grey: NDArray[np.float32]) -> float:
    """Amplitude of fine detail, in the direction that has least of it, over coarse detail.

    The direction tells movement, which blurs along one line only. Fine is 0.2 to 0.4 cycles a
    pixel of the crop, coarse 0.06 to 0.12, windowed by a raised cosine. What a heavy blur leaves
    of fine detail is rounding and compression: as much is taken off; and where coarse detail
    went as well, what coarse detail the shapes of a face would have stands in for it.
    """
    inner = grey[_INNER]
    spectrum = np.abs(np.fft.fft2((inner - inner.mean()) * _WINDOW)) ** 2
    fine = min(float(spectrum[band].mean()) for band in _FINE)
    coarse = max(float(spectrum[_COARSE].mean()), 0.04 * float(spectrum[_SHAPES].mean()), 1.0)
    return math.sqrt(max(fine - _NOISE, 0.0) / coarse)


def _asymmetry(points: Landmarks) -> float:
    across = (points.right_eye.x - points.left_eye.x, points.right_eye.y - points.left_eye.y)
    length = math.hypot(*across)
    if length == 0:
        return 1.0
    middle_x = (points.left_eye.x + points.right_eye.x) / 2
    middle_y = (points.left_eye.y + points.right_eye.y) / 2
    along = (points.nose.x - middle_x) * across[0] + (points.nose.y - middle_y) * across[1]
    return abs(along) / length**2


def _exposure(grey: NDArray[np.float32]) -> float:
    inner = grey[_INNER]
    return float(np.mean((inner > 20) & (inner < 250)))  # noqa: PLR2004 - 8-bit black and white


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
