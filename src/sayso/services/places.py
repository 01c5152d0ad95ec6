"""Which photograph and which face a caller means, and the photograph's bytes as scanned."""

import hashlib
import json
import os
from dataclasses import dataclass

from sayso.domain.face import Box
from sayso.domain.photo import PhotoId
from sayso.errors import (
    FaceUnknown,
    PhotographError,
    PhotographUnknown,
    PhotographVanished,
    SettingMalformed,
)
from sayso.services.ports import PhotographSource
from sayso.store.photographs import Photograph, StoredFace
from sayso.store.repository import Unit

_LONGEST_ID = 18
"""Digits; the database's numbers end soon after."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be looked at, with the reason."""

    path: str
    code: str
    reason: str

    @classmethod
    def because(cls, path: str, error: PhotographError) -> "Unreadable":
        """A file and what is wrong with it."""
        return cls(path, error.reason_code, error.reason)


def photograph(unit: Unit, text: str) -> Photograph:
    """The photograph that a path (as scanned, or from the current folder) or an id means.

    Raises:
        PhotographUnknown: none, or several.
    """
    found = unit.files.at_path(text) or unit.files.at_path(os.path.realpath(text))
    if len({photo for _, photo in found}) > 1:
        raise PhotographUnknown(
            expected="a path that lies in one collection",
            found="the same in " + ", ".join(sorted(name for name, _ in found)),
            remedy="Give the whole path from the root of the disk, or the photograph's id, as "
            "`sayso screen --json` prints it.",
        )
    if found:
        return unit.photographs.get(found[0][1])
    if text.isdecimal() and len(text) <= _LONGEST_ID:
        return unit.photographs.get(PhotoId(text))
    raise PhotographUnknown(
        expected="the path of a scanned photograph",
        found=repr(text),
        remedy="Give it as `sayso screen` prints it, or scan its collection first.",
    )


def photograph_and_face(unit: Unit, photo: str, face: str) -> tuple[Photograph, StoredFace]:
    """A photograph, and the face in it that an id or a box means.

    Raises:
        PhotographUnknown, FaceUnknown: not known.
        SettingMalformed: a box that is none.
    """
    known = photograph(unit, photo)
    if "," not in face:
        found = next((stored for stored in known.faces if stored.id == face), None)
        if found is None:
            raise FaceUnknown(
                expected=f"the id of one of the {len(known.faces)} faces of {photo}",
                found=repr(face),
                remedy="Copy the id, or the box, from `sayso screen --json`.",
            )
        return known, found
    return known, unit.photographs.face_at(known, box(face))


def box(text: str) -> Box:
    """Read ``x,y,width,height`` or its JSON list, relative to the upright picture.

    Raises:
        SettingMalformed: it is no such box.
    """
    try:
        x, y, width, height = (float(n) for n in json.loads(f"[{text.strip().strip('[]')}]"))
    except (ValueError, TypeError):
        raise SettingMalformed(
            expected="a box as x,y,width,height, each 0 to 1",
            found=repr(text),
            remedy="Copy the box from `sayso screen --json`.",
        ) from None
    return Box(x, y, width, height)


def read_photograph(source: PhotographSource, known: Photograph, max_bytes: int) -> bytes:
    """The bytes of a photograph as it was scanned, from wherever it lies unchanged.

    Raises:
        PhotographError: it cannot be read, or lies nowhere as it was.
    """
    failure: PhotographError = PhotographVanished(
        expected=f"{', '.join(known.paths) or 'the photograph'} as it was scanned",
        found="another content" if known.paths else "nothing",
        remedy="Scan the collection again: it was changed since.",
    )
    for path in known.paths:
        try:
            data = source.read(path, max_bytes=max_bytes)
        except PhotographError as error:
            failure = error
            continue
        if hashlib.sha256(data).hexdigest() == known.sha256:
            return data
    raise failure
