"""The verb by which faces that are known meet people whom they were not compared with yet."""

from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.session import PHOTOGRAPHS, FolderOption, JsonOption, Session, escape, many, session

if TYPE_CHECKING:
    from sayso.services.catchup import CatchUpResult

app = typer.Typer()


@app.command(rich_help_panel=PHOTOGRAPHS)
def catchup(
    context: typer.Context,
    collection: Annotated[
        list[str] | None,
        typer.Argument(metavar="COLLECTION", help="Its name; without any: all of mode group."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Only say how much there is to do.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", metavar="", help="Exit 1 if a photograph was not read.")
    ] = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare known faces with people who said yes since, and those found since with everybody.

    No folder is searched for new photographs. Interrupted, it goes on where it stopped.
    """
    with session(context, workspace, as_json) as run:
        due = run.workspace.catch_up.backlog(collection or ())
        for one in due:
            run.note(
                f"{escape(one.collection.name)}: {many(one.photographs, 'photograph')} with faces "
                "to compare."
            )
        if dry_run:
            values = [
                {
                    "collection": one.collection.name,
                    "photos": one.photographs,
                    "people": one.people,
                }
                for one in due
            ]
            run.result({"due": values}, *(() if due else ("Nothing to catch up with.",)))
            return
        with run.progress("Catching up") as progress:
            done = run.workspace.catch_up(collection or (), progress=progress)
        _print_caught_up(run, done)
        failed = any(one.failure or one.unreadable for one in done.collections)
        if strict and failed:
            raise typer.Exit(1)


def _print_caught_up(run: Session, done: "CatchUpResult") -> None:
    unread = [(one.collection.name, bad) for one in done.collections for bad in one.unreadable]
    failed = [(one.collection.name, *one.failure) for one in done.collections if one.failure]
    photos = sum(one.photographs for one in done.collections)
    faces = sum(one.faces for one in done.collections)
    values = {
        "photos": photos,
        "faces": faces,
        "collections": [
            {"collection": one.collection.name, "photos": one.photographs, "faces": one.faces}
            for one in done.collections
        ],
        "unreadable": [
            {"collection": name, "path": bad.path, "code": bad.code, "reason": bad.reason}
            for name, bad in unread
        ],
        "unavailable": [
            {"collection": name, "code": code, "reason": reason} for name, code, reason in failed
        ],
        "seconds": round(done.seconds, 3),
    }
    line = f"{many(photos, 'photograph')}, {many(faces, 'face')} in {done.seconds:.1f} s."
    run.result(values, line if done.collections else "Nothing to catch up with.")
    run.list("not compared", [(f"{name}/{b.path}", b.code, b.reason) for name, b in unread])
    run.list("not compared", failed)
