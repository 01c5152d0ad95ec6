"""Refusing to work on what should no longer be held."""

from datetime import datetime

from sayso.domain.photo import Collection
from sayso.domain.policy import EXPLANATIONS, Reason
from sayso.errors import Denied


def require_retained(collection: Collection, now: datetime) -> None:
    """Refuse a collection whose retention is over.

    Raises:
        Denied: it is over.
    """
    if collection.retain_until is not None and now >= collection.retain_until:
        raise Denied(
            Reason.RETENTION_OVER,
            expected=f"a collection that is still to be held: {collection.name}",
            found=EXPLANATIONS[Reason.RETENTION_OVER],
            remedy="Declare the photographs anew if there is still a purpose for them.",
        )
