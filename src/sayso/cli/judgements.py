"""Verbs for a human's word on a face: mark, reject, unmark."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.session import BY_HAND, FolderOption, JsonOption, escape, session

if TYPE_CHECKING:
    from sayso.services.judge import Judge, Judgement, Place

app = typer.Typer()

_UNNAMED = "somebody whose name may not be told"

PhotoArgument = Annotated[str, typer.Argument(metavar="PHOTO", help="Its path, as scanned.")]
FaceArgument = Annotated[
    str, typer.Argument(metavar="BOX_OR_FACE", help="A face's id, or x,y,width,height from 0 to 1.")
]


@app.command(rich_help_panel=BY_HAND)
def mark(
    context: typer.Context,
    photo: PhotoArgument,
    face: FaceArgument,
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERSON]", help="Left out: it is a face, of anybody.", show_default=False
        ),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that a face is this person, or that there is a face; no scan undoes it."""
    if person is None:
        _say(context, workspace, as_json, "is a face", lambda j: j.is_face(photo, face))
        return
    _judge(context, workspace, as_json, "is", lambda judge: judge.mark(photo, face, person))


@app.command(rich_help_panel=BY_HAND)
def reject(
    context: typer.Context,
    photo: PhotoArgument,
    face: FaceArgument,
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERSON]",
            help="Left out: nobody whom it was taken for; of what is perhaps a face: none.",
            show_default=False,
        ),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that a face is not this person, or that there is no face; no scan undoes it."""
    if person is not None:
        _judge(context, workspace, as_json, "is not", lambda j: j.reject(photo, face, person))
        return
    with session(context, workspace, as_json) as run:
        none = run.workspace.judge.is_no_face(photo, face)
        if none is not None:
            line = f"Place {none.face.id} of {_where(none)} is no face{_once(none.holds)}"
            run.result(_values(none) | {"said": "no_face"}, escape(line))
            return
        said = run.workspace.judge.reject_all(photo, face)
        line = f"Face {said.face.id} of {_where(said)} is nobody it was taken for"
        run.result(_values(said) | {"person": None}, escape(line + _once(said.holds)))


@app.command(rich_help_panel=BY_HAND)
def unmark(
    context: typer.Context,
    photo: PhotoArgument,
    face: FaceArgument,
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERSON]",
            help="Left out: whether there is a face, or who it may be without a name.",
            show_default=False,
        ),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back what was said with mark or reject."""
    words = "is no longer said to be, or not to be,"
    if person is not None:
        _judge(context, workspace, as_json, words, lambda j: j.take_back(photo, face, person))
        return
    with session(context, workspace, as_json) as run:
        said = run.workspace.judge.take_back_unnamed(photo, face)
        if said is not None:
            line = f"Face {said.face.id} of {_where(said)} {words} {_UNNAMED}"
            run.result(_values(said) | {"person": None}, escape(line + _once(said.holds)))
            return
    _say(context, workspace, as_json, f"{words} a face", lambda j: j.take_back_face(photo, face))


def _judge(
    context: typer.Context,
    workspace: FolderOption,
    as_json: JsonOption,
    words: str,
    say: "Callable[[Judge], Judgement]",
) -> None:
    with session(context, workspace, as_json) as run:
        said = say(run.workspace.judge)
        line = f"Face {said.face.id} of {_where(said)} {words} {said.person.name}"
        values = _values(said) | {"person": said.person.id}
        run.result(values, escape(line + _once(said.holds)))


def _say(
    context: typer.Context,
    workspace: FolderOption,
    as_json: JsonOption,
    words: str,
    say: "Callable[[Judge], Place]",
) -> None:
    with session(context, workspace, as_json) as run:
        place = say(run.workspace.judge)
        said = None if place.face.said is None else place.face.said.value
        line = f"Place {place.face.id} of {_where(place)} {words}."
        run.result(_values(place) | {"said": said}, escape(line))


def _values(said: "Judgement | Place") -> dict[str, object]:
    box = said.face.face.box
    return {
        "photo": _where(said),
        "face": said.face.id,
        "box": [box.x, box.y, box.width, box.height],
        "holds": said.holds,
    }


def _once(holds: bool) -> str:
    return "." if holds else " once another operator says the same."


def _where(said: "Judgement | Place") -> str:
    return said.photograph.paths[0] if said.photograph.paths else said.photograph.id
