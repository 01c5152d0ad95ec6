"""From pixels to the bytes of a photograph that carries nothing but its pixels."""

import io

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
