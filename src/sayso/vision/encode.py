"""From pixels to the bytes of a photograph that carries nothing but its pixels."""

import io
import struct
from collections.abc import Callable

import numpy as np
import simplejpeg
from PIL import Image

from sayso.errors import PhotographTooLarge
from sayso.vision.decode import Pixels
from sayso.vision.headers import Format

_QUALITY = 92
_LONGEST_PX: dict[Format, int] = {"JPEG": 65_535, "PNG": 2**31 - 1, "WEBP": 16_383}
_WRITTEN_AS: dict[Format, Format] = {
    "JPEG": "JPEG",
    "PNG": "PNG",
    "WEBP": "WEBP",
    "HEIF": "JPEG",
    "TIFF": "JPEG",
}
_JPEG_PARTS = frozenset({0xC0, 0xC1, 0xC4, 0xDB, 0xDD})
"""Frame, Huffman and quantisation tables, restart interval: what it takes to decode."""
_JPEG_HEADER = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
_START_OF_SCAN = 0xDA
_IN_SCAN = frozenset({0x00, *range(0xD0, 0xD8)})
_EXTENSIONS: dict[Format, str] = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}


def extension_for(format: Format) -> str:  # noqa: A002 - the field's name
    """The file name extension, with its dot, of what `encode` writes for a format."""
    return _EXTENSIONS[_WRITTEN_AS[format]]


def encode(pixels: Pixels, format: Format) -> bytes:  # noqa: A002 - the field's name
    """Encode without any metadata: no Exif, XMP, profile, thumbnail or comment.

    JPEG and WebP are written at quality 92; a JPEG with half the colour resolution in each
    direction (4:2:0), as nearly all cameras write it. PNG is exact. HEIF and TIFF photographs
    are written as JPEG, which every reader of publications opens.

    Args:
        pixels: uint8 (H, W, 3) RGB, sRGB.
        format: what the photograph was.

    Raises:
        PhotographTooLarge: longer than the format can hold.
    """
    kind = _WRITTEN_AS[format]
    if max(pixels.shape[:2]) > _LONGEST_PX[kind]:
        raise PhotographTooLarge(
            expected=f"at most {_LONGEST_PX[kind]:,} px along each side for {kind}",
            found=f"{max(pixels.shape[:2]):,} px",
            remedy="Shrink the photograph first, or publish it in another format.",
        )
    pixels = np.ascontiguousarray(pixels)
    if kind == "JPEG":
        return bytes(simplejpeg.encode_jpeg(pixels, _QUALITY, "RGB", "420"))
    buffer = io.BytesIO()
    options = {"compress_level": 3} if kind == "PNG" else {"quality": _QUALITY, "method": 3}
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def is_bare(data: bytes) -> bool:
    """Whether a file has nothing but pixels and what it takes to decode them.

    No segment or chunk of any other kind is in it, no second picture, and nothing after its end.

    Args:
        data: JPEG, PNG or WebP, as `encode` writes them; of anything else the answer is no.
    """
    readers: tuple[Callable[[bytes], bool], ...] = (_is_bare_jpeg, _is_bare_png, _is_bare_webp)
    try:
        return any(reads(data) for reads in readers)
    except (struct.error, IndexError):
        return False


def _is_bare_jpeg(data: bytes) -> bool:
    # The header of JFIF ends with the size of a thumbnail.
    if not data.startswith(_JPEG_HEADER) or data[18:20] != b"\0\0":
        return False
    place = 20
    while data[place] == 0xFF and data[place + 1] in _JPEG_PARTS:  # noqa: PLR2004 - of every marker
        place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    if data[place : place + 2] != bytes([0xFF, _START_OF_SCAN]) or not data.endswith(b"\xff\xd9"):
        return False
    scan = np.frombuffer(data, np.uint8)[place + 2 : -2]
    return _IN_SCAN.issuperset(scan[1:][scan[:-1] == 0xFF].tolist())  # noqa: PLR2004 - a marker


def _is_bare_png(data: bytes) -> bool:
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return False
    place, kinds = 8, []
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        kinds.append(kind)
        place += 12 + length
    pixels = kinds[1:-1]
    return place == len(data) and kinds == [b"IHDR", *[b"IDAT"] * len(pixels), b"IEND"]


def _is_bare_webp(data: bytes) -> bool:
    whole, kind, length = struct.unpack_from("<4xI4x4sI", data)
    return (
        data[:4] == b"RIFF"
        and data[8:12] == b"WEBP"
        and kind in {b"VP8 ", b"VP8L"}
        and len(data) == whole + 8 == 20 + length + length % 2
    )
