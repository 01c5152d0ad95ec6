"""Verbs for people who are not enrolled: objection add, list, lift."""

from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.session import BY_HAND, FolderOption, JsonOption, escape, session
from sayso.cli.verbs import Verbs
from sayso.domain.objection import Objection, Wish

if TYPE_CHECKING:
    from sayso.services.objections import Recorded

app = typer.Typer()
objections = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    help="Cover or leave out what somebody asked you to; no name needed.",
)
app.add_typer(objections, name="objection", rich_help_panel=BY_HAND)


@objections.command("add")
def add(
    context: typer.Context,
    photo: Annotated[str, typer.Argument(metavar="PHOTO", help="Its path, as scanned.")],
    request: Annotated[Wish, typer.Option(help="What is asked for.")],
    face: Annotated[
        str | None,
        typer.Argument(metavar="BOX_OR_FACE", help="A face's id, or x,y,width,height from 0 to 1."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", metavar="", help="The whole photograph.")
    ] = False,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Your own words; name nobody.")] = "",
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that somebody asks for a face, or a photograph, not to be shown."""
    from sayso.services.objections import face_or_whole

    with session(context, workspace, as_json) as run:
        meant = face_or_whole(face, whole=whole)
        added = run.workspace.objections.add(photo, meant, request, note)
        run.result(
            _values(added),
            f"Objection {added.objection.id}: {_words(added.objection)}. It holds from now on.",
            "Copies published before are not changed: publish again, and take the old ones down.",
        )


@objections.command("list")
def list_objections(
    context: typer.Context,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the objections that stand."""
    with session(context, workspace, as_json) as run:
        listed = run.workspace.objections.all()
        lines = [
            f"{one.objection.id:>4}  {_words(one.objection)}  "
            f"{escape(', '.join(one.paths) or 'lies nowhere now')}  "
            f"[dim]{escape(one.objection.note)}[/]"
            for one in listed
        ]
        run.result({"objections": [_values(one) for one in listed]}, *lines or ["Nobody objected."])


@objections.command("lift")
def lift(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", help="As listed.")],
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an objection back, because whoever made it did."""
    with session(context, workspace, as_json) as run:
        lifted = run.workspace.objections.lift(number)
        run.result({"lifted": lifted.id}, f"Objection {lifted.id} is lifted.")


def _words(objection: Objection) -> str:
    what = "the whole photograph" if objection.box is None else "a face"
    if objection.wish is Wish.REMOVE:
        return f"leave the photograph out ({what})"
    return f"cover {what}"


def _values(one: "Recorded") -> dict[str, object]:
    box = one.objection.box
    return {
        "id": one.objection.id,
        "photographs": list(one.paths),
        "sha256": one.objection.photo_sha256,
        "box": None if box is None else [box.x, box.y, box.width, box.height],
        "request": one.objection.wish.value,
        "note": one.objection.note,
        "at": one.objection.at.isoformat(),
    }
