"""Photographs of people, on their say-so.

The public names. Those of the domain cost nothing to import; a workspace is loaded when asked for.
"""

from typing import TYPE_CHECKING, Any

from sayso.domain.consent import Consents
from sayso.domain.event import Act, ConsentEvent
from sayso.domain.grant import Grant, Purpose, Scope
from sayso.domain.policy import Permit, Refusal, decide
from sayso.errors import SaysoError

if TYPE_CHECKING:
    from sayso.wiring import Workspace, create_workspace, open_workspace

__version__ = "0.1.0.dev0"

__all__ = [
    "Act",
    "ConsentEvent",
    "Consents",
    "Grant",
    "Permit",
    "Purpose",
    "Refusal",
    "SaysoError",
    "Scope",
    "Workspace",
    "create_workspace",
    "decide",
    "open_workspace",
]

_LOADED_WHEN_ASKED_FOR = frozenset({"Workspace", "create_workspace", "open_workspace"})


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name in _LOADED_WHEN_ASKED_FOR:
        from sayso import wiring  # noqa: PLC0415 - loads the database and vision

        return getattr(wiring, name)
    msg = f"module 'sayso' has no attribute {name!r}"
    raise AttributeError(msg)
