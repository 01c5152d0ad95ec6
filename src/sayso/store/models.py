"""Recognisers that were added, and which of all there are is in use.

While one model takes over from another both are in use: the one that references are built for, and
the one that people stay with who have none of it yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sayso.errors import ModelChanged
from sayso.store.database import bump_version, read_fact, write_fact
from sayso.store.tables import models

_MODEL, _FORMER = "model", "former_model"


@dataclass(frozen=True, slots=True)
class InUse:
    """Which models faces are compared by.

    Attributes:
        model_sha256: the one that references are built for.
        former_sha256: the one that is being left; None: no change is under way.
    """

    model_sha256: str
    former_sha256: str | None = None


class Models:
    """Models, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, sha256: str, name: str, manifest: str, now: datetime) -> None:
        """Keep a model's manifest (JSON)."""
        self._connection.execute(
            sa.insert(models).values(
                sha256=sha256, name=name, manifest=manifest, added_at=now.isoformat()
            )
        )

    def manifests(self) -> Mapping[str, str]:
        """Each model's manifest (JSON) by its SHA-256, in the order in which they were added."""
        query = sa.select(models).order_by(models.c.added_at, models.c.sha256)
        return {row.sha256: row.manifest for row in self._connection.execute(query)}

    def remove(self, sha256: str) -> None:
        """Forget a model."""
        self._connection.execute(sa.delete(models).where(models.c.sha256 == sha256))

    def in_use(self) -> InUse | None:
        """Which are in use; None: nobody ever chose."""
        return _in_use(self._connection)

    def use(self, chosen: InUse) -> None:
        """Say which are in use from now on."""
        write_fact(self._connection, _MODEL, chosen.model_sha256)
        write_fact(self._connection, _FORMER, chosen.former_sha256 or "")
        bump_version(self._connection)

    def require(self, in_use: InUse | None) -> None:
        """Notice that another process changed the models meanwhile.

        Raises:
            ModelChanged: others are in use now.
        """
        if self.in_use() != in_use:
            raise _changed()


def require_current(connection: sa.Connection, model_sha256: str) -> None:
    """Refuse to build a reference for a model that is not the one in use.

    Raises:
        ModelChanged: it is another one now.
    """
    chosen = _in_use(connection)
    if chosen is not None and chosen.model_sha256 != model_sha256:
        raise _changed()


def _in_use(connection: sa.Connection) -> InUse | None:
    model = read_fact(connection, _MODEL)
    return None if model is None else InUse(model, read_fact(connection, _FORMER) or None)


def _changed() -> ModelChanged:
    return ModelChanged(
        expected="the models that were in use when this began",
        found="others: somebody changed them meanwhile, with `sayso models use`",
        remedy="Run it again; it goes on where it stopped, with the models as they are now.",
    )
