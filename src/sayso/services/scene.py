"""Photographs for the demonstration, put together from two portraits that packages ship.

Both are in the public domain: Eileen Collins by NASA (in scikit-image), Grace Hopper by the United
States Navy (in matplotlib). Their packages' code is never imported; the pictures are data.
"""

import io
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from sayso.errors import FileMissing

_COLLINS = ("scikit-image", "skimage/data/astronaut.png")
_HOPPER = ("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg")
_BACKDROP = (196, 203, 209)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the demonstration's photographs and enrolment images were written."""

    photographs: Path
    collins: Path
    hopper: Path
    together: Path
    form: Path


def set_up(folder: Path) -> Scene:
    """Write the photographs of the demonstration below a folder.

    Raises:
        FileMissing: a package of the extra ``demo`` is not installed.
    """
    collins, hopper = _portrait(*_COLLINS), _portrait(*_HOPPER)
    photographs, forms = folder / "photographs", folder / "forms"
    photographs.mkdir(parents=True)
    forms.mkdir()
    together = _side_by_side(collins, hopper)
    for name, picture, quality in (
        ("IMG_0001.jpg", collins, 92),
        ("IMG_0002.jpg", hopper, 92),
        ("IMG_0003.jpg", together, 90),
        ("IMG_0004.jpg", ImageEnhance.Brightness(ImageOps.mirror(collins)).enhance(0.6), 85),
        ("IMG_0005.jpg", _small_in_a_wide_frame(hopper), 88),
        ("IMG_0006.jpg", ImageEnhance.Contrast(ImageOps.mirror(together)).enhance(1.3), 45),
        ("IMG_0007.jpg", _small_in_a_wide_frame(_side_by_side(hopper, collins)), 90),
        ("IMG_0008.jpg", collins.rotate(12, Image.Resampling.BICUBIC, fillcolor=_BACKDROP), 88),
    ):
        picture.save(photographs / name, quality=quality)
    collins.resize((350, 350), Image.Resampling.LANCZOS).save(photographs / "scan.png")
    scene = Scene(
        photographs,
        forms / "eileen-collins.jpg",
        forms / "grace-hopper.jpg",
        photographs / "IMG_0003.jpg",
        forms / "signed-form.txt",
    )
    collins.crop((100, 0, 400, 300)).save(scene.collins, quality=95)
    hopper.crop((60, 0, 460, 480)).save(scene.hopper, quality=95)
    scene.form.write_text("A form that the person signed would be here.\n", encoding="utf-8")
    return scene


def _portrait(package: str, file: str) -> Image.Image:
    try:
        data = Path(str(distribution(package).locate_file(file))).read_bytes()
    except (PackageNotFoundError, OSError):
        raise FileMissing(
            expected=f"{file} of the package {package}",
            found="nothing",
            remedy="Install sayso[demo].",
        ) from None
    return Image.open(io.BytesIO(data)).convert("RGB")


def _side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    height = 600
    parts = [
        ImageOps.contain(picture, (2 * height, height), Image.Resampling.LANCZOS)
        for picture in (left, right)
    ]
    frame = Image.new("RGB", (sum(part.width for part in parts), height), _BACKDROP)
    frame.paste(parts[0], (0, height - parts[0].height))
    frame.paste(parts[1], (parts[0].width, height - parts[1].height))
    return frame


def _small_in_a_wide_frame(picture: Image.Image) -> Image.Image:
    frame = Image.new("RGB", (1800, 1200), _BACKDROP)
    small = ImageOps.contain(picture, (700, 420), Image.Resampling.LANCZOS)
    frame.paste(small, (900, 700))
    return frame
