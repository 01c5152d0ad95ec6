"""What somebody may try on a covered face, to see who it was.

Each takes pixels, uint8 (H, W, 3) RGB, and the mask of the cover, bool (H, W), which anybody can
see; and gives pixels, larger ones where it enlarges.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.restoration import richardson_lucy, wiener

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Plane = NDArray[np.float64]
Attack = Callable[[Pixels, Mask], Pixels]

_CELLS = 7
"""Cells of a mosaic across a cover: what softens these away shows the most (the eye blinks)."""


def nothing(pixels: Pixels, _mask: Mask) -> Pixels:
    """As it is."""
    return pixels


def enlarge(pixels: Pixels, _mask: Mask) -> Pixels:
    """To twice the size."""
    return np.asarray(
        cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_LANCZOS4), np.uint8
    )


def soften(pixels: Pixels, mask: Mask) -> Pixels:
    """By half a cell, as one looks at a mosaic from afar."""
    cell = np.ptp(np.nonzero(mask)[1]) / _CELLS
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), cell / 2), np.uint8)


def stretch(pixels: Pixels, mask: Mask) -> Pixels:
    """The contrast within the cover, colour by colour, to the full range."""
    low, high = np.percentile(pixels[mask], (1, 99), axis=0)
    levels = (pixels - low) * (255 / np.maximum(high - low, 1))
    return np.where(mask[:, :, None], np.clip(levels, 0, 255), pixels).astype(np.uint8)


def sharpen(pixels: Pixels, _mask: Mask) -> Pixels:
    """An unsharp mask, threefold."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 3)
    return np.asarray(cv2.addWeighted(pixels, 4, soft, -3, 0), np.uint8)


def deblur_wiener(pixels: Pixels, mask: Mask) -> Pixels:
    """Wiener's filter for a Gaussian blur of a third of a cell."""
    return _deblurred(pixels, mask, lambda plane, kernel: wiener(plane, kernel, 0.01))


def deblur_richardson_lucy(pixels: Pixels, mask: Mask) -> Pixels:
    """Ten rounds of Richardson and Lucy for the same blur."""
    return _deblurred(
        pixels, mask, lambda plane, kernel: richardson_lucy(plane + 1e-3, kernel, num_iter=10)
    )


def inpaint(pixels: Pixels, mask: Mask) -> Pixels:
    """A. Telea's: what is around, drawn on into the cover."""
    return np.asarray(cv2.inpaint(pixels, mask.astype(np.uint8), 5, cv2.INPAINT_TELEA), np.uint8)


def encode_again(pixels: Pixels, _mask: Mask) -> Pixels:
    """As a JPEG of quality 50."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 50])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


ATTACKS: Mapping[str, Attack] = {
    "none": nothing,
    "enlarge": enlarge,
    "soften": soften,
    "stretch": stretch,
    "sharpen": sharpen,
    "Wiener": deblur_wiener,
    "Richardson-Lucy": deblur_richardson_lucy,
    "inpaint": inpaint,
    "JPEG 50": encode_again,
}


def _gaussian(sigma_px: float) -> Plane:
    line = cv2.getGaussianKernel(2 * round(2 * sigma_px) + 1, sigma_px)
    return np.asarray(line @ line.T, np.float64)


def _deblurred(pixels: Pixels, mask: Mask, deblur: Callable[[Plane, Plane], Plane]) -> Pixels:
    """What is around the cover, deblurred plane by plane."""
    rows, columns = (np.nonzero(mask.any(axis=axis))[0] for axis in (1, 0))
    cell = np.ptp(columns) / _CELLS
    margin = round(2 * cell)
    part = (
        slice(max(rows[0] - margin, 0), rows[-1] + margin),
        slice(max(columns[0] - margin, 0), columns[-1] + margin),
    )
    kernel = _gaussian(cell / 3)
    planes = [deblur(pixels[part][:, :, plane] / 255.0, kernel) for plane in range(3)]
    result = pixels.copy()
    result[part] = np.clip(np.stack(planes, axis=-1) * 255, 0, 255)
    return result
