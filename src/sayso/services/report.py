"""The manifest and the report of a publication.

The manifest lies beside the copies and names nobody. The report is for the operator: it shows
each photograph before, read from where the original lies, and the copy after. No uncovered
picture is copied into the output folder.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from sayso.domain.screening import CONSENT, DOUBTFUL, NO_PERMIT, OBJECTION, PERHAPS_A_FACE, Outcome
from sayso.services.output import COPIES, MANIFEST, REPORT, Output
from sayso.services.publication import Publication, PublishedFile, WithheldFile
from sayso.services.verdicts import ScreenedFace, ScreenedPhotograph

_DISPLAYED = frozenset({"JPEG", "PNG", "WEBP"})
"""What browsers show; of the others the report shows the copy alone."""

_WORDS = {
    CONSENT: "shown: a live consent for this channel",
    NO_PERMIT: "covered: nobody with a yes is known here",
    OBJECTION: "covered: somebody objected",
    PERHAPS_A_FACE: "covered: perhaps a face",
    DOUBTFUL: "in doubt: perhaps somebody who said yes",
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the manifest and the report were written."""

    manifest: Path
    report: Path


def write_pages(publication: Publication, output: Output, *, version: str) -> Pages:
    """Write both pages of a finished publication.

    Raises:
        OutputRefused, DiskFull: the folder cannot take them.
    """
    text = json.dumps(manifest(publication, version=version), indent=2) + "\n"
    page = output.write_page(REPORT, report(publication, version=version))
    return Pages(output.write_page(MANIFEST, text), page)


def manifest(publication: Publication, *, version: str) -> Mapping[str, object]:
    """What was written and what was left out, without anybody's name or id."""
    return {
        "sayso": version,
        "collection": publication.screening.collection.id,
        "channel": publication.screening.channel,
        "at": publication.at.isoformat(timespec="seconds"),
        "style": publication.style,
        "published": [
            {
                "photograph": file.screened.photograph.id,
                "copy": f"{COPIES}/{file.copy}",
                "sha256": file.sha256,
                "verdict": file.screened.verdict,
                "faces": _faces(file.screened),
                "found_later": file.found_later,
            }
            for file in publication.published
        ],
        "withheld": [
            {
                "photograph": file.screened.photograph.id,
                "alias": file.alias,
                "code": file.code,
            }
            for file in publication.withheld
        ],
    }


def report(publication: Publication, *, version: str) -> str:
    """The report as one HTML page, which loads nothing from anywhere but these folders."""
    import jinja2  # noqa: PLC0415 - slow to import; only this function needs it

    source = resources.files("sayso.services").joinpath("report.html.j2").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(
        publication=publication,
        collection=publication.screening.collection,
        at=publication.at.astimezone().strftime("%d %B %Y, %H:%M"),
        published=[_published(publication, file) for file in publication.published],
        withheld=[_withheld(publication, file) for file in publication.withheld],
        counts=_counts(publication),
        copies=COPIES,
        version=version,
    )


def _faces(screened: ScreenedPhotograph) -> list[Mapping[str, object]]:
    """Why a marked face is covered (a yes taken back, a minor) is nobody's business out there."""
    return [
        {
            "box": _box(face),
            "outcome": face.outcome.outcome,
            "reason": CONSENT if face.outcome.outcome is Outcome.SHOW else NO_PERMIT,
        }
        for face in screened.faces
    ]


def _box(face: ScreenedFace) -> list[float]:
    box = face.stored.face.box
    return [round(n, 5) for n in (box.x, box.y, box.width, box.height)]


def _counts(publication: Publication) -> Mapping[str, int]:
    faces = [face.outcome.outcome for file in publication.published for face in file.screened.faces]
    return {
        "published": len(publication.published),
        "withheld": len(publication.withheld),
        "shown": faces.count(Outcome.SHOW),
        "covered": faces.count(Outcome.COVER)
        + sum(file.found_later for file in publication.published),
    }


def _published(publication: Publication, file: PublishedFile) -> Mapping[str, object]:
    return {
        **_before(publication, file.path, file.screened),
        "copy": quote(f"{COPIES}/{file.copy}"),
        "verdict": file.screened.verdict.value,
        "found_later": file.found_later,
    }


def _withheld(publication: Publication, file: WithheldFile) -> Mapping[str, object]:
    return {
        **_before(publication, file.path, file.screened),
        "code": file.code,
        "reason": file.reason,
    }


def _before(
    publication: Publication, path: str, screened: ScreenedPhotograph
) -> Mapping[str, object]:
    photograph = screened.photograph
    original = (Path(publication.original_folder) / path).as_uri()
    return {
        "path": path,
        "before": original if photograph.format in _DISPLAYED else None,
        "format": photograph.format,
        "width_px": photograph.width_px,
        "height_px": photograph.height_px,
        "faces": [_marked(face) for face in sorted(screened.faces, key=_number)],
    }


def _number(face: ScreenedFace) -> tuple[bool, int]:
    """Where a face stands in a list: by its number, and what has none, an objection, last."""
    number = face.stored.id
    return not number.isdecimal(), int(number) if number.isdecimal() else 0


def _marked(face: ScreenedFace) -> Mapping[str, object]:
    box = face.stored.face.box
    outcome, reason = face.outcome.outcome, face.outcome.reason
    words = _WORDS.get(reason, f"covered: {reason.replace('_', ' ')}")
    if outcome is Outcome.REVIEW and reason == PERHAPS_A_FACE:
        words = "in doubt: perhaps a face"
    if face.candidates:
        words = f"in doubt: perhaps {', '.join(one.name for one in face.candidates)}"
    return {
        "left": 100 * box.x,
        "top": 100 * box.y,
        "width": 100 * box.width,
        "height": 100 * box.height,
        "id": face.stored.id,
        "outcome": outcome.value,
        "words": f"{face.name}, {words}" if face.name else words,
        "label": face.name or {"show": "shown", "cover": "", "review": "?"}[outcome.value],
    }
