"""What the services ask of the world. Adapters implement these; so do the tests' fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sayso.domain.face import Face
from sayso.sources.source import SourceFile

if TYPE_CHECKING:  # every service needs the clock, few the pictures
    import numpy as np
    import numpy.typing as npt

    from sayso.vision.decode import Picture

Clock = Callable[[], datetime]
"""The present instant, aware."""

Progress = Callable[[int, int], None]
"""Told how many of how many are done; called from the thread that runs the service."""


def unwatched(_done: int, _total: int) -> None:
    """A `Progress` that nobody looks at."""


class FaceDetector(Protocol):
    """Finds faces."""

    def detect(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
        """The faces of a photograph; see `sayso.vision.detect.Detector`."""

    def scrutinise(self, picture: Picture, *, smallest_px: float) -> tuple[Face, ...]:
        """The same, and what may be a face, whatever it costs; see there."""


class FaceEmbedder(Protocol):
    """Computes features."""

    def embed(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Features (N, D) of aligned faces; see `sayso.vision.embed.Embedder`."""


class PhotographSource(Protocol):
    """Lists and reads photographs; see `sayso.sources.source.Source`."""

    def files(self) -> Iterator[SourceFile]:
        """Every file that may be a photograph."""

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """The bytes of one file."""


OpenSource = Callable[[str], PhotographSource]
"""From a collection's folder to its source."""
