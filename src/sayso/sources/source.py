"""What a source of photographs is: a place of the controller's own that can be listed and read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source.

    Attributes:
        path: relative to the source, with ``/`` between its parts.
        size_bytes: as listed.
        modified_ns: nanoseconds since 1970; with the size, tells a changed file.
    """

    path: str
    size_bytes: int
    modified_ns: int


class Source(Protocol):
    """A place that holds photographs."""

    def files(self) -> Iterator[SourceFile]:
        """Every file that may be a photograph, in a stable order.

        Raises:
            FolderMissing: the place is not there.
        """

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """The bytes of one file.

        Raises:
            PhotographVanished: it is not there any more.
            PhotographUnreadable: it may not be read, or is not a plain file of this source.
            PhotographTooLarge: more than ``max_bytes``; it was not read.
        """
