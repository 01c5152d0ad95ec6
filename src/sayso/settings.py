"""Settings: one table, read once, frozen.

A value comes from the environment (``SAYSO_`` and the name in capitals), else from the file
``sayso.toml`` in the workspace, else from the table's default.
"""

import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sayso.domain.controller import Controller, placeholder
from sayso.domain.dpv import country
from sayso.domain.matching import Promise
from sayso.domain.screening import Perhaps
from sayso.errors import SettingMalformed

FILE = "sayso.toml"
CPU, CUDA, CUDA_OR_CPU = DEVICES = ("cpu", "cuda", "cuda-or-cpu")
"""What ``device`` may be."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


_COUNTS = {"workers": "workers", "retain_templates_days": "days", "takedown_days": "days"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: a name with its unit, the default, and what it is for."""

    name: str
    default: int | float | str
    help: str


TABLE = (
    Setting("max_bytes", 200_000_000, "largest file that is opened, bytes"),
    Setting("max_pixels", 200_000_000, "largest photograph that is decoded, pixels"),
    Setting(
        "smallest_face_px",
        12.0,
        "height of the smallest faces looked for, pixels of the full-size photograph; "
        "the time of the look before publication grows as its inverse square",
    ),
    Setting(
        "perhaps_faces",
        "",
        "what becomes of what is perhaps a face, until a human has looked: "
        "cover, or review; empty: cover",
    ),
    Setting("detection_score", 0.5, "finds of the detector below this score are no faces, 0 to 1"),
    Setting(
        "false_names",
        0.001,
        "promise: share of photographs of strangers in which somebody is named all the same",
    ),
    Setting(
        "false_reviews",
        0.1,
        "promise: share of photographs of strangers that a human is asked to look at",
    ),
    Setting(
        "device",
        "cpu",
        "where networks run: cpu; cuda, and nowhere else (the extra gpu); or cuda-or-cpu",
    ),
    Setting("device_memory_mb", 4000, "memory of the GPU that each network may use, megabytes"),
    Setting("workers", 0, "photographs in work at once; 0: one for each core"),
    Setting("jurisdiction", "", "ISO 3166 code whose age of majority holds, for example GB-SCT"),
    Setting("operator", "", "id of who works with this, for the ledger; empty: the account's"),
    Setting(
        "checkpoint_copy",
        "",
        "file, best on another disk, that gets the ledger's newest checkpoint after each entry",
    ),
    Setting(
        "retain_templates_days",
        0,
        "templates are kept at most so many days; 0: as long as consent and law allow",
    ),
    Setting("takedown_days", 7, "days there are to take a published copy down"),
    Setting(
        "review_operators",
        1,
        "how many operators must say the same of a face before it may be shown for it, 1 or 2",
    ),
    Setting("cache", "", "folder for prepared models; empty: this account's cache folder"),
    Setting("controller_name", "", "the organisation's legal name"),
    Setting(
        "controller_contact",
        "",
        "where people write to withdraw or ask: an e-mail address, a number or a web address",
    ),
    Setting(
        "controller_address",
        "",
        "the organisation's postal address, in one line",
    ),
    Setting(
        "controller_officer",
        "",
        "how to reach the data protection officer; none: there is none",
    ),
    Setting(
        "controller_authority",
        "",
        "the supervisory authority for complaints, with its address",
    ),
    Setting(
        "controller_jurisdiction",
        "",
        "ISO 3166 code whose data protection law applies, for example IE or GB-SCT",
    ),
    Setting(
        "controller_storage",
        "",
        "ISO 3166 code of the country in which the data is kept",
    ),
    Setting("key_file", "", "the workspace key's file; empty: workspace.key in the workspace"),
)
"""Every setting there is; tests fail on one that the documentation does not list."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force; see `TABLE` for what each is."""

    max_bytes: int
    max_pixels: int
    smallest_face_px: float
    perhaps_faces: str
    detection_score: float
    false_names: float
    false_reviews: float
    device: str
    device_memory_mb: int
    workers: int
    jurisdiction: str
    operator: str
    checkpoint_copy: str
    retain_templates_days: int
    takedown_days: int
    review_operators: int
    cache: str
    controller_name: str
    controller_contact: str
    controller_address: str
    controller_officer: str
    controller_authority: str
    controller_jurisdiction: str
    controller_storage: str
    key_file: str

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "smallest_face_px", "device_memory_mb"):
            if not 0 < getattr(self, name) < math.inf:
                raise _malformed(name, "a number above 0", getattr(self, name))
        if not 0.0 < self.detection_score < 1.0:
            raise _malformed("detection_score", "a score between 0 and 1", self.detection_score)
        self._check_choices()
        for name, what in _COUNTS.items():
            if getattr(self, name) < 0:
                raise _malformed(name, f"0 or a number of {what}", getattr(self, name))
        if self.operator and not _ID.fullmatch(self.operator):
            raise _malformed("operator", "an id of 1 to 64 letters, digits, . _ : -", self.operator)
        _ = self.promise, self.perhaps
        for name in ("controller_jurisdiction", "controller_storage"):
            code = getattr(self, name)
            if code and country(code) is None:
                raise _malformed(name, "an ISO 3166 code such as IE or GB-SCT", code)

    def _check_choices(self) -> None:
        for name, allowed in (("device", DEVICES), ("review_operators", (1, 2))):
            if getattr(self, name) not in allowed:
                one_of = f"one of {', '.join(map(str, allowed))}"
                raise _malformed(name, one_of, getattr(self, name))

    @classmethod
    def read(cls, workspace: Path, environment: Mapping[str, str]) -> Self:
        """The settings of a workspace.

        Raises:
            SettingMalformed: a name that is not in the table, or a value that does not fit.
        """
        values: dict[str, Any] = {row.name: row.default for row in TABLE}
        for name, value in _from_file(workspace / FILE).items():
            if name not in values:
                raise _malformed(name, "a setting of the documentation's table", "no such setting")
            values[name] = value
        for row in TABLE:
            text = environment.get(f"SAYSO_{row.name.upper()}")
            if text is not None:
                values[row.name] = text
        typed: dict[str, Any] = {row.name: _typed(row, values[row.name]) for row in TABLE}
        return cls(**typed)

    @property
    def promise(self) -> Promise:
        """The promised false positive identification rates."""
        return Promise(self.false_names, self.false_reviews)

    @property
    def perhaps(self) -> Perhaps:
        """What becomes of what is perhaps a face."""
        try:
            return Perhaps(self.perhaps_faces or Perhaps.COVER)
        except ValueError:
            raise _malformed("perhaps_faces", "cover or review", self.perhaps_faces) from None

    @property
    def controller(self) -> Controller:
        """Who answers for the processing; `Controller.missing` names what was never set."""

        def stated(name: str) -> str:
            value: str = getattr(self, f"controller_{name}")
            return value.strip() or placeholder(f"controller_{name}")

        return Controller(
            name=stated("name"),
            contact=stated("contact"),
            address=stated("address"),
            officer=stated("officer"),
            authority=stated("authority"),
            jurisdiction=stated("jurisdiction"),
            storage=stated("storage"),
        )

    @property
    def cores(self) -> int:
        """How many photographs to work on at once."""
        return self.workers or (os.cpu_count() or 1)


def _from_file(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise _malformed(str(path), "a readable TOML file", error) from error


def _typed(row: Setting, value: object) -> int | float | str:
    kind = type(row.default)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _malformed(row.name, f"a value of type {kind.__name__}", value)
    try:
        typed = kind(value)
    except (ValueError, OverflowError):
        raise _malformed(row.name, f"a value of type {kind.__name__}", value) from None
    if isinstance(value, float) and typed != value:
        raise _malformed(row.name, "a whole number", value)
    return typed


def _malformed(name: str, expected: str, found: object) -> SettingMalformed:
    return SettingMalformed(
        expected=f"{expected} for {name}",
        found=str(found),
        remedy=f"Mend it in {FILE} or in the environment, or take it out for the default.",
    )
