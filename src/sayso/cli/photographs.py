"""Verbs about photographs: collection, scan, identify, verify, screen, publish."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.files import read_file
from sayso.cli.session import (
    FIRST_PAGE,
    PHOTOGRAPHS,
    SET_UP,
    AfterOption,
    FolderOption,
    JsonOption,
    LimitOption,
    escape,
    many,
    session,
)
from sayso.cli.verbs import Verbs
from sayso.domain.face import Box
from sayso.domain.grant import audience as parse_audience
from sayso.domain.grant import channel as parse_channel
from sayso.domain.photo import Recognition
from sayso.domain.screening import PERHAPS_A_FACE, CoverStyle, Outcome, Verdict

if TYPE_CHECKING:
    from sayso.services.publication import WithheldFile
    from sayso.services.verdicts import ScreenedFace, ScreenedPhotograph

app = typer.Typer()
collections = typer.Typer(cls=Verbs, no_args_is_help=True, help="Declare and list what you hold.")
app.add_typer(collections, name="collection", rich_help_panel=SET_UP)

AudienceOption = Annotated[
    str, typer.Option(metavar="AUDIENCE", help="staff, public or group:NAME.")
]
ChannelOption = Annotated[
    str,
    typer.Option(
        metavar="CHANNEL", help="internal, website, social, print, press, or x-NAME of your own."
    ),
]
_COLOURS = {
    Verdict.CLEAR: "green",
    Verdict.COVER: "cyan",
    Verdict.REVIEW: "yellow",
    Verdict.WITHHOLD: "red",
}


@collections.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Short, for the command line.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder of the photographs.")],
    purpose: Annotated[str, typer.Option(metavar="TEXT", help="Why you hold them.")],
    recognise: Annotated[Recognition, typer.Option(help="Which faces may be compared.")],
    basis: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Your written basis; group needs one."),
    ] = None,
    retain_days: Annotated[
        int | None,
        typer.Option(metavar="DAYS", help="After these nothing in it is used.", show_default=False),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Declare a collection: photographs held for one stated purpose."""
    with session(context, workspace, as_json) as run:
        declared = run.workspace.declare(
            name,
            path,
            purpose=purpose,
            recognition=recognise,
            basis=basis,
            retain_days=retain_days,
        )
        values = {
            "id": declared.id,
            "name": declared.name,
            "recognise": declared.recognition.value,
        }
        run.result(
            values,
            f"[bold]{escape(declared.name)}[/] is declared (recognise: {declared.recognition}). "
            f"Next: sayso scan {escape(shlex.quote(declared.name))}",
        )


@collections.command("list")
def list_collections(
    context: typer.Context,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the declared collections."""
    with session(context, workspace, as_json) as run:
        held = run.workspace.declare.all()
        values = [
            {
                "id": one.collection.id,
                "name": one.collection.name,
                "recognise": one.collection.recognition.value,
                "purpose": one.collection.purpose,
                "folder": one.folder,
                "files": one.files,
                "faces": one.faces,
            }
            for one in held
        ]
        lines = [
            f"[bold]{escape(one.collection.name)}[/]  recognise: {one.collection.recognition}  "
            f"{many(one.files, 'file')}, {many(one.faces, 'face')}  [dim]{escape(one.folder)}[/]"
            for one in held
        ]
        run.result({"collections": values}, *lines or ["No collection is declared yet."])


@app.command(rich_help_panel=PHOTOGRAPHS)
def scan(
    context: typer.Context,
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="Its name.")],
    again: Annotated[
        bool, typer.Option("--again", metavar="", help="Known photographs too.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", metavar="", help="Exit 1 if a file was not scanned.")
    ] = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for faces in new and changed photographs.

    Interrupted, it goes on where it stopped.
    """
    with session(context, workspace, as_json) as run:
        with run.progress("Scanning") as progress:
            done = run.workspace.scan(collection, again=again, progress=progress)
        values = {
            "photos": done.photos,
            "faces": done.faces,
            "repeated": done.repeated,
            "caught_up": done.caught_up,
            "vanished": done.vanished,
            "unreadable": [
                {"path": one.path, "code": one.code, "reason": one.reason}
                for one in done.unreadable
            ],
            "seconds": round(done.seconds, 3),
        }
        also = [
            f"{count} {what}"
            for count, what in (
                (done.repeated, "known already under another name"),
                (done.caught_up, "compared with people who said yes since"),
                (done.vanished, "no longer there"),
            )
            if count
        ]
        seen = f"{many(done.photos, 'photograph')}, {many(done.faces, 'face')}"
        line = f"{seen} in {done.seconds:.1f} s." if done.photos else "Nothing new to look at."
        run.result(values, line, *(f"{part}." for part in also))
        run.list("not scanned", [(one.path, one.code, one.reason) for one in done.unreadable])
        if strict and done.unreadable:
            raise typer.Exit(1)


@app.command(rich_help_panel=PHOTOGRAPHS)
def identify(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Nothing of it is kept.")],
    collection: Annotated[str, typer.Option(metavar="NAME", help="Whose gallery to compare with.")],
    audience: AudienceOption = "staff",
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell who, of those who said yes to this audience, is in a picture."""
    with session(context, workspace, as_json) as run:
        told = parse_audience(audience)
        faces = run.workspace.identify(read_file(image), collection=collection, audience=told)
        values = [
            {
                "box": _box(face.box),
                "person": None
                if face.person is None
                else {
                    "id": face.person.id,
                    "name": face.person.name,
                    "fields": dict(face.person.fields),
                },
                "similarity": face.similarity,
            }
            for face in faces
        ]
        lines = [
            f"{_place(face.box)}  "
            + (
                "[dim]nobody who may be named[/]"
                if face.person is None or face.similarity is None
                else f"[bold]{escape(face.person.name)}[/]  {face.similarity:.3f}  "
                + escape(", ".join(f"{k}: {v}" for k, v in face.person.fields.items()))
            )
            for face in faces
        ]
        run.result({"faces": values}, *lines or ["No face was found."])


@app.command(rich_help_panel=PHOTOGRAPHS)
def verify(
    context: typer.Context,
    photo: Annotated[str, typer.Argument(metavar="PHOTO", help="Its path, as scanned.")],
    face: Annotated[
        str, typer.Argument(metavar="BOX_OR_FACE", help="A face's id, or x,y,width,height.")
    ],
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="An id, or a name that only one has.")
    ],
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare one face that you picked with one person."""
    with session(context, workspace, as_json) as run:
        found = run.workspace.verify(photo, face, person)
        values = {
            "face": found.face,
            "person": found.person.id,
            "likeness": None if found.likeness is None else found.likeness.value,
            "similarity": found.similarity,
        }
        said = "compared; nothing may be told of the answer"
        if found.likeness is not None and found.similarity is not None:
            said = f"{found.likeness} (similarity {found.similarity:.3f})"
        run.result(values, f"face {found.face} and {escape(found.person.name)}: {said}")


@app.command(rich_help_panel=PHOTOGRAPHS)
def screen(
    context: typer.Context,
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="Its name.")],
    channel: ChannelOption,
    audience: AudienceOption = "staff",
    limit: LimitOption = FIRST_PAGE,
    after: AfterOption = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say for each photograph what may be published, with a reason for each face."""
    with session(context, workspace, as_json) as run:
        page = run.workspace.screen.page(
            collection,
            parse_channel(channel),
            audience=parse_audience(audience),
            after=after,
            limit=limit,
        )
        counts = page.counts()
        photos = [
            {
                "id": screened.photograph.id,
                "path": path,
                "verdict": screened.verdict.value,
                "looked_at": "thoroughly" if screened.photograph.scrutinised else "quickly",
                "faces": [_screened(face) for face in screened.faces],
                "no_faces": [
                    {"id": stored.id, "box": _box(stored.face.box)} for stored in screened.no_faces
                ],
            }
            for path, screened in page.files
        ]
        lines = [_line(path, screened) for path, screened in page.files]
        total = ", ".join(f"[{_COLOURS[v]}]{count} {v}[/]" for v, count in counts.items())
        values = {
            "counts": {v.value: n for v, n in counts.items()},
            "photos": photos,
            "files": page.total,
            "next": page.next,
        }
        run.result(values, *lines, total)
        if page.next is not None or after is not None:
            run.note(f"{len(photos):,} of {many(page.total, 'file')} of {escape(collection)}.")
        quick = sum(not screened.photograph.scrutinised for _, screened in page.files)
        if quick:
            run.note(
                f"{quick:,} of these {'was' if quick == 1 else 'were'} looked at quickly, as a "
                "scan does. `sayso publish` looks again, thoroughly, and may find more faces."
            )
        run.more(page.next)


@app.command(rich_help_panel=PHOTOGRAPHS)
def publish(
    context: typer.Context,
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="Its name.")],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="An empty folder, or an earlier publication's.")
    ],
    channel: ChannelOption,
    style: Annotated[CoverStyle, typer.Option(help="How faces are covered.")] = CoverStyle.FILL,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write covered copies, a manifest and a report to look at."""
    with session(context, workspace, as_json) as run:
        with run.progress("Looking, covering") as progress:
            done, pages = run.workspace.publish(
                collection, out, parse_channel(channel), style, progress=progress
            )
        uncompared = run.workspace.catch_up.uncompared(done.screening.collection)
        values = {
            "published": len(done.published),
            "withheld": [_withheld(one) for one in done.withheld],
            "uncompared": uncompared,
            "manifest": str(pages.manifest),
            "report": str(pages.report),
            "copies": [
                {"path": one.path, "copy": str(done.copies / one.copy)} for one in done.published
            ],
        }
        run.result(
            values,
            f"{len(done.published)} ready in {escape(str(done.copies))}, "
            f"{len(done.withheld)} left out.",
            f"Look before you publish: {escape(pages.report.as_uri())}",
        )
        run.list("left out", [(one.path, one.code, one.reason) for one in done.withheld])
        if uncompared:
            have = "has" if uncompared == 1 else "have"
            run.note(
                f"{many(uncompared, 'photograph')} {have} faces that were "
                "compared with nobody yet: `sayso catchup`, then publish again, may show more."
            )


def _withheld(one: "WithheldFile") -> dict[str, object]:
    return {"path": one.path, "code": one.code, "reason": one.reason}


def _screened(face: "ScreenedFace") -> dict[str, object]:
    person: dict[str, str] | None = None
    if face.person is not None:
        person = {"id": face.person}
        if face.name is not None:
            person["name"] = face.name
    return {
        "id": face.stored.id,
        "box": _box(face.stored.face.box),
        "outcome": face.outcome.outcome.value,
        "reason": face.outcome.reason,
        "person": person,
        "candidates": [{"id": one.id, "name": one.name} for one in face.candidates],
    }


def _line(path: str, screened: "ScreenedPhotograph") -> str:
    outcomes = [face.outcome.outcome.value for face in screened.faces]
    faces = ", ".join(f"{outcomes.count(o)} {o}" for o in sorted(set(outcomes))) or "no face"
    doubts = "".join(
        f"\n        face {face.stored.id} at {_place(face.stored.face.box)}: perhaps {_who(face)}"
        for face in screened.faces
        if face.outcome.outcome is Outcome.REVIEW
    )
    verdict = f"[{_COLOURS[screened.verdict]}]{screened.verdict:<8}[/]"
    return f"{verdict}  {escape(path)}  [dim]{faces}[/]{doubts}"


def _who(face: "ScreenedFace") -> str:
    if face.outcome.reason == PERHAPS_A_FACE:
        return "a face"
    return escape(", ".join(one.name for one in face.candidates)) or "somebody who said yes"


def _box(box: Box) -> list[float]:
    return [round(n, 6) for n in (box.x, box.y, box.width, box.height)]


def _place(box: Box) -> str:
    return ",".join(f"{n:.3f}" for n in _box(box))
