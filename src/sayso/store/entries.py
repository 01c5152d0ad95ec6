"""Which ledger entries' actions were carried out, and whom each is about."""

from collections.abc import Iterable

import sqlalchemy as sa

from sayso.domain.person import PersonId
from sayso.store.database import read_fact, write_fact
from sayso.store.tables import carried_out, concerned

_SETTLED = "ledger_settled"
_HEAD = "ledger_head"
_PUBLIC_KEY = "ledger_public_key"


class Entries:
    """What the database knows of the ledger, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def carry_out(self, sequence: int, subjects: Iterable[PersonId]) -> None:
        """Say that the action of an entry happens with this very transaction."""
        self._connection.execute(sa.insert(carried_out).values(sequence=sequence))
        for person in sorted(set(subjects)):
            self._connection.execute(
                sa.insert(concerned).values(sequence=sequence, person_id=person)
            )

    def was_carried_out(self, sequence: int) -> bool:
        """Whether the action of an entry happened."""
        query = sa.select(carried_out.c.sequence).where(carried_out.c.sequence == sequence)
        return self._connection.execute(query).first() is not None

    def head(self) -> bytes | None:
        """The newest checkpoint that was written with a transaction; None before the first."""
        note = read_fact(self._connection, _HEAD)
        return None if note is None else note.encode()

    def keep_head(self, note: bytes) -> None:
        """Keep a checkpoint, so that an older ledger put in this one's place is noticed."""
        write_fact(self._connection, _HEAD, note.decode())

    def public_key(self) -> str | None:
        """The public key of the ledger that this database was written with, as checkers take it."""
        return read_fact(self._connection, _PUBLIC_KEY)

    def keep_public_key(self, key: str) -> None:
        """Keep the ledger's public key: once its private key is lost, only this checks it."""
        write_fact(self._connection, _PUBLIC_KEY, key)

    def about(self, person: PersonId) -> tuple[int, ...]:
        """The entries about a person, oldest first."""
        query = sa.select(concerned.c.sequence).where(concerned.c.person_id == person)
        return tuple(self._connection.execute(query.order_by(concerned.c.sequence)).scalars())

    def forget(self, person: PersonId) -> None:
        """Forget which entries were about a person."""
        self._connection.execute(sa.delete(concerned).where(concerned.c.person_id == person))

    def adopt(
        self, about: Iterable[tuple[int, Iterable[PersonId]]], size: int, note: bytes
    ) -> None:
        """Take a ledger for this database's, whatever it knew of one before.

        Args:
            about: entries by their numbers, with whom each is about.
            size: how many entries there are; what became of them is taken to be known.
            note: its signed checkpoint.
        """
        self._connection.execute(sa.delete(concerned))
        self._connection.execute(sa.delete(carried_out))
        for sequence, people in about:
            for person in sorted(set(people)):
                row = sa.insert(concerned).values(sequence=sequence, person_id=person)
                self._connection.execute(row)
        self.settle(size)
        self.keep_head(note)

    def settled(self) -> int:
        """The first entry of which it is not known yet whether it was carried out."""
        return int(read_fact(self._connection, _SETTLED) or 0)

    def settle(self, size: int) -> None:
        """Say that of all entries below this one it is known."""
        write_fact(self._connection, _SETTLED, str(size))
        self._connection.execute(sa.delete(carried_out).where(carried_out.c.sequence < size))
