"""How usable a face is as a reference. Nothing else is said about it, ever."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sayso.domain.face import Face, Landmarks, Point
from sayso.vision.decode import Pixels

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
_LIFT = 0.57
_WINDOW = np.hanning(80)[:, None] * np.hanning(80)
_NOISE = 0.5 * float((_WINDOW**2).sum())
"""Power, in each bin of the spectrum, of noise with a variance of half a grey level squared."""
_EYES = (np.s_[46:57, 30:47], np.s_[46:57, 65:82])
_CHEEKS = (np.s_[66:80, 28:44], np.s_[66:80, 68:84])
_NOSE, _MOUTH = np.s_[58:66, 42:70], np.s_[88:106, 34:78]
"""Parts of the aligned crop, in which eyes, nose and mouth always lie in the same places."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How usable a face is as a reference.

    Attributes:
        height_px: in the full-size photograph.
        sharpness: fine detail against coarse detail on the aligned crop; about 0.03 to 0.15 for
            faces in focus, 0.02 and less for blurred or enlarged ones. Independent of contrast.
        asymmetry: how far the nose lies from the middle of the eyes, in distances between the
            eyes; 0 seen from the front, about 0.5 and more from the side. 0 without landmarks.
        lift: how far down from the eyes to the mouth the nose lies, 0..1; about 0.57 seen
            straight, less or more seen from below or above. 0.57 without landmarks.
        exposure: share of the face's pixels that are neither black nor burnt out, 0..1.
        contrast: from the 5th to the 95th percentile of grey levels, 0..255.
        eyes: brightness of the eyes against the cheeks; about 0.3 to 0.9, less behind dark glasses.
        mouth: difference in hue (of Cb and Cr, 0..255) between mouth with chin and the nose; about
            0 to 20, more where something lies over the mouth.
        score: the detector's own, 0..1; it falls where part of a face is hidden.
        usable: size, sharpness, asymmetry and exposure in one, 0 (not at all) to 1 (ideal).
    """

    height_px: float
    sharpness: float
    asymmetry: float
    lift: float
    exposure: float
    contrast: float
    eyes: float
    mouth: float
    score: float
    usable: float


def measure(crop: Pixels, face: Face) -> Quality:
    """How usable a face is.

    Args:
        crop: uint8 (112, 112, 3) RGB, aligned.
        face: the same face.
    """
    colours = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb), np.float32)
    grey, hues = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.float32), colours[..., 1:]
    sharpness = _sharpness(grey)
    asymmetry, lift = (0.0, _LIFT) if face.landmarks is None else _pose(face.landmarks)
    exposure = _exposure(grey)
    low, high = np.percentile(grey[_INNER], (5, 95))
    eyes = np.mean([grey[part].mean() for part in _EYES])
    cheeks = np.mean([grey[part].mean() for part in _CHEEKS])
    mouth = hues[_MOUTH].mean(axis=(0, 1)) - hues[_NOSE].mean(axis=(0, 1))
    usable = math.prod(
        (
            _ramp(face.height_px, 16.0, 112.0),
            _ramp(sharpness, SHARPNESS_FLOOR / 2, SHARPNESS_FLOOR * 2),
            _ramp(-asymmetry, -0.8, -0.2),
            _ramp(exposure, 0.2, 0.9),
        )
    )
    return Quality(
        height_px=face.height_px,
        sharpness=sharpness,
        asymmetry=asymmetry,
        lift=lift,
        exposure=exposure,
        contrast=float(high - low),
        eyes=float(eyes / max(cheeks, 1.0)),
        mouth=float(np.hypot(*mouth)),
        score=face.score,
        usable=usable,
    )


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


def _pose(points: Landmarks) -> tuple[float, float]:
    """Where the nose lies, across and down, whatever way the head is tilted in the picture."""
    across = _between(points.left_eye, points.right_eye)
    length = math.hypot(*across)
    if length == 0:
        return 1.0, 0.0
    eyes = _middle(points.left_eye, points.right_eye)
    nose = _between(eyes, points.nose)
    mouth = _between(eyes, _middle(points.left_mouth, points.right_mouth))
    asymmetry = abs(nose[0] * across[0] + nose[1] * across[1]) / length**2
    down = mouth[1] * across[0] - mouth[0] * across[1]
    fallen = nose[1] * across[0] - nose[0] * across[1]
    return asymmetry, fallen / down if down > 0 else 0.0


def _between(start: Point, end: Point) -> tuple[float, float]:
    return end.x - start.x, end.y - start.y


def _middle(one: Point, other: Point) -> Point:
    return Point((one.x + other.x) / 2, (one.y + other.y) / 2)


def _exposure(grey: NDArray[np.float32]) -> float:
    inner = grey[_INNER]
    return float(np.mean((inner > 20) & (inner < 250)))  # noqa: PLR2004 - 8-bit black and white


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
