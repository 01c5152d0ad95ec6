"""Verbs for a human's word on a face: mark, reject, unmark."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.markup import escape

from sayso.cli.session import FolderOption, JsonOption, session
from sayso.services.judge import Judge, Judgement

app = typer.Typer()

PhotoArgument = Annotated[str, typer.Argument(help="Its path, as scanned.")]
FaceArgument = Annotated[
    str, typer.Argument(metavar="BOX_OR_FACE", help="x,y,width,height relative, or an id.")
]
PersonArgument = Annotated[str, typer.Argument(help="An id, or a name that only one person has.")]


@app.command()
def mark(
    context: typer.Context,
    photo: PhotoArgument,
    face: FaceArgument,
    person: PersonArgument,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that a face is this person. No biometrics needed; no scan undoes it."""
    _judge(context, workspace, as_json, "is", lambda judge: judge.mark(photo, face, person))


@app.command()
def reject(
    context: typer.Context,
    photo: PhotoArgument,
    face: FaceArgument,
    person: PersonArgument,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that a face is not this person. No scan undoes it."""
    _judge(context, workspace, as_json, "is not", lambda judge: judge.reject(photo, face, person))


@app.command()
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
    say: Callable[[Judge], Judgement],
) -> None:
    with session(context, workspace, as_json) as run:
        said = say(run.workspace.judge)
        box = said.face.face.box
        values = {
            "photo": said.photograph.paths[0] if said.photograph.paths else said.photograph.id,
            "face": said.face.id,
            "box": [box.x, box.y, box.width, box.height],
            "person": said.person.id,
        }
        line = f"Face {said.face.id} of {values['photo']} {words} {said.person.name}."
        run.result(values, escape(line))
