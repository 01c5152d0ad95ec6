"""What is held of a person, for that person to read: one HTML page, and a few lines of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from typing import Any
from urllib.parse import quote

from sayso.domain.controller import Controller, is_placeholder
from sayso.domain.event import Act
from sayso.domain.grant import CHANNELS, Channel, Purpose
from sayso.domain.record_process import RIGHTS, recipient_words
from sayso.services.access_data import Asked
from sayso.services.access_facts import Facts, Logic, Standing
from sayso.services.access_pictures import Handed
from sayso.store.holdings import Trace


@dataclass(frozen=True, slots=True)
class _Words:
    """A purpose, said to the person."""

    means: str
    used: tuple[str, ...]
    decided: str
    follows: str
    basis: str


_ENDED = {
    "no_consent": "never given here",
    "consent_withdrawn": "withdrawn or refused",
    "consent_expired": "ended by its own date",
    "consent_contested": "contested: not used until that is settled",
    "guardian_required": "waiting for a guardian's word",
    "guardian_lapsed": "ended when you came of age; you will be asked yourself",
}
_TITLES = {
    "recognise": "Compare my face",
    "find": "Let me find my photographs",
    "name": "Show my name",
    "publish": "Show my face",
}
_NOTHING_KEPT = "Where your face is not recognised, nothing is kept of it."
_WORDS = {
    Purpose.RECOGNISE: _Words(
        "Your face may be compared with the faces in the photographs, to find you.",
        (
            "a template of your face: numbers computed from the images that you gave, sealed",
            "how alike each face that matches is to it",
            "the photographs that you are in",
        ),
        "A network computes numbers from each face; how alike two faces' numbers are is their "
        "similarity. From a threshold on the face is taken to be yours; a little below it a "
        f"member of staff is asked to look. {_NOTHING_KEPT}",
        "Your photographs are found. A mistake would take somebody else for you, or you for "
        "somebody else.",
        "GDPR art. 9(2)(a): your explicit consent to biometric data",
    ),
    Purpose.FIND: _Words(
        "You may see the photographs that you are in.",
        ("the photographs that you are in",),
        "You get those in which a face was matched with you, or in which a member of staff said "
        "that it is you.",
        "You see your own photographs.",
        "GDPR art. 6(1)(a): your consent",
    ),
    Purpose.NAME: _Words(
        "Your name, and the details that you listed, may be shown beside your face.",
        ("your name, as you want it shown", "the details that you listed"),
        "They are told to exactly these people and to nobody else.",
        "These people learn who you are.",
        "GDPR art. 6(1)(a): your consent",
    ),
    Purpose.PUBLISH: _Words(
        "Your face may be left uncovered in what is published there.",
        ("the photographs that you are in",),
        "A face is left uncovered only with a consent that holds for exactly this place; every "
        "other face is covered.",
        "Whoever looks there sees your face.",
        "GDPR art. 6(1)(a): your consent",
    ),
}
_TO = {
    Purpose.RECOGNISE: "the organisation's own staff; nobody else",
    Purpose.FIND: "you",
}
_LINKS = {
    "match": "found by comparing faces",
    "review": "in doubt: a person still has to look",
    "marked": "a member of staff said that this is you",
    "rejected": "a member of staff said that this is not you",
}
_ACTS = {
    Act.GIVEN.value: "said yes",
    Act.RENEWED.value: "said yes again",
    Act.WITHDRAWN.value: "said no",
    Act.EXPIRED.value: "ended by its date",
    Act.CONTESTED.value: "contested it",
}


def page(
    facts: Facts, handed: Sequence[Handed], asked: Asked, controller: Controller, logic: Logic
) -> str:
    """The page: no scripts, nothing loaded but the pictures that lie beside it."""
    import jinja2  # noqa: PLC0415 - slow to import; only this function needs it

    source = resources.files("sayso.services").joinpath("access.html.j2").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    limits = logic.at(facts.size)
    grants = _grants(facts.standings)
    return environment.from_string(source).render(
        person=facts.person,
        fields=facts.fields,
        controller=controller,
        missing=controller.missing,
        has_officer=controller.officer.strip().casefold() != "none",
        is_placeholder=is_placeholder,
        received=_day(asked.received),
        due=_day(asked.due),
        made=_day(asked.made.date()),
        grants=grants,
        said=[_event(row) for row in facts.rows.get("consent_events", [])],
        pictures=[_picture(one) for one in handed if one.file],
        others=[_picture(one) for one in handed if not one.file],
        published=_published(facts, handed),
        templates=facts.rows.get("templates", []),
        logic=logic,
        match=f"{limits.match:.4f}",
        review=f"{limits.review:.4f}",
        references=facts.size.references,
        rights=RIGHTS,
        history=[_entry(entry) for entry in facts.history],
        live=sum(grant["live"] for grant in grants),
        years=_years(controller.retention_days),
    )


def readme(asked: Asked, controller: Controller) -> str:
    """What lies in the archive."""
    return f"""What is held about you

Unpack this archive first, then open index.html in any browser. It works without a network and
contains no programs.

index.html      everything, in plain words
photographs/    the photographs that you are in; everybody else is covered
records.jsonld  your consent records, as ISO/IEC TS 27560 in JSON-LD (for programs)
data.json       everything, complete (for programs)

You asked on {_day(asked.received)}. The answer is due by {_day(asked.due)}.
Questions, corrections, or your consent back: {controller.contact}
Complaints: {controller.authority}

Keep this archive to yourself: it shows your face and what you agreed to.
"""


def _grants(standings: Sequence[Standing]) -> list[dict[str, Any]]:
    grouped: dict[str, dict[str, Any]] = {}
    for standing in standings:
        subject = standing.subject
        title, target = _TITLES[subject.purpose.value], subject.target
        group = grouped.setdefault(
            str(subject),
            {
                "title": title if target is None else f"{title}: {target}",
                "to": _TO.get(subject.purpose) or recipient_words(subject),
                "words": _WORDS[subject.purpose],
                "standings": [],
            },
        )
        group["standings"].append(
            {
                "where": standing.where,
                "live": standing.live,
                "words": _standing_words(standing),
            }
        )
    for group in grouped.values():
        group["live"] = any(one["live"] for one in group["standings"])
    return list(grouped.values())


def _standing_words(standing: Standing) -> str:
    if not standing.live:
        return _ENDED.get(standing.why_not, standing.why_not.replace("_", " "))
    if standing.until is None:
        return "holds until you withdraw it"
    return f"holds until {_day(standing.until.date())}, or until you withdraw it"


def _event(row: Mapping[str, Any]) -> Mapping[str, Any]:
    notice, evidence, guardian = row["notice"], row["evidence"], row["guardian"]
    target = f": {row['target']}" if row["target"] else ""
    return {
        "at": _moment(row["at"]),
        "who": "You" if guardian is None else f"Your guardian ({guardian['relation']})",
        "act": _ACTS.get(row["act"], row["act"]),
        "what": f"{_TITLES.get(row['purpose'], row['purpose'])}{target}",
        "notice": f"notice version {notice['version']} ({notice['language']})"
        if notice
        else "no notice was recorded"
        if row["act"] in {Act.GIVEN.value, Act.RENEWED.value}
        else "",
        "evidence": f"{evidence['kind']}, SHA-256 {evidence['sha256']}" if evidence else "",
    }


def _picture(handed: Handed) -> Mapping[str, Any]:
    seen = handed.seen
    until = seen.collection.retain_until
    return {
        "file": None if handed.file is None else quote(handed.file),
        "why_not": handed.why_not,
        "width": seen.photograph.width_px,
        "height": seen.photograph.height_px,
        "collection": seen.collection.name,
        "purpose": seen.collection.purpose,
        "until": None if until is None else _day(until.date()),
        "covered": handed.covered,
        "links": list(dict.fromkeys(map(_link, seen.traces))),
    }


def _link(trace: Trace) -> str:
    words = _LINKS.get(trace.link, trace.link)
    if trace.similarity is not None:
        return f"{words}; similarity {trace.similarity:.4f}"
    return f"{words}, {_moment(trace.judged_at)}" if trace.judged_at else words


def _published(facts: Facts, handed: Sequence[Handed]) -> list[Mapping[str, Any]]:
    files = {one.seen.photograph.id: (n, one.file) for n, one in enumerate(handed, 1) if one.file}
    found: list[Mapping[str, Any]] = []
    for one, collection in facts.published:
        number, file = files.get(one.photo, (0, None))
        found.append(
            {
                "at": _moment(one.at),
                "channel": CHANNELS.get(Channel(one.channel), one.channel),
                "collection": collection,
                "number": number,
                "file": None if file is None else quote(file),
            }
        )
    return found


def _entry(entry: Mapping[str, Any]) -> Mapping[str, str]:
    at = entry.get("at")
    return {
        "at": _moment(at) if isinstance(at, str) else "",
        "action": str(entry.get("action", "")),
        "number": str(entry.get("sequence", "")),
    }


def _years(days: int) -> str:
    years, rest = divmod(days, 365)
    return f"{years} years" if years > 1 and not rest else f"{days} days"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _moment(text: str) -> str:
    return _day(datetime.fromisoformat(text).date())
