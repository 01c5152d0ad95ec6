"""What the first bytes of a photograph say: format, size, orientation, colour profile.

Read here by hand, and not by a decoder, so that a hostile size is refused before any decoder has
reserved memory for it.

Sources: ITU-T T.81 (JPEG), PNG Third Edition, RFC 9649 (WebP), ISO/IEC 14496-12 (file types of
HEIF), TIFF 6.0, CIPA DC-008 (Exif), ICC.1:2022 annex B (profiles embedded in JPEG).
"""

import struct
from dataclasses import dataclass
from typing import Literal

from sayso.errors import NotAPhotograph, PhotographTruncated

Format = Literal["JPEG", "PNG", "WEBP", "HEIF", "TIFF"]

_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END, _APP1, _APP2 = 0xDA, 0xD9, 0xE1, 0xE2
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a JPEG, PNG or WebP before it is decoded.

    Attributes:
        width_px: as stored, before any rotation.
        height_px: the same.
        components: colour planes of a JPEG: 1, 3 or 4; 0 for other formats.
        orientation: of a JPEG, Exif 1..8; 1 where nothing is said, and for other formats.
        profile: the embedded ICC profile of a JPEG; empty where there is none.
    """

    width_px: int
    height_px: int
    components: int = 0
    orientation: int = 1
    profile: bytes = b""


def sniff(data: bytes) -> Format:
    """The format, from the file's signature.

    Raises:
        NotAPhotograph: of none of the five formats.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return "TIFF"
    if data[4:8] == b"ftyp" and _is_heif(data):
        return "HEIF"
    raise NotAPhotograph(
        expected="a JPEG, PNG, WebP, HEIF or TIFF photograph",
        found=f"{len(data)} bytes of another kind" if data else "an empty file",
        remedy="Convert the file to one of these formats, or leave it out.",
    )


def _is_heif(data: bytes) -> bool:
    """HEVC-coded pictures only: AVIF shares the container and its general brands."""
    size = min(max(int.from_bytes(data[:4], "big"), 12), 256)
    brands = {data[8:12], *(data[place : place + 4] for place in range(16, size, 4))}
    return bool(brands & _HEVC_BRANDS) and not brands & {b"avif", b"avis"}


def read_header(data: bytes, kind: Format) -> Header:
    """The stored size and, for a JPEG, orientation and profile.

    Raises:
        PhotographTruncated: the header ends early or contradicts itself.
    """
    readers = {"JPEG": _read_jpeg, "PNG": _read_png, "WEBP": _read_webp}
    try:
        header = readers[kind](data)
    except (struct.error, IndexError, ValueError) as error:
        raise truncated("a header that breaks off or contradicts itself") from error
    if header.width_px < 1 or header.height_px < 1:
        raise truncated("a header that promises no pixels")
    return header


def truncated(found: str) -> PhotographTruncated:
    """The error for bytes that begin as a photograph and do not go on as one."""
    return PhotographTruncated(
        expected="a whole photograph",
        found=found,
        remedy="Copy the file again from where it came; this copy is damaged.",
    )


def orientation_of(exif: bytes) -> int:
    """The orientation 1..8 in an Exif block (with or without its ``Exif`` prefix); 1 in doubt."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(min(entries, 512)):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG:
                return int(value) if kind == 3 and 1 <= value <= 8 else 1  # noqa: PLR2004 - SHORT; 1..8
    except struct.error:
        pass
    return 1


def _read_jpeg(data: bytes) -> Header:
    width = height = components = 0
    orientation, profile = 1, {}
    for marker, segment in _jpeg_segments(data):
        if marker in _FRAME_HEADERS:
            _, height, width, components = struct.unpack_from(">BHHB", segment)
        elif marker == _APP1 and segment.startswith(b"Exif\0\0") and orientation == 1:
            orientation = orientation_of(segment)
        elif marker == _APP2 and segment.startswith(b"ICC_PROFILE\0"):
            profile[segment[12]] = segment[14:]
    joined = b"".join(profile[place] for place in sorted(profile))
    return Header(width, height, components, orientation, joined)


def _jpeg_segments(data: bytes) -> list[tuple[int, bytes]]:
    """The marker segments up to the first scan."""
    segments: list[tuple[int, bytes]] = []
    place = 2
    while True:
        place = data.index(b"\xff", place)
        marker = data[place + 1]
        if marker in {0x00, 0xFF} or marker in _STANDALONE:
            place += 1 if marker == 0xFF else 2  # noqa: PLR2004 - a fill byte
            continue
        if marker in {_START_OF_SCAN, _END}:
            return segments
        (length,) = struct.unpack_from(">H", data, place + 2)
        if length < 2:  # noqa: PLR2004 - the length counts itself
            raise ValueError(length)
        segments.append((marker, data[place + 4 : place + 2 + length]))
        place += 2 + length


def _read_png(data: bytes) -> Header:
    kind, width, height = struct.unpack_from(">4sII", data, 12)
    if kind != b"IHDR":
        raise ValueError(kind)
    return Header(width, height)


def _read_webp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise truncated(f"{len(data)} of {size + 8} bytes")
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        # The canvas is given in bytes that must be there.
        return Header(width, height) if len(data) >= 30 else Header(0, 0)  # noqa: PLR2004
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Header((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header(width & 0x3FFF, height & 0x3FFF)
    raise ValueError(kind)
