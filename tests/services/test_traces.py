"""Nothing of what was covered remains in a copy: every carrier of every format that is read.

Each original carries a secret (in several spellings) or an uncovered face, where its format has a
place for one. The copies are searched byte by byte, and what is compressed in them is unpacked.
"""

import base64
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from sayso.domain.screening import CoverStyle
from sayso.vision.encode import is_bare

from .drawing import BEN, LEFT, NOBODY, RIGHT, Head, drawn
from .world import World

PLANTED = "Marta Petrova, 51.5014 -0.1419"
FORMS = (
    PLANTED.encode(),
    PLANTED.encode("utf-16-le"),
    PLANTED.encode("utf-16-be"),
    base64.b64encode(PLANTED.encode()),
)
FILL = (0, 0, 160)
THERE, HIDDEN = Head(NOBODY, x=LEFT), Head(BEN, x=RIGHT)
_COUNTER = iter(range(1, 1000))


def jpeg_of(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


THUMBNAIL = jpeg_of(drawn(HIDDEN).resize((120, 80)))
PAYLOAD = b"|".join((*FORMS, zlib.compress(FORMS[0]), THUMBNAIL))
TEXT = f"{PLANTED} {FORMS[3].decode()}"


def traces(data: bytes) -> list[bytes]:
    """Which forms of the secret, or of the small picture, are in some bytes, packed or not."""
    wanted = (*FORMS, THUMBNAIL[-300:-200])
    return [form for part in (data, *unpacked(data)) for form in wanted if form in part]


def unpacked(data: bytes) -> Iterator[bytes]:
    chunks = data
    if data.startswith(b"\x89PNG"):  # the pixels are one stream in many chunks
        at, pixels = 8, b""
        while at + 8 <= len(data):
            length, kind = struct.unpack_from(">I4s", data, at)
            pixels += data[at + 8 : at + 8 + length] if kind in {b"IDAT", b"fdAT"} else b""
            at += 12 + length
        chunks += pixels
    for at in (place for place in range(len(chunks) - 1) if chunks[place] == 0x78):
        if int.from_bytes(chunks[at : at + 2], "big") % 31 == 0:
            try:
                yield zlib.decompressobj().decompress(chunks[at:], 1 << 20)
            except zlib.error:
                continue


def image() -> Image.Image:
    """Different in each file, so that each is a photograph of its own."""
    return drawn(THERE, number=next(_COUNTER))


def exif() -> bytes:
    """Description, place and maker's note, and the thumbnail of IFD1."""
    texts = [(0x010E, 2, FORMS[0] + b"\0"), (0x927C, 7, PAYLOAD), (0x9C9B, 1, FORMS[1])]
    head = b"II*\0" + struct.pack("<I", 8)
    start = 8 + 2 + 12 * (len(texts) + 1) + 4
    body, entries = b"", []
    for tag, kind, value in texts:
        entries.append(struct.pack("<HHII", tag, kind, len(value), start + len(body)))
        body += value + b"\0" * (len(value) % 2)
    gps = struct.pack("<H", 1) + struct.pack("<HHII", 29, 2, len(FORMS[0]), start) + bytes(4)
    entries.append(struct.pack("<HHII", 0x8825, 4, 1, start + len(body)))
    body += gps
    second = start + len(body)
    picture = second + 2 + 24 + 4
    body += struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, picture)
    body += struct.pack("<HHII", 0x0202, 4, 1, len(THUMBNAIL)) + bytes(4) + THUMBNAIL
    first = struct.pack("<H", len(entries)) + b"".join(sorted(entries)) + struct.pack("<I", second)
    return head + first + body


def xmp() -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/'
        '22-rdf-syntax-ns#"><rdf:Description xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" '
        f'xmpMM:DerivedFrom="{PLANTED}"><xmpMM:History>{TEXT}</xmpMM:History></rdf:Description>'
        f"<img>{base64.b64encode(THUMBNAIL).decode()}</img></rdf:RDF></x:xmpmeta>"
    ).encode()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + PAYLOAD


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def resource(number: int, body: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(body)) + body + b"\0" * (len(body) % 2)


def iptc() -> bytes:
    return b"".join(
        b"\x1c\x02" + bytes([field]) + struct.pack(">H", len(FORMS[0])) + FORMS[0]
        for field in (5, 80, 90, 120)
    )


def jumbf() -> bytes:
    label = struct.pack(">I4s", 8 + len(PAYLOAD), b"c2pa") + PAYLOAD
    return struct.pack(">I4s", 8 + len(label), b"jumb") + label


def jpegs() -> dict[str, bytes]:
    segments = {
        "exif": segment(0xE1, b"Exif\0\0" + exif()),
        "xmp": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
        "xmp-extended": segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + PAYLOAD),
        "profile": segment(0xE2, b"ICC_PROFILE\0\x01\x01" + profile()),
        "flashpix": segment(0xE2, b"FPXR\0" + PAYLOAD),
        "c2pa": segment(0xEB, b"JP\0\x01\0\0\0\x01" + jumbf()),
        "photoshop": segment(
            0xED,
            b"Photoshop 3.0\0" + resource(0x0404, iptc()) + resource(0x040C, bytes(28) + PAYLOAD),
        ),
        "jfxx": segment(0xE0, b"JFXX\0\x10" + THUMBNAIL),
        "vendor": segment(0xE7, PAYLOAD),
        "comment": segment(0xFE, PAYLOAD),
    }
    made = {}
    for name, extra in segments.items():
        plain = jpeg_of(image())
        made[f"{name}.jpg"] = plain[:20] + extra + plain[20:]
    made["trailing.jpg"] = jpeg_of(image()) + PAYLOAD
    several = io.BytesIO()
    image().save(several, "MPO", save_all=True, append_images=[drawn(HIDDEN)])
    made["several.jpg"] = several.getvalue() + PAYLOAD
    return made


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pngs() -> dict[str, bytes]:
    packed = zlib.compress(PAYLOAD)
    chunks = {
        "text": chunk(b"tEXt", b"Comment\0" + PAYLOAD),
        "packed-text": chunk(b"zTXt", b"Comment\0\0" + packed),
        "xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()),
        "packed-xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + zlib.compress(xmp())),
        "exif": chunk(b"eXIf", exif()),
        "profile": chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(profile())),
        "c2pa": chunk(b"caBX", jumbf()),
        "private": chunk(b"prVt", PAYLOAD),
    }
    made = {}
    for name, extra in chunks.items():
        plain = saved(image(), "PNG")
        made[f"{name}.png"] = plain[:33] + extra + plain[33:]
    made["trailing.png"] = saved(image(), "PNG") + PAYLOAD
    made["several.png"] = saved(image(), "PNG", save_all=True, append_images=[drawn(HIDDEN)])
    made["transparent.png"] = saved(transparent(), "PNG")
    return made


def webps() -> dict[str, bytes]:
    def with_chunk(kind: bytes, body: bytes) -> bytes:
        plain = saved(image(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", quality=90)
        body += b"\0" * (len(body) % 2)
        extra = kind + struct.pack("<I", len(body)) + body
        return plain[:4] + struct.pack("<I", len(plain) + len(extra) - 8) + plain[8:] + extra

    return {
        "exif.webp": saved(image(), "WEBP", exif=b"Exif\0\0" + exif(), quality=90),
        "xmp.webp": saved(image(), "WEBP", xmp=xmp(), quality=90),
        "profile.webp": saved(image(), "WEBP", icc_profile=profile(), quality=90),
        "c2pa.webp": with_chunk(b"C2PA", jumbf()),
        "trailing.webp": saved(image(), "WEBP", quality=90) + PAYLOAD,
        "several.webp": saved(image(), "WEBP", save_all=True, append_images=[drawn(HIDDEN)]),
        "transparent.webp": saved(transparent(), "WEBP", lossless=True, exact=True),
    }


def tiffs() -> dict[str, bytes]:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x010E] = tags[0x013B] = tags[0x8298] = TEXT
    for tag, body in ((700, xmp()), (33723, iptc()), (34377, resource(0x040C, PAYLOAD))):
        tags[tag] = body
        tags.tagtype[tag] = 7
    tags[65000] = PAYLOAD
    tags.tagtype[65000] = 7
    return {
        "tags.tif": saved(image(), "TIFF", tiffinfo=tags),
        "profile.tif": saved(image(), "TIFF", icc_profile=profile()),
        "packed.tif": saved(image(), "TIFF", tiffinfo=tags, compression="tiff_adobe_deflate"),
        "trailing.tif": saved(image(), "TIFF") + PAYLOAD,
        "several.tif": saved(image(), "TIFF", save_all=True, append_images=[drawn(HIDDEN)]),
        "transparent.tif": saved(transparent(), "TIFF"),
    }


def heifs() -> dict[str, bytes]:
    def made(*more: Image.Image, **options: object) -> bytes:
        first = image()
        first.info["icc_profile"] = profile()
        file = pillow_heif.from_pillow(first)
        for other in more:
            file.add_from_pillow(other)
        buffer = io.BytesIO()
        file.save(buffer, quality=80, **options)
        return buffer.getvalue()

    box = struct.pack(">I4s", 24 + len(PAYLOAD), b"uuid") + bytes(16) + PAYLOAD
    return {
        "named.heic": made(exif=b"Exif\0\0" + exif(), xmp=xmp()),
        "several.heic": made(drawn(HIDDEN), thumbnails=[64]),
        "box.heic": made() + box,
    }


def transparent() -> Image.Image:
    """A second face that nobody sees, since it is wholly transparent; its colours are there."""
    both = drawn(THERE, HIDDEN, number=next(_COUNTER)).convert("RGBA")
    alpha = Image.new("L", both.size, 255)
    alpha.paste(0, (HIDDEN.x, HIDDEN.y, HIDDEN.x + HIDDEN.side, HIDDEN.y + HIDDEN.side))
    both.putalpha(alpha)
    return both


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pictures_in(data: bytes) -> tuple[int, str]:
    """How many pictures a viewer finds in a file, and the mode of the first."""
    if data[4:8] == b"ftyp":
        file = pillow_heif.open_heif(data)
        return len(file), file.mode
    with Image.open(io.BytesIO(data)) as opened:
        return getattr(opened, "n_frames", 1), opened.mode


@pytest.mark.parametrize("carriers", [jpegs, pngs, webps, tiffs, heifs])
def test_nothing_that_a_file_carries_comes_into_its_copy(
    world: World, tmp_path: Path, carriers: object
) -> None:
    originals: dict[str, bytes] = carriers()  # type: ignore[operator] # one of those above
    source = world.collection()
    for name, data in originals.items():
        count, mode = pictures_in(data)
        assert traces(data) or count > 1 or mode == "RGBA", f"{name} carries nothing"
        assert not is_bare(data) or mode == "RGBA", name
        source.put(name, data)
    assert world.scan("club").photos == len(originals)
    publication = world.publish(tmp_path / "out", CoverStyle.FILL)
    assert [file.path for file in publication.withheld] == []
    assert len(publication.published) == len(originals)
    for file in publication.published:
        data = (tmp_path / "out" / "photographs" / file.copy).read_bytes()
        assert traces(data) == [], file.path
        assert is_bare(data), file.path
        assert pictures_in(data) == (1, "RGB"), file.path
        with Image.open(io.BytesIO(data)) as opened:
            pixels = np.asarray(opened, np.int16)
        assert (np.abs(pixels[place(THERE)] - FILL) < 8).all(), file.path
        assert (pixels[place(HIDDEN)] > 247).all(), file.path


def place(head: Head) -> tuple[slice, slice]:
    return slice(head.y + 8, head.y + head.side - 8), slice(head.x + 8, head.x + head.side - 8)
