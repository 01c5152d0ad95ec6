"""The program: global options, `init`, `demo`, and the verbs of the other files."""

import itertools
import os
from pathlib import Path
from typing import Annotated

import typer

from sayso import __version__
from sayso.cli import (
    catchup,
    judgements,
    keeping,
    ledger,
    measuring,
    models,
    objections,
    people,
    photographs,
    records,
    review,
)
from sayso.cli.session import MEASURING, RIGHTS, SET_UP, FolderOption, JsonOption, escape, session
from sayso.cli.verbs import Verbs
from sayso.domain.key import KeyPlace

app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local values could show what is secret
    rich_markup_mode=None,
    help="Photographs of people, on their say-so.",
)
app.add_typer(photographs.app)
app.add_typer(catchup.app)
app.add_typer(people.app)
app.add_typer(review.app)
app.add_typer(judgements.app)
app.add_typer(ledger.audit, name="audit", rich_help_panel=RIGHTS)
app.add_typer(records.app)
app.add_typer(records.notice_app, name="notice", rich_help_panel=RIGHTS)
app.add_typer(objections.app)
app.add_typer(keeping.app)
app.add_typer(measuring.app)
app.add_typer(models.models_app, name="models", rich_help_panel=MEASURING)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"sayso {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool,
        typer.Option(
            "--version", metavar="", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Photographs of people, on their say-so."""
    context.obj = {"workspace": workspace, "json": as_json}


@app.command(rich_help_panel=SET_UP)
def init(
    context: typer.Context,
    key: Annotated[KeyPlace, typer.Option(help="Where its key is kept.")] = KeyPlace.FILE,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a workspace: a database and the key that seals what is in it."""
    from sayso.wiring import create_workspace

    with session(context, workspace, as_json) as run:
        folder = create_workspace(run.folder, key, os.environ)
        run.result(
            {"workspace": str(folder)},
            f"A workspace is ready at {escape(str(folder))}.",
            "Keep a copy of its key in a safe place apart from it: without the key, templates "
            "cannot be opened.",
        )


@app.command(rich_help_panel=SET_UP)
def demo(
    context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A new or empty folder. Else sayso-demo, or sayso-demo-2 and so on.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the whole story on two real portraits, ending with a report to open."""
    from sayso.cli.story import tell

    with session(context, None, as_json) as run:
        tell(run, out or _unused())


def _unused() -> Path:
    """The first of sayso-demo, sayso-demo-2 … that is not there yet."""
    names = (f"sayso-demo-{n}" for n in itertools.count(2))
    return next(p for p in map(Path, itertools.chain(["sayso-demo"], names)) if not p.exists())
