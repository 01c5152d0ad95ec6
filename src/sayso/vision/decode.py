"""From the bytes of a photograph to upright 8-bit sRGB pixels."""

import io
import threading
import warnings
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pillow_heif
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from sayso.errors import PhotographError, PhotographTooLarge
from sayso.vision.colour import on_white, to_srgb
from sayso.vision.headers import (
    Format,
    Header,
    orientation_of,
    read_header,
    sniff,
    truncated,
)

Pixels = NDArray[np.uint8]

_SHRINKS = (8, 4, 2)
_PLUGINS: dict[Format, Any] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}


_MOST_SCANS = 100
_START_OF_SCAN = 0xFFDA
_LARGEST_KEPT = 100_000_000
"""Bytes, of 33 megapixels: a thread does not hold on to more."""
_WORK_PER_PIXEL = 20
"""A progressive JPEG has about ten scans; one made to keep a decoder busy has thousands."""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What is refused before it is decoded.

    Attributes:
        max_bytes: of the file.
        max_pixels: width times height as stored in the file.
    """

    max_bytes: int
    max_pixels: int


class Buffers:
    """Memory for decoded JPEGs, one piece for each thread, used again for the next.

    Fresh memory is made of empty pages that the system fills in one by one: a seventh of the time
    that decoding 18 megapixels takes.
    """

    def __init__(self) -> None:
        self._own = threading.local()

    def of(self, size: int) -> NDArray[np.uint8]:
        """So many bytes; what this thread got before is overwritten if it is used still."""
        if size > _LARGEST_KEPT:
            return np.empty(size, np.uint8)
        kept: NDArray[np.uint8] | None = getattr(self._own, "memory", None)
        if kept is None or len(kept) < size:
            kept = self._own.memory = np.empty(size, np.uint8)
        return kept[:size]


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded photograph.

    Attributes:
        pixels: uint8 (H, W, 3), RGB, sRGB, upright, contiguous; may be smaller than the
            photograph, see `decode`.
        width_px: of the upright full-size photograph.
        height_px: the same.
        format: what the file was.
    """

    pixels: Pixels
    width_px: int
    height_px: int
    format: Format


def decode(
    data: bytes,
    limits: DecodeLimits,
    *,
    at_least_px: int | None = None,
    buffers: Buffers | None = None,
) -> Picture:
    """Decode a photograph.

    Of a file with several pictures the first is taken. Transparency becomes white. Greyscale,
    palette, CMYK and deeper pixels become 8-bit RGB; colours of another embedded profile are
    converted to sRGB where that profile is usable, and taken as they are where it is not.

    Args:
        data: the whole file.
        limits: checked against the header, before any pixel is decoded.
        at_least_px: a longest side that is enough. A JPEG is then decoded at 1/2, 1/4 or 1/8 of
            its size (in the DCT domain, which is faster) but never below this; other formats
            come at full size. None: full size.
        buffers: where a JPEG's pixels may lie: until this thread's next decoding into the same
            ones, and no longer. None: in memory of their own.

    Raises:
        NotAPhotograph: of none of the five formats.
        PhotographTruncated: ends early or breaks off inside; never filled up with grey.
        PhotographTooLarge: more bytes or pixels than the limits allow.
    """
    _check("bytes", len(data), limits.max_bytes)
    kind = sniff(data)
    try:
        if kind == "JPEG":
            return _decode_jpeg(data, limits, at_least_px, buffers)
        if kind == "HEIF":
            return _decode_heif(data, limits)
        return _decode_other(data, kind, limits)
    except PhotographError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise _too_large("pixels that fit into memory", "more") from error
    except Exception as error:
        # Decoders meet hostile bytes with whatever comes to hand; to the caller it is one thing.
        raise truncated(f"{kind} data that cannot be decoded") from error


def _check(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise _too_large(f"at most {limit:,} {what}", f"{found:,}")


def _too_large(expected: str, found: str) -> PhotographTooLarge:
    return PhotographTooLarge(
        expected=expected,
        found=found,
        remedy="Shrink the photograph, or raise the limit if you trust where it comes from.",
    )


def _decode_jpeg(
    data: bytes, limits: DecodeLimits, at_least_px: int | None, buffers: Buffers | None
) -> Picture:
    header = read_header(data, "JPEG")
    _check("pixels", header.width_px * header.height_px, limits.max_pixels)
    # Each scan of a progressive JPEG goes over all pixels again, however few bytes it has.
    scans = _count_scans(data)
    _check("scans", scans, _MOST_SCANS)
    work = scans * header.width_px * header.height_px
    _check("pixels over all scans", work, _WORK_PER_PIXEL * limits.max_pixels)
    if header.components == 4:  # noqa: PLR2004 - CMYK or YCCK, often inverted: Pillow knows
        pixels = _pillow_pixels(data, "JPEG")[0]
    else:
        pixels = _jpeg_pixels(data, header, _shrink(header, at_least_px), buffers)
        pixels = to_srgb(pixels, header.profile)
    return _upright(pixels, header.orientation, header.width_px, header.height_px, "JPEG")


def _count_scans(data: bytes) -> int:
    """How often the marker of a scan may begin: four times as fast as ``bytes.count``."""
    pairs = [np.frombuffer(data, ">u2", (len(data) - at) // 2, offset=at) for at in (0, 1)]
    return sum(int(np.count_nonzero(two == _START_OF_SCAN)) for two in pairs)


def _shrink(header: Header, at_least_px: int | None) -> int:
    longest = max(header.width_px, header.height_px)
    if at_least_px is None:
        return 1
    return next((shrink for shrink in _SHRINKS if -(-longest // shrink) >= at_least_px), 1)


def _jpeg_pixels(data: bytes, header: Header, shrink: int, buffers: Buffers | None) -> Pixels:
    height, width = (-(-side // shrink) for side in (header.height_px, header.width_px))
    into = None if buffers is None else buffers.of(height * width * 3)
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, "RGB", min_height=height, min_width=width, buffer=into
        )
    except ValueError as error:
        if any(word in str(error) for word in ("remature", "Huffman", "restart")):
            raise truncated("JPEG data that breaks off inside") from error
        # A second opinion: stray bytes between segments are common, and harmless.
        return _pillow_pixels(data, "JPEG")[0]
    return pixels


def _decode_heif(data: bytes, limits: DecodeLimits) -> Picture:
    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    picture = file[file.primary_index]
    width, height = picture.size
    _check("pixels", width * height, limits.max_pixels)
    pixels = np.asarray(picture)
    if pixels.ndim == 2:  # noqa: PLR2004 - greyscale
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    if pixels.shape[2] == 4:  # noqa: PLR2004 - with alpha
        pixels = on_white(Image.fromarray(pixels))
    profile = picture.info.get("icc_profile")
    pixels = to_srgb(pixels, profile if isinstance(profile, bytes) else b"")
    # The container's own rotation has been applied; Exif orientation does not count in HEIF.
    return _upright(pixels, 1, width, height, "HEIF")


def _decode_other(data: bytes, kind: Format, limits: DecodeLimits) -> Picture:
    if kind != "TIFF":
        header = read_header(data, kind)
        _check("pixels", header.width_px * header.height_px, limits.max_pixels)
    pixels, exif = _pillow_pixels(data, kind, limits)
    # Pillow turns a TIFF upright by itself.
    orientation = 1 if kind == "TIFF" else orientation_of(exif)
    return _upright(pixels, orientation, pixels.shape[1], pixels.shape[0], kind)


def _pillow_pixels(
    data: bytes, kind: Format, limits: DecodeLimits | None = None
) -> tuple[Pixels, bytes]:
    """RGB pixels as stored, and the Exif block."""
    with _SILENCE, _PLUGINS[kind](io.BytesIO(data)) as image:
        if limits is not None:
            _check("pixels", image.width * image.height, limits.max_pixels)
        image.load()
        exif = image.info.get("exif") or b""
        profile = image.info.get("icc_profile") or b""
        pixels = on_white(image, profile)
    return pixels, exif if isinstance(exif, bytes) else b""


class _Silence:
    """Pillow's warnings about odd bytes go nowhere: the caller gets pixels or an error.

    Python's warning filters belong to the whole process. So the first to come in changes them and
    the last to go out puts them back; in between, several threads decode side by side.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)


_SILENCE = _Silence()

_TURNS = {
    2: (None, 1),
    3: (cv2.ROTATE_180, None),
    4: (None, 0),
    5: (cv2.ROTATE_90_CLOCKWISE, 1),
    6: (cv2.ROTATE_90_CLOCKWISE, None),
    7: (cv2.ROTATE_90_CLOCKWISE, 0),
    8: (cv2.ROTATE_90_COUNTERCLOCKWISE, None),
}
"""Exif orientation: first rotate, then flip (OpenCV's code: 1 left to right, 0 top to bottom)."""


def _upright(pixels: Pixels, orientation: int, width: int, height: int, kind: Format) -> Picture:
    rotate, flip = _TURNS.get(orientation, (None, None))
    if rotate is not None:
        pixels = np.asarray(cv2.rotate(pixels, rotate), np.uint8)
    if flip is not None:
        pixels = np.asarray(cv2.flip(pixels, flip), np.uint8)
    if orientation >= 5:  # noqa: PLR2004 - 5..8 lie on their side
        width, height = height, width
    return Picture(np.ascontiguousarray(pixels), width, height, kind)
