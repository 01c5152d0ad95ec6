"""What a publication is: the copies that were written and the photographs that were left out."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sayso.domain.screening import CoverStyle
from sayso.services.output import COPIES
from sayso.services.screen import Screening
from sayso.services.verdicts import ScreenedPhotograph


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A copy that was written.

    Attributes:
        path: of the photograph, in its collection.
        copy: of the copy, below the output folder.
        sha256: of the copy, hex.
        found_later: faces that only the check of the copy found; they are covered too.
    """

    path: str
    copy: str
    sha256: str
    screened: ScreenedPhotograph
    found_later: int


@dataclass(frozen=True, slots=True)
class WithheldFile:
    """A photograph that was left out, with the reason."""

    path: str
    alias: str
    code: str
    reason: str
    screened: ScreenedPhotograph


@dataclass(frozen=True, slots=True)
class Publication:
    """What one publication did; ``folder`` holds the copies, manifest and report."""

    screening: Screening
    style: CoverStyle
    at: datetime
    folder: Path
    original_folder: str
    published: tuple[PublishedFile, ...]
    withheld: tuple[WithheldFile, ...]

    @property
    def copies(self) -> Path:
        """The folder of the copies alone: what others may see."""
        return self.folder / COPIES
