import io
import random
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from sayso.errors import NotAPhotograph, PhotographError, PhotographTooLarge, PhotographTruncated
from sayso.vision.decode import Buffers, DecodeLimits, decode
from sayso.vision.headers import Format

LIMITS = DecodeLimits(max_bytes=10_000_000, max_pixels=10_000_000)
FORMATS: tuple[Format, ...] = get_args(Format)
ORIENTATION = 0x0112


def scene() -> Image.Image:
    """Four plain quarters: red, green, blue and white, clockwise from the top left."""
    image = Image.new("RGB", (160, 120), "red")
    image.paste((0, 255, 0), (80, 0, 160, 60))
    image.paste((0, 0, 255), (80, 60, 160, 120))
    image.paste("white", (0, 60, 80, 120))
    return image


def noise() -> Image.Image:
    values = np.random.default_rng(11).integers(0, 256, (120, 160, 3))
    return Image.fromarray(values.astype(np.uint8))


def saved(image: Image.Image, kind: str, orientation: int = 1, **options: object) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    buffer = io.BytesIO()
    if kind == "HEIF":
        heif = pillow_heif.from_pillow(image)
        heif.save(buffer, quality=90, exif=exif.tobytes())
    else:
        image.save(buffer, kind, exif=exif, **options)
    return buffer.getvalue()


def corners(pixels: np.ndarray) -> list[str]:
    """The colours of the four quarters, clockwise from the top left."""
    height, width = pixels.shape[:2]
    names = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}
    spots = ((1, 1), (1, 3), (3, 3), (3, 1))
    found = [pixels[down * height // 4, across * width // 4] > 128 for down, across in spots]
    return [names[int(spot[0]), int(spot[1]), int(spot[2])] for spot in found]


UPRIGHT = {
    1: ["red", "green", "blue", "white"],
    2: ["green", "red", "white", "blue"],
    3: ["blue", "white", "red", "green"],
    4: ["white", "blue", "green", "red"],
    5: ["red", "white", "blue", "green"],
    6: ["white", "red", "green", "blue"],
    7: ["blue", "green", "red", "white"],
    8: ["green", "blue", "white", "red"],
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_every_format_comes_upright(kind: Format, orientation: int) -> None:
    picture = decode(saved(scene(), kind, orientation), LIMITS)
    assert corners(picture.pixels) == UPRIGHT[orientation]
    assert picture.format == kind
    assert (picture.width_px, picture.height_px) == picture.pixels.shape[1::-1]
    assert picture.pixels.shape == ((120, 160, 3) if orientation < 5 else (160, 120, 3))
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.dtype == np.uint8


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "CMYK", "I;16"])
def test_other_pixels_become_rgb(mode: str) -> None:
    kind = {"CMYK": "JPEG", "LA": "PNG"}.get(mode, "PNG")
    if mode == "I;16":
        image = Image.fromarray(np.full((40, 50), 51_400, np.uint16))
    else:
        image = Image.new("RGB", (50, 40), (200, 200, 200))
        image = image.quantize(4) if mode == "P" else image.convert(mode)
    picture = decode(saved(image, kind), LIMITS)
    assert picture.pixels.shape == (40, 50, 3)
    if mode != "1":
        assert np.abs(picture.pixels.astype(int) - 200).max() <= 6


def test_sixteen_bits_a_colour_become_eight() -> None:
    deep = np.full((4, 5, 3), 200 * 257, np.uint16)
    for extension in (".png", ".tiff"):
        _, data = cv2.imencode(extension, deep)
        pixels = decode(data.tobytes(), LIMITS).pixels
        assert np.abs(pixels.astype(int) - 200).max() <= 1


def test_transparency_becomes_white() -> None:
    image = Image.new("RGBA", (20, 10), (255, 0, 0, 0))
    for kind in ("PNG", "WEBP", "TIFF"):
        assert decode(saved(image, kind), LIMITS).pixels.min() >= 250


def test_another_profile_is_converted_to_srgb() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    swapped = swapped_profile(lab.tobytes())
    image = Image.new("RGB", (32, 32), (200, 30, 30))
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        pixels = decode(saved(image, kind, icc_profile=swapped), LIMITS).pixels
        assert pixels[16, 16, 1] > pixels[16, 16, 0] + 50, kind


def swapped_profile(profile: bytes) -> bytes:
    """An RGB profile whose red and green primaries have changed places, under another name."""
    profile = profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ")
    profile = profile.replace(b"tmpX", b"gXYZ")
    return profile.replace("sRGB".encode("utf-16-be"), "xRGB".encode("utf-16-be"))


def test_srgb_under_another_name_changes_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = profile.replace("sRGB".encode("utf-16-be"), "xRGB".encode("utf-16-be"))
    image = noise()
    plain = decode(saved(image, "PNG"), LIMITS).pixels
    assert (decode(saved(image, "PNG", icc_profile=renamed), LIMITS).pixels == plain).all()


def test_threads_that_decode_side_by_side_leave_the_warning_filters_as_they_were() -> None:
    images = [saved(noise(), kind) for kind in ("PNG", "TIFF", "WEBP")] * 20
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda data: decode(data, LIMITS), images))
    assert len({picture.pixels.tobytes() for picture in pictures[::3]}) == 1
    assert list(warnings.filters) == before


def test_an_unusable_profile_changes_nothing() -> None:
    data = saved(Image.new("RGB", (32, 32), (200, 30, 30)), "PNG", icc_profile=b"no profile")
    assert decode(data, LIMITS).pixels[0, 0].tolist() == [200, 30, 30]


@pytest.mark.parametrize("wanted", [1, 19, 20, 21, 40, 79, 80, 81, 159, 160, 400])
def test_a_jpeg_may_come_smaller_but_never_below_what_is_wanted(wanted: int) -> None:
    picture = decode(saved(scene(), "JPEG", 6), LIMITS, at_least_px=wanted)
    longest = max(picture.pixels.shape[:2])
    assert longest >= min(wanted, 160)
    assert longest < 2 * wanted or longest <= 20
    assert (picture.width_px, picture.height_px) == (120, 160)
    assert corners(picture.pixels) == UPRIGHT[6]


@pytest.mark.parametrize("kind", ["GIF", "BMP", "ICO", "PPM"])
def test_other_formats_are_not_photographs(kind: str) -> None:
    buffer = io.BytesIO()
    scene().resize((32, 32)).save(buffer, kind)
    with pytest.raises(NotAPhotograph):
        decode(buffer.getvalue(), LIMITS)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(100)]
)
def test_other_files_are_not_photographs(data: bytes) -> None:
    with pytest.raises(NotAPhotograph):
        decode(data, LIMITS)


@pytest.mark.parametrize("kind", FORMATS)
def test_more_pixels_or_bytes_than_allowed_are_refused(kind: Format) -> None:
    data = saved(scene(), kind)
    with pytest.raises(PhotographTooLarge):
        decode(data, DecodeLimits(max_bytes=10_000_000, max_pixels=160 * 120 - 1))
    with pytest.raises(PhotographTooLarge):
        decode(data, DecodeLimits(max_bytes=len(data) - 1, max_pixels=10_000_000))
    just = DecodeLimits(max_bytes=len(data), max_pixels=160 * 120)
    assert decode(data, just).width_px == 160


def test_a_huge_promised_size_is_refused_before_memory_is_reserved() -> None:
    png = bytearray(saved(scene(), "PNG"))
    png[16:24] = (2**31 - 1).to_bytes(4, "big") * 2
    webp = bytearray(saved(scene(), "WEBP", lossless=True))
    for data in (png, webp[:12] + b"VP8X" + bytes([10, 0, 0, 0, 0, 0, 0, 0]) + b"\xff" * 6):
        padded = bytes(data) + bytes(64)
        if data is not png:
            padded = padded[:4] + (len(padded) - 8).to_bytes(4, "little") + padded[8:]
        with pytest.raises(PhotographTooLarge):
            decode(padded, LIMITS)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_photograph_is_an_error_and_not_grey(kind: Format, share: float) -> None:
    data = saved(noise(), kind)
    with pytest.raises(PhotographTruncated):
        decode(data[: int(len(data) * share)], LIMITS)


def test_a_cut_off_jpeg_is_an_error_even_with_an_end_glued_on() -> None:
    for progressive in (False, True):
        data = saved(noise(), "JPEG", progressive=progressive)
        with pytest.raises(PhotographTruncated):
            decode(data[: len(data) * 2 // 3] + b"\xff\xd9", LIMITS)


def test_stray_bytes_after_a_jpeg_do_no_harm() -> None:
    picture = decode(saved(scene(), "JPEG") + b"\0" * 100, LIMITS)
    assert corners(picture.pixels) == UPRIGHT[1]


def test_only_the_first_picture_of_several_is_taken() -> None:
    other = Image.new("RGB", (160, 120), "black")
    for kind in ("PNG", "WEBP", "TIFF", "MPO"):
        buffer = io.BytesIO()
        scene().save(buffer, kind, save_all=True, append_images=[other])
        assert corners(decode(buffer.getvalue(), LIMITS).pixels) == UPRIGHT[1], kind


SAMPLES = {kind: saved(noise(), kind) for kind in FORMATS}


@given(kind=st.sampled_from(FORMATS), seed=st.integers(0, 2**31), cut=st.booleans())
def test_hostile_bytes_give_pixels_or_one_of_three_errors(
    kind: Format, seed: int, *, cut: bool
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    data = bytearray(SAMPLES[kind])
    reach = chance.choice([64, 400, len(data)])
    for _ in range(chance.choice([1, 2, 8, 40])):
        data[chance.randrange(min(reach, len(data)))] = chance.randrange(256)
    if cut:
        del data[chance.randrange(len(data)) :]
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        try:
            picture = decode(bytes(data), LIMITS)
        except PhotographError as error:
            outcome = error.code
        else:
            shape = (picture.height_px, picture.width_px, 3)
            outcome = "pixels" if picture.pixels.shape == shape else "a wrong shape"
    assert outcome in {
        "pixels",
        NotAPhotograph.code,
        PhotographTruncated.code,
        PhotographTooLarge.code,
    }
    assert not leaked


def test_a_small_jpeg_that_goes_over_its_pixels_for_ever_is_refused() -> None:
    buffer = io.BytesIO()
    noise().save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    assert decode(data, LIMITS).width_px == 160
    with pytest.raises(PhotographTooLarge):
        decode(data[:-2] + last * 200 + data[-2:], LIMITS)
    tight = DecodeLimits(max_bytes=10_000_000, max_pixels=160 * 120)
    with pytest.raises(PhotographTooLarge):
        decode(data[:-2] + last * 30 + data[-2:], tight)


@pytest.mark.parametrize("orientation", [1, 6])
def test_pixels_are_the_same_in_memory_that_is_used_again(orientation: int) -> None:
    buffers = Buffers()
    for image in (noise(), scene(), noise().resize((80, 60))):
        data = saved(image, "JPEG", orientation)
        kept = decode(data, LIMITS, buffers=buffers).pixels
        np.testing.assert_array_equal(kept, decode(data, LIMITS).pixels)


def test_memory_that_is_used_again_is_each_threads_own() -> None:
    buffers = Buffers()
    pictures = [saved(noise().rotate(90 * turn), "JPEG") for turn in range(4)]
    expected = [decode(data, LIMITS).pixels for data in pictures]

    def work(place: int) -> bool:
        found = [decode(pictures[place], LIMITS, buffers=buffers).pixels for _ in range(50)]
        return all(np.array_equal(pixels, expected[place]) for pixels in found)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


def test_a_thread_does_not_hold_on_to_a_giant() -> None:
    buffers = Buffers()
    small = buffers.of(1000)
    assert np.shares_memory(small, buffers.of(500))
    giant = buffers.of(150_000_000)
    assert not np.shares_memory(giant, buffers.of(150_000_000))
    assert np.shares_memory(small, buffers.of(1000))
