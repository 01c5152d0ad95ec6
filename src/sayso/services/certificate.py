"""The certificate of an erasure: what was removed, what is kept and why, what is left to do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sayso.domain.person import PersonId
from sayso.store.publications import Showing
from sayso.store.readback import Searched
from sayso.store.repository import Unit
from sayso.store.traces import SHORTEST, Trace, dumped


@dataclass(frozen=True, slots=True)
class Noted:
    """What must outlive a crash to finish an erasure and certify it."""

    removed: Mapping[str, int]
    showing: tuple[Showing, ...]
    folders: tuple[str, ...]
    entry: int | None = None
    """Of the ledger, that tells of the erasure; None: before it is written."""

    def dumped(self, traces: Sequence[Trace]) -> bytes:
        """As JSON, with what has still to be searched for."""
        showing = [[one.channel, one.path, one.at] for one in self.showing]
        return json.dumps(
            {
                "removed": dict(self.removed),
                "showing": showing,
                "folders": self.folders,
                "entry": self.entry,
                "traces": dumped(traces),
            }
        ).encode()

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> "Noted":
        """What `dumped` wrote, parsed."""
        showing = tuple(Showing(*one) for one in noted["showing"])
        return cls(noted["removed"], showing, tuple(noted["folders"]), noted.get("entry"))


def note(unit: Unit, person: PersonId) -> Noted:
    """What there is of a person that will have to be certified, before anything of it goes."""
    folders = tuple(sorted({place.folder for place in unit.takedowns.places(person)}))
    return Noted(unit.people.held(person), tuple(unit.publications.showing(person)), folders)


def certify(  # noqa: PLR0913, PLR0917 - the facts of one certificate
    person: PersonId,
    noted: Noted,
    traces: Sequence[Trace],
    searched: Searched,
    shared: Mapping[str, list[str]],
    left: Sequence[tuple[str, str]],
    begun_at: str,
    now: datetime,
) -> Mapping[str, Any]:
    """The certificate, as plain values.

    Args:
        person: the id of who was erased.
        noted: what there was, noted before.
        traces: what was searched for.
        searched: how that went; nothing was found but what `shared` explains.
        shared: by kind, where others have the same text.
        left: what could not be reached, and why that is still to be done.
        begun_at: when the erasure began, ISO 8601.
        now: when it was done.
    """
    too_short = sorted({trace.kind for trace in traces if len(trace.pattern) < SHORTEST})
    missing = [folder for folder in noted.folders if not Path(folder).is_dir()]
    return {
        "what": "certificate of erasure",
        "person": person,
        "begun_at": begun_at,
        "done_at": now.isoformat(),
        "removed": dict(noted.removed),
        "read_back": {
            "files": searched.files,
            "bytes": searched.bytes,
            "patterns": sum(len(trace.pattern) >= SHORTEST for trace in traces),
            "found": 0,
            "too_short_to_search": too_short,
        },
        "kept": [
            {"what": what, "why": why}
            for what, why in (
                *_ALWAYS_KEPT,
                *(
                    (f"{kind}, as text in {', '.join(where)}", _SHARED)
                    for kind, where in sorted(shared.items())
                ),
            )
        ],
        "to_do": [
            *(
                {"what": f"{one.channel}: {one.path}", "why": "it showed the person: take it down"}
                for one in noted.showing
            ),
            *(
                {"what": folder, "why": "copies were written there and it was not found"}
                for folder in missing
            ),
            *({"what": what, "why": why} for what, why in left),
        ],
    }


_BACKUPS = (
    "no data key is in them, so no template in them can be opened; what else is in them of the "
    "person is erased again when one is restored"
)
_ALWAYS_KEPT = (
    (
        "a keyed hash of the person's random id",
        "so that restoring an older backup erases them again before anything is served",
    ),
    (
        "keyed hashes of the forms and enrolments by which they came",
        "so that the same paper is not taken for a new yes",
    ),
    (
        "places of published copies on the take-down list, without the person",
        "so that they are taken down",
    ),
    (
        "a mark on photographs whose files are called by the name of somebody who was erased",
        "so that no published copy is called so; whose name it is, only the file's own path tells",
    ),
    (
        "backups that were made before, if any",
        _BACKUPS,
    ),
)
_SHARED = "somebody else has the same, or one of the controller's own files is called so"
ASTRAY = (
    "a ledger that was laid aside when a key was lost",
    "it is not here as it was, so what it may hold of the person was not erased: destroy it there",
)
STALE = (
    "a copy of the key store that still holds the person's key could not be written anew: "
    "destroy it, or connect it and run `sayso key copy` again"
)
