"""Verbs for a human's word on a face: mark, reject, unmark."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.session import BY_HAND, FolderOption, JsonOption, escape, session

if TYPE_CHECKING:
    from sayso.services.judge import Judge, Judgement

app = typer.Typer()

PhotoArgument = Annotated[str, typer.Argument(metavar="PHOTO", help="Its path, as scanned.")]
FaceArgument = Annotated[
    str, typer.Argument(metavar="BOX_OR_FACE", help="A face's id, or x,y,width,height from 0 to 1.")
]
PersonArgument = Annotated[
    str, typer.Argument(metavar="PERSON", help="An id, or a name that only one has.")
]


@app.command(rich_help_panel=BY_HAND)
def mark(
    context: typer.Context,
    photo: PhotoArgument,
    face: FaceArgument,
    person: PersonArgument,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that a face is this person; no scan undoes it."""
    _judge(context, workspace, as_json, "is", lambda judge: judge.mark(photo, face, person))


@app.command(rich_help_panel=BY_HAND)
def reject(
    context: typer.Context,
    photo: PhotoArgument,
    face: FaceArgument,
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERSON]", help="Left out: nobody whom it was taken for.", show_default=False
        ),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that a face is not this person; no scan undoes it."""
    if person is not None:
        _judge(context, workspace, as_json, "is not", lambda j: j.reject(photo, face, person))
        return
    with session(context, workspace, as_json) as run:
        said = run.workspace.judge.reject_all(photo, face)[0]
        line = f"Face {said.face.id} of {_where(said)} is nobody it was taken for."
        run.result(_values(said) | {"person": None}, escape(line))


@app.command(rich_help_panel=BY_HAND)
def unmark(
    context: typer.Context,
    photo: PhotoArgument,
    face: FaceArgument,
    person: PersonArgument,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back what was said with mark or reject."""
    _judge(
        context,
        workspace,
        as_json,
        "is no longer said to be, or not to be,",
        lambda judge: judge.take_back(photo, face, person),
    )


def _judge(
    context: typer.Context,
    workspace: FolderOption,
    as_json: JsonOption,
    words: str,
    say: "Callable[[Judge], Judgement]",
) -> None:
    with session(context, workspace, as_json) as run:
        said = say(run.workspace.judge)
        line = f"Face {said.face.id} of {_where(said)} {words} {said.person.name}."
        run.result(_values(said) | {"person": said.person.id}, escape(line))


def _values(said: "Judgement") -> dict[str, object]:
    box = said.face.face.box
    return {
        "photo": _where(said),
        "face": said.face.id,
        "box": [box.x, box.y, box.width, box.height],
    }


def _where(said: "Judgement") -> str:
    return said.photograph.paths[0] if said.photograph.paths else said.photograph.id
