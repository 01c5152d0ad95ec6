"""Verbs for the models that look at faces: list, card, add, use, remove."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sayso.cli.session import (
    FolderOption,
    JsonOption,
    YesOption,
    escape,
    many,
    session,
)
from sayso.cli.verbs import Verbs

if TYPE_CHECKING:
    from sayso.services.changeover import ChangedOver, Ended

models_app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    help="The models that find and compare faces; changing from one to another.",
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A model's name, or how it or its SHA-256 begins.")
]


@models_app.command("list")
def models_list(
    context: typer.Context, workspace: FolderOption = None, as_json: JsonOption = False
) -> None:
    """List the models, what each does, and how many people are compared by it."""
    with session(context, workspace, as_json) as run:
        known = run.workspace.model_book.all()
        run.result(
            {"models": [one.values() for one in known]},
            *(
                f"[bold]{escape(one.manifest.name)}[/]: {one.state.value}"
                + (f", {_people(one.people)}" if one.people else "")
                + f" [dim]({escape(one.manifest.licence)}, {one.manifest.sha256[:16]}…)[/]"
                for one in known
            ),
        )


@models_app.command("card")
def models_card(
    context: typer.Context,
    name: NameArgument,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what is known of a model: training, licence, error rates, groups, limits."""
    with session(context, workspace, as_json) as run:
        one = run.workspace.model_book.one(name)
        values = one.values()
        lines = [f"[bold]{escape(one.manifest.name)}[/]"]
        for key in ("licence", "source", "sha256", "training", "calibration_provenance", "rates",
                    "groups", "limits"):  # fmt: skip
            if values.get(key):
                label = key.replace("_provenance", "").capitalize()
                lines.append(f"{label}: {escape(str(values[key]))}")
        run.result(values, *lines)


@models_app.command("add")
def models_add(
    context: typer.Context,
    manifest: Annotated[
        Path,
        typer.Argument(metavar="MANIFEST_OR_ONNX", help="A .toml or .json manifest, or a model."),
    ],
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="DATASET",
            help="Photographs of 100 people or more who agreed to it, as for `sayso evaluate`.",
            show_default=False,
        ),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a recogniser: its file is verified and tried, its errors measured. It is not used yet."""
    with session(context, workspace, as_json) as run:
        with run.progress("Calibrating") as progress:
            added = run.workspace.adopt(manifest, calibrate=calibrate, progress=progress)
        found, measured = added.manifest, added.measured
        if measured is not None:
            run.list("skipped", [(one.path, one.code, one.reason) for one in measured.skipped])
        values = run.workspace.model_book.one(found.sha256).values()
        if measured is not None:
            values |= {
                "photographs": measured.photographs,
                "faceless": measured.faceless,
                "skipped": [one.path for one in measured.skipped],
            }
        run.result(
            values,
            f"[bold]{escape(found.name)}[/] is added: {found.dimension} numbers for each face.",
            f"Calibration: {escape(found.provenance)}",
            f"Rates: {escape(found.rates)}",
            "Nobody is compared by it yet. To change over: sayso models use NAME",
        )


@models_app.command("use")
def models_use(
    context: typer.Context,
    name: NameArgument,
    only: Annotated[
        bool,
        typer.Option("--only", metavar="", help="Leave out whoever has no reference of it yet."),
    ] = False,
    yes: YesOption = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change over to a model; until somebody is asked again they stay with the one before."""
    with session(context, workspace, as_json) as run:
        if only:
            run.confirm(
                "Remove the references of the model so far, of everybody, and compare nobody any "
                "more who has none of the new one?",
                yes=yes,
            )
        done = run.workspace.change_over(name, only=only)
        run.result(_change(done), *_told(done))
        if done.ended is not None and not done.ended.swept:
            run.note("Another process is reading: old pages are swept on the next start.")


@models_app.command("remove")
def models_remove(
    context: typer.Context,
    name: NameArgument,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a model that was added and is not in use."""
    with session(context, workspace, as_json) as run:
        gone = run.workspace.model_book.remove(name)
        run.result({"name": gone.name, "sha256": gone.sha256}, f"{escape(gone.name)} is removed.")


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _change(done: "ChangedOver") -> dict[str, Any]:
    ended = done.ended
    return {
        "name": done.manifest.name,
        "sha256": done.manifest.sha256,
        "to_ask": [{"id": one.id, "name": one.name} for one in done.to_ask],
        "ended": None if ended is None else _over(ended),
    }


def _over(ended: "Ended") -> dict[str, Any]:
    return {
        "left": ended.left.name,
        "templates_removed": ended.templates,
        "without_reference": list(ended.people),
        "swept": ended.swept,
    }


def _told(done: "ChangedOver") -> list[str]:
    lines = [f"[bold]{escape(done.manifest.name)}[/] is in use."]
    if done.to_ask:
        lines += [
            (
                f"{_people(len(done.to_ask))} must be asked for images again and stay with the "
                "model before until then. For each: sayso enrol NAME IMAGE… --person ID --grant "
                "recognise --evidence FORM"
            ),
            *(f"  {one.id}  {escape(one.name)}" for one in done.to_ask),
        ]
    if done.ended is not None and done.ended.templates:
        lines.append(
            f"The change is over: {many(done.ended.templates, 'template')} of "
            f"{escape(done.ended.left.name)} removed."
        )
        if done.ended.people:
            lines.append(
                f"{_people(len(done.ended.people))} have no reference any more: "
                f"{', '.join(done.ended.people)}"
            )
    return lines
