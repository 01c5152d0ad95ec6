"""Refusals that a restored backup must not forget: erasures, withdrawals, objections.

They lie in the key store, which no backup replaces, and can be written to a file of their own for
a restore on another machine. People are in it by a keyed hash alone.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sayso.domain.event import YES, Act, ConsentEvent
from sayso.domain.face import Box
from sayso.domain.grant import EVERYWHERE, Purpose
from sayso.domain.objection import Objection, Wish
from sayso.domain.person import Guardian, PersonId
from sayso.errors import FileMissing, ListMalformed, SaysoError
from sayso.store.keystore import Refused
from sayso.store.repository import Unit
from sayso.store.vault import Vault

WITHDRAWAL, OBJECTION = "withdrawal", "objection"
_TOKEN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Refusals:
    """Everything that must be refused again: erased people's tokens with when, and the rest."""

    erased: Mapping[str, str]
    others: tuple[Refused, ...]

    def joined(self, more: "Refusals") -> "Refusals":
        """Both lists as one."""
        others = {(one.kind, one.about, one.detail): one for one in (*self.others, *more.others)}
        return Refusals({**self.erased, **more.erased}, tuple(others.values()))


def standing(vault: Vault) -> Refusals:
    """The refusals of a workspace."""
    return Refusals(vault.store.erased(), tuple(vault.store.refusals()))


def remember_withdrawal(
    vault: Vault, person: PersonId, purposes: Iterable[Purpose], now: datetime
) -> None:
    """Note a withdrawal beyond a restore, before it is committed: too much refuses nobody less."""
    token = vault.erasure_token(person)
    vault.store.refuse(
        Refused(WITHDRAWAL, token, purpose.value, now.isoformat()) for purpose in purposes
    )


def objection_of(objection: Objection) -> Refused:
    """An objection as it is noted beyond a restore."""
    box = objection.box
    detail = {
        "box": None if box is None else [box.x, box.y, box.width, box.height],
        "request": objection.wish.value,
        "note": objection.note,
    }
    text = json.dumps(detail, sort_keys=True)
    return Refused(OBJECTION, objection.photo_sha256, text, objection.at.isoformat())


def write_list(refusals: Refusals) -> str:
    """The list as JSON."""
    facts = {
        "what": "erasures and refusals",
        "erased": dict(refusals.erased),
        "refused": [asdict(one) for one in refusals.others],
    }
    return json.dumps(facts, indent=2) + "\n"


def read_list(path: Path) -> Refusals:
    """Read what `write_list` wrote.

    Raises:
        FileMissing: it cannot be read.
        ListMalformed: it is no such list.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        refusals = Refusals(
            dict(facts["erased"]), tuple(Refused(**one) for one in facts["refused"])
        )
        _check(refusals)
    except OSError as error:
        raise FileMissing(
            expected=f"a file that can be read at {path}",
            found=error.strerror or "an error",
            remedy="Check its name.",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, SaysoError) as error:
        raise ListMalformed(
            expected="a list that `sayso refusals` wrote",
            found=f"something else in {path}",
            remedy="Write the list again, or restore without it if there is none.",
        ) from error
    return refusals


def replay(unit: Unit, vault: Vault, refusals: Refusals) -> int:
    """Record again the withdrawals and objections that a restored backup does not know.

    Returns:
        How many there were.
    """
    people = {vault.erasure_token(person.id): person.id for person in unit.people.all()}
    done = 0
    for refused in refusals.others:
        at = datetime.fromisoformat(refused.at)
        if refused.kind == OBJECTION:
            box, wish, note = _detail(refused)
            before = len(unit.objections.all())
            unit.objections.add(refused.about, box, wish, note, at)
            done += len(unit.objections.all()) - before
        elif refused.about in people:
            person = people[refused.about]
            known = {_facts(event) for event in unit.people.consents(person).events}
            missing = [
                no
                for giver in givers(unit, person)
                if _facts(no := _no(person, Purpose(refused.detail), giver, at)) not in known
            ]
            unit.people.record(missing)
            done += bool(missing)
    return done


def givers(unit: Unit, person: PersonId) -> list[Guardian | None]:
    """Everybody who ever said yes for a person; where nobody did, the person."""
    given = {
        event.giver: event.guardian
        for event in unit.people.consents(person).events
        if event.act in YES
    }
    return list(given.values()) or [None]


def _no(
    person: PersonId, purpose: Purpose, guardian: Guardian | None, at: datetime
) -> ConsentEvent:
    return ConsentEvent(
        act=Act.WITHDRAWN,
        person=person,
        purpose=purpose,
        target=None,
        scope=EVERYWHERE,
        at=at,
        guardian=guardian,
    )


def _facts(event: ConsentEvent) -> tuple[object, ...]:
    return event.act, event.purpose, event.giver, event.at


def _detail(refused: Refused) -> tuple[Box | None, Wish, str]:
    facts = json.loads(refused.detail)
    box = None if facts["box"] is None else Box(*facts["box"])
    return box, Wish(facts["request"]), str(facts["note"])


def _check(refusals: Refusals) -> None:
    for token, at in refusals.erased.items():
        _require(bool(_TOKEN.fullmatch(token)) and _aware(at))
    for one in refusals.others:
        _require(one.kind in {WITHDRAWAL, OBJECTION} and _aware(one.at))
        _require(bool(_TOKEN.fullmatch(one.about)))
        if one.kind == OBJECTION:
            _detail(one)
        else:
            Purpose(one.detail)


def _aware(text: str) -> bool:
    return datetime.fromisoformat(text).astimezone(UTC) is not None


def _require(held: bool) -> None:  # noqa: FBT001 - a condition
    if not held:
        msg = "not one of ours"
        raise ValueError(msg)
