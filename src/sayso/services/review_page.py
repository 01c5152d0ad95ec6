"""A page to look at while faces in doubt are settled.

Each face is shown out of its own photograph, where that lies; beside it, where there are any, faces
that humans marked as the person, or the best matches, in collections in which staff may be told the
name. Where a doubt has no name there is nothing beside it. No picture is copied, and enrolment
images are not kept.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from sayso.domain.face import Box
from sayso.domain.grant import STAFF
from sayso.domain.person import PersonId
from sayso.domain.photo import Collection
from sayso.domain.policy import Permit, TellName, decide
from sayso.domain.sighting import Limits, Link
from sayso.services.limits import Standard
from sayso.services.ports import Clock
from sayso.services.review import UNNAMED, Question, Questions
from sayso.store.photographs import Photograph
from sayso.store.repository import Repository, Unit

_KNOWN = 3
"""Faces of the person beside each doubt."""
_AROUND = 0.4
"""How much of a face's width and height is shown on each side of it."""
_DISPLAYED = frozenset({"JPEG", "PNG", "WEBP"})


def review_page(
    repository: Repository, questions: Questions, clock: Clock, standard: Standard
) -> str:
    """The page, HTML, which loads nothing from anywhere but the collections' folders."""
    import jinja2  # noqa: PLC0415 - slow to import; only this function needs it

    with repository.reading() as unit:
        limits = standard(unit)
        shown: dict[PersonId, list[Mapping[str, object]]] = {}
        rows = []
        for question in questions.asked:
            person = None if question.person is None else question.person.id
            if person is not None and person not in shown:
                shown[person] = _known(unit, person, clock, limits)
            rows.append(_row(unit, question) | {"known": [] if person is None else shown[person]})
    source = resources.files("sayso.services").joinpath("review.html.j2").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(rows=rows, faces=questions.faces)


def _row(unit: Unit, question: Question) -> dict[str, object]:
    photograph = question.photograph
    return {
        "face": question.face.id,
        "path": photograph.paths[0],
        "collection": question.collection.name,
        "name": UNNAMED if question.person is None else question.person.name,
        "similarity": question.similarity,
        "picture": _cut(
            unit, question.collection, photograph, photograph.paths[0], question.face.face.box
        ),
    }


def _known(
    unit: Unit, person: PersonId, clock: Clock, limits: Limits
) -> list[Mapping[str, object]]:
    """Faces that are known to be the person's, marked ones first."""
    record, now = unit.people.consents(person), clock()
    found: list[Mapping[str, object]] = []
    for link in (Link.MARKED, Link.MATCH):
        held = [
            one
            for one in unit.collections.newest_first()
            if isinstance(decide(TellName(person, one, link, STAFF), record, now), Permit)
        ]
        by_name = {one.name: one for one in held}
        within = [one.id for one in held]
        wanted = _KNOWN - len(found)
        for seen in unit.sightings.of_person(person, link, within, limits, limit=wanted):
            collection = by_name[seen.collection]
            places = dict(unit.files.at_path(seen.path))
            photograph = unit.photographs.get(places[seen.collection])
            cut = _cut(unit, collection, photograph, seen.path, seen.box)
            found += [] if cut is None else [cut]
        if len(found) >= _KNOWN:
            break
    return found


def _cut(
    unit: Unit, collection: Collection, photograph: Photograph, path: str, box: Box
) -> Mapping[str, object] | None:
    """How to show a face out of its photograph; None for one that browsers do not show.

    Sizes and places are in percent of the window in which the face is shown.
    """
    if photograph.format not in _DISPLAYED:
        return None
    width, height = box.width * (1 + 2 * _AROUND), box.height * (1 + 2 * _AROUND)
    return {
        "source": (Path(unit.collections.folder(collection.name)) / path).as_uri(),
        "aspect": (width * photograph.width_px) / (height * photograph.height_px),
        "width": 100 / width,
        "left": -100 * (box.x - box.width * _AROUND) / width,
        "top": -100 * (box.y - box.height * _AROUND) / height,
    }
