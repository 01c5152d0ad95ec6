"""Verbs for what people are owed: receipt, access, and the notices that they are told."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.session import (
    RIGHTS,
    FolderOption,
    JsonOption,
    Session,
    YesOption,
    escape,
    session,
)
from sayso.cli.verbs import Verbs
from sayso.errors import SettingMalformed

app = typer.Typer()
notice_app = typer.Typer(
    cls=Verbs, no_args_is_help=True, help="What people are told before they answer."
)

PersonArgument = Annotated[
    str, typer.Argument(metavar="PERSON", help="An id, or a name that only one has.")
]


@app.command(rich_help_panel=RIGHTS)
def receipt(
    context: typer.Context,
    person: PersonArgument,
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT", help="A file; else it is printed.")
    ] = None,
    yes: YesOption = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a person a receipt of what they agreed to."""
    from sayso.services.handover import whole_file

    with session(context, workspace, as_json) as run:
        if out is not None and out.exists():
            run.confirm(f"Replace {out}?", yes=yes)
        given = run.workspace.receipts(person)
        values = {
            "person": given.person.id,
            "receipt": given.receipt["dct:identifier"],
            "signed": given.signed,
            "file": None if out is None else str(out),
            "lacks": sorted({defect.field for defect in given.defects}),
        }
        if out is None:
            run.result(values | {"envelope": given.data.decode()})
            if not run.as_json:
                typer.echo(given.data.decode(), nl=False)
        else:
            with whole_file(out, overwrite=out.is_file()) as stream:
                stream.write(given.data)
            run.result(
                values, f"The receipt of {escape(given.person.name)} is at {escape(str(out))}."
            )
        if not given.signed:
            run.note("It is not signed.")
        _say_what_is_missing(run, run.workspace.settings.controller.missing)
        fields = sorted({d.field for d in given.defects if "notice" in d.field})
        if fields:
            run.note(
                "No notice was recorded with at least one yes. Ask again with a notice: "
                "`sayso notice add`, then `sayso enrol --person ID --notice FILE`."
            )


@app.command(rich_help_panel=RIGHTS)
def access(
    context: typer.Context,
    person: PersonArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT.zip", help="The archive to write.")],
    received: Annotated[
        str, typer.Option(metavar="DATE", help="When the person asked; else today.")
    ] = "",
    yes: YesOption = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand a person everything that is held of them, with everybody else covered."""
    with session(context, workspace, as_json) as run:
        asked = _date(received) if received else None
        if out.is_file():
            run.confirm(f"Replace {out}?", yes=yes)
        with run.progress("Covering") as progress:
            done = run.workspace.access(
                person, out, received=asked, overwrite=out.is_file(), progress=progress
            )
        run.result(
            {
                "person": done.person.id,
                "file": str(done.file),
                "due": done.due.isoformat(),
                "photographs": done.photographs,
                "links_without_picture": done.unshown,
                "controller_settings_missing": list(done.missing),
            },
            f"Everything that is held of {escape(done.person.name)} is in "
            f"{escape(str(done.file))}: {done.photographs} photograph(s), everybody else covered.",
            f"The answer is due by {done.due.isoformat()}.",
        )
        _say_what_is_missing(run, done.missing)


@notice_app.command("add")
def notice_add(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The words, as plain text.")],
    version: Annotated[str, typer.Option(metavar="TEXT", help="What it is called.")],
    language: Annotated[str, typer.Option(metavar="TAG", help="BCP 47, such as en or de-CH.")],
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a notice, and make it the current one of its language."""
    with session(context, workspace, as_json) as run:
        kept = run.workspace.notices.add(file, version=version, language=language)
        stale = {person.id for person, _ in run.workspace.notices.stale()}
        run.result(
            {"sha256": kept.notice.sha256, "version": version, "stale": len(stale)},
            f"Version {escape(kept.notice.version)} ({kept.notice.language}) is current now.",
            f"{len(stale)} to be asked again before anything new: `sayso notice stale`.",
        )


@notice_app.command("list")
def notice_list(
    context: typer.Context, workspace: FolderOption = None, as_json: JsonOption = False
) -> None:
    """List every notice that was ever used."""
    with session(context, workspace, as_json) as run:
        kept = run.workspace.notices.all()
        values = [
            {
                "sha256": one.notice.sha256,
                "version": one.notice.version,
                "language": one.notice.language,
                "current": one.current,
                "added": one.added_at.isoformat(),
            }
            for one in kept
        ]
        lines = [
            f"{one.notice.version} ({one.notice.language})  {one.added_at.date()}  "
            f"{one.notice.sha256[:16]}  {'current' if one.current else '[dim]old[/]'}"
            for one in kept
        ]
        run.result({"notices": values}, *lines or ["No notice was added yet."])


@notice_app.command("stale")
def notice_stale(
    context: typer.Context, workspace: FolderOption = None, as_json: JsonOption = False
) -> None:
    """List who must be asked again, because the notice has changed since they answered."""
    with session(context, workspace, as_json) as run:
        found = run.workspace.notices.stale()
        values = [
            {
                "person": person.id,
                "name": person.name,
                "told": None if stale.told is None else stale.told.version,
                "language": None if stale.told is None else stale.told.language,
                "grants": [str(grant) for grant in stale.grants],
            }
            for person, stale in found
        ]
        lines = [
            f"{person.id}  {escape(person.name)}  "
            f"{'no notice' if stale.told is None else f'version {escape(stale.told.version)}'}  "
            f"[dim]{', '.join(map(str, stale.grants))}[/]"
            for person, stale in found
        ]
        run.result({"stale": values}, *lines or ["Everybody was told by a current notice."])


def _say_what_is_missing(run: Session, missing: tuple[str, ...]) -> None:
    if missing:
        run.note(
            f"It does not say everything that the law asks for: set {', '.join(missing)} in "
            f"{run.folder / 'sayso.toml'}."
        )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingMalformed(
            expected="a date as YYYY-MM-DD for --received",
            found=repr(text),
            remedy="Write the year first, for example 2026-09-30.",
        ) from None
