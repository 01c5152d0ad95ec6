"""Any pixels to 8-bit sRGB on white."""

import functools
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Pixels = NDArray[np.uint8]

_TOP_8_BIT, _TOP_16_BIT = 255.0, 65_535.0
_ROUNDING = 2
"""Levels of 255."""
_SRGB = ImageCms.createProfile("sRGB")


def on_white(image: Image.Image, profile: bytes = b"") -> Pixels:
    """uint8 (H, W, 3) RGB of a loaded picture of any mode, sRGB, transparency on white.

    Args:
        image: any Pillow mode.
        profile: its embedded ICC profile; empty where there is none.
    """
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        grey = _deep_grey(np.asarray(image))
        return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        flat = Image.new("RGBA", image.size, "white")
        flat.alpha_composite(rgba)
        return to_srgb(np.asarray(flat.convert("RGB")), profile)
    if image.mode == "CMYK":
        return np.asarray(_cmyk(image, profile))
    return to_srgb(np.asarray(image.convert("RGB")), profile)


def _deep_grey(pixels: NDArray[Any]) -> Pixels:
    """Greyscale of 16 or 32 bits or of real numbers, scaled by the depth that its values use."""
    values = np.nan_to_num(pixels.astype(np.float32))
    top = float(values.max(initial=0.0))
    if pixels.dtype == np.uint16 or top > _TOP_8_BIT:
        depth = _TOP_16_BIT
    else:
        depth = 1.0 if pixels.dtype.kind == "f" and top <= 1.0 else _TOP_8_BIT
    return np.asarray(np.clip(np.rint(values * (_TOP_8_BIT / depth)), 0, _TOP_8_BIT), np.uint8)


def to_srgb(pixels: Pixels, profile: bytes) -> Pixels:
    """RGB pixels of an embedded profile as sRGB; unchanged where it is sRGB or unusable.

    Args:
        pixels: uint8 (H, W, 3) RGB.
        profile: an ICC profile; empty for none.
    """
    transform = _transform(profile, "RGB") if profile else None
    if transform is None:
        return pixels
    return np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), transform))


def _cmyk(image: Image.Image, profile: bytes) -> Image.Image:
    transform = _transform(profile, "CMYK") if profile else None
    if transform is None:
        return image.convert("RGB")
    return ImageCms.applyTransform(image, transform) or image.convert("RGB")


@functools.lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile to sRGB; None where there is nothing to do or no way."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
            return None
        transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB")
        # Cameras and sites embed sRGB under many names; conversion is slower than decoding.
        return None if mode == "RGB" and _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether no colour becomes another by more than rounding does."""
    levels = np.linspace(0, _TOP_8_BIT, 18).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    after = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform), np.int16)
    return int(np.abs(after - grid).max()) <= _ROUNDING
