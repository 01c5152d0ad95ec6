import io
import re

import numpy as np
import pytest
from PIL import Image

from sayso.errors import PhotographTooLarge
from sayso.vision.decode import DecodeLimits, decode
from sayso.vision.encode import encode, extension_for, is_bare
from sayso.vision.headers import Format

FORMATS: tuple[Format, ...] = ("JPEG", "PNG", "WEBP", "HEIF", "TIFF")


def scene() -> np.ndarray:
    down, across = np.mgrid[0:90, 0:120]
    return np.stack([across * 2, down * 2, (across + down)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_written_can_be_read_and_looks_the_same(kind: Format, limits: DecodeLimits) -> None:
    picture = decode(encode(scene(), kind), limits)
    assert picture.pixels.shape == (90, 120, 3)
    assert np.abs(picture.pixels.astype(int) - scene()).mean() < 3


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_but_pixels_is_written(kind: Format) -> None:
    data = encode(scene(), kind)
    with Image.open(io.BytesIO(data)) as image:
        assert not image.getexif()
        structural = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "loop"}
        assert set(image.info) <= structural | {"background", "timestamp", "duration"}
    assert not re.search(rb"Exif|XMP|xmpmeta|ICC_PROFILE|iCCP|tEXt|Photoshop", data)


def test_png_is_exact(limits: DecodeLimits) -> None:
    np.testing.assert_array_equal(decode(encode(scene(), "PNG"), limits).pixels, scene())


def test_formats_that_publications_cannot_open_become_jpeg() -> None:
    assert {kind: extension_for(kind) for kind in FORMATS} == {
        "JPEG": ".jpg",
        "PNG": ".png",
        "WEBP": ".webp",
        "HEIF": ".jpg",
        "TIFF": ".jpg",
    }


def test_a_picture_longer_than_the_format_holds_is_refused() -> None:
    with pytest.raises(PhotographTooLarge):
        encode(np.zeros((1, 16_384, 3), np.uint8), "WEBP")


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_written_is_bare_and_with_anything_more_it_is_not(kind: Format) -> None:
    data = encode(scene(), kind)
    assert is_bare(data)
    assert not is_bare(data + b"more")
    assert not is_bare(data + data)
    assert not is_bare(data[:-40])
    assert not is_bare(b"")
    for place in (2, 12, 20, 33):
        assert not is_bare(data[:place] + b"\xff\xfe\x00\x06more" + data[place:])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_what_other_programs_add_is_not_bare(kind: str) -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "more"
    Image.fromarray(scene()).save(buffer, kind, exif=exif, comment=b"more")
    assert not is_bare(buffer.getvalue())
