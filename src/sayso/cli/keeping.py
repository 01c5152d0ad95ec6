"""Verbs for what is kept and for how long: backup, restore, refusals, retention, takedowns, key."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.session import KEEPING, FolderOption, JsonOption, YesOption, escape, many, session
from sayso.cli.verbs import Verbs
from sayso.domain.key import KeyPlace

if TYPE_CHECKING:
    from sayso.services.retention import Ended
    from sayso.services.takedowns import Takedown

app = typer.Typer()
keys = typer.Typer(
    cls=Verbs, no_args_is_help=True, help="Look after the workspace key and the data keys."
)
retaining = typer.Typer(
    cls=Verbs, no_args_is_help=True, help="Let go of what may be kept no longer."
)
app.add_typer(keys, name="key", rich_help_panel=KEEPING)
app.add_typer(retaining, name="retention", rich_help_panel=KEEPING)


@app.command(rich_help_panel=KEEPING)
def backup(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new file.")],
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a backup into one file; it holds no key, and templates only sealed."""
    with session(context, workspace, as_json) as run:
        written = run.workspace.backup(out)
        values = {
            "backup": str(written.path),
            "bytes": written.bytes,
            "at": written.at.isoformat(),
            "schema": written.schema,
        }
        run.result(
            values,
            f"Backup of {written.bytes:,} bytes: {escape(str(written.path))}",
            "No key is in it. To bring templates back on another machine you also need the "
            "workspace key and a copy of the key store (`sayso key copy FILE`).",
        )


@app.command(rich_help_panel=KEEPING)
def restore(
    context: typer.Context,
    backup_file: Annotated[
        Path, typer.Argument(metavar="BACKUP", help="What `sayso backup` wrote.")
    ],
    erasures: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A list that `sayso refusals` wrote elsewhere."),
    ] = None,
    keys_file: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="A copy that `sayso key copy` wrote."),
    ] = None,
    yes: YesOption = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup back; what was erased or refused since stays so."""
    from sayso.wiring import restore_workspace

    with session(context, workspace, as_json) as run:
        done = restore_workspace(
            backup_file, run.folder, yes=yes, refusals=erasures, keys=keys_file
        )
        values = {
            "workspace": str(done.folder),
            "made_at": done.made_at.isoformat(),
            "erased_again": done.erased,
            "refused_again": done.refused,
            "said_again": done.said,
            "said_lost": done.lost,
            "templates_closed": list(done.closed),
        }
        when = f"{done.made_at:%d %B %Y, %H:%M} UTC"
        again = f"{done.erased} erased again, {done.refused} refusals recorded again"
        lines = [f"Restored to {escape(str(done.folder))}, as it was on {when}. {again}."]
        if done.said:
            lines.append(f"{many(done.said, 'answer')} since about faces: said again.")
        if done.lost:
            lines.append(
                f"{many(done.lost, 'answer')} since about faces that the backup does not know: "
                "scan, and look at those again before you publish."
            )
        if done.closed:
            lines.append(
                f"Templates of {len(done.closed)} people were left out: their data keys are not "
                "here. Enrol them again, or restore with --keys: " + ", ".join(done.closed)
            )
        run.result(values, *lines)


@app.command(rich_help_panel=KEEPING)
def refusals(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the list of erasures and refusals, for a restore on another machine."""
    with session(context, workspace, as_json) as run:
        listed = run.workspace.write_refusals(out)
        values = {
            "list": str(out),
            "erased": len(listed.erased),
            "refused": len(listed.others),
        }
        run.result(
            values,
            f"{len(listed.erased)} erasures and {len(listed.others)} refusals, without any name: "
            f"{escape(str(out))}",
        )


@app.command(rich_help_panel=KEEPING)
def takedowns(
    context: typer.Context,
    person: Annotated[
        str | None, typer.Option(metavar="PERSON", help="Only copies that show this person.")
    ] = None,
    done: Annotated[
        int | None, typer.Option(metavar="ID", help="Tick this one off: it was taken down.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", metavar="", help="Those that are done, too.")
    ] = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """List published copies that show somebody who may be shown no more."""
    with session(context, workspace, as_json) as run:
        if done is not None:
            one = run.workspace.takedowns.tick_off(done)
            run.result({"takedown": _takedown(one)}, f"Done: {escape(_where(one))}")
            return
        listed = run.workspace.takedowns(person, done=everything)
        lines = [
            f"{one.id:>4}  {one.channel:<8}  "
            f"{'done' if one.done_at else f'by {one.due_at:%Y-%m-%d}'}  {one.reason:<9}  "
            f"{escape(_where(one))}"
            for one in listed
        ]
        values = {"takedowns": [_takedown(one) for one in listed]}
        run.result(values, *lines or ["Nothing is to be taken down."])


def _where(one: "Takedown") -> str:
    return f"{one.folder}/{one.path}"


def _takedown(one: "Takedown") -> dict[str, object]:
    return {
        "id": one.id,
        "reason": one.reason,
        "person": one.person,
        "channel": one.channel,
        "folder": one.folder,
        "path": one.path,
        "photo": one.photo,
        "published_at": one.published_at,
        "due_at": one.due_at.isoformat(),
        "done_at": None if one.done_at is None else one.done_at.isoformat(),
    }


@retaining.command("run")
def retention_run(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Only say what would go.")
    ] = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what may be kept no longer: templates, sightings, whole collections."""
    with session(context, workspace, as_json) as run:
        ended = run.workspace.retention(dry=dry_run)
        run.result(_ended(ended), *_ended_lines(ended))


def _ended(ended: "Ended") -> dict[str, object]:
    return {
        "dry_run": ended.dry,
        "templates": [
            {
                "person": one.person,
                "ended_at": one.end.at.isoformat(),
                "ground": one.end.ground.value,
                "templates": one.templates,
            }
            for one in ended.templates
        ],
        "collections": [
            {
                "collection": one.collection.name,
                "photographs": one.photographs,
                "faces": one.faces,
            }
            for one in ended.collections
        ],
        "takedowns": ended.takedowns,
    }


def _ended_lines(ended: "Ended") -> list[str]:
    goes = "would go" if ended.dry else "removed"
    lines = [
        f"{one.person}: {one.templates} reference(s) {goes} ({one.end.ground}, "
        f"{one.end.at:%Y-%m-%d})."
        for one in ended.templates
    ]
    lines += [
        f"{escape(one.collection.name)}: what is known of {one.photographs} photograph(s) and "
        f"{one.faces} face(s) {goes}. The photographs themselves are yours to delete."
        for one in ended.collections
    ]
    return lines or ["Nothing is kept too long."]


@keys.command("rotate")
def rotate(
    context: typer.Context,
    to: Annotated[
        KeyPlace | None, typer.Option(help="Where the new key is kept; else where the old is.")
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the workspace key; templates are not touched."""
    with session(context, workspace, as_json) as run:
        opened = run.workspace
        done = opened.custody.rotate(opened.repository, opened.book, to)
        place = opened.custody.place
        stale = [
            f"This copy of the key store could not be written anew and needs the old key: "
            f"{escape(one)}. Connect it and run `sayso key copy` again, or destroy it."
            for one in done.stale
        ]
        run.result(
            {"rewrapped": done.data_keys, "place": place.value, "stale_copies": list(done.stale)},
            f"The workspace key is new; {done.data_keys} data key(s) are wrapped with it. "
            f"Keep a copy of it in a safe place ({place}), and destroy copies of the old one.",
            *stale,
        )


@keys.command("check")
def check(
    context: typer.Context,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which keys are there and whether they open what they should."""
    from sayso.services.custody import report

    with session(context, workspace, as_json) as run:
        opened = run.workspace
        found = report(opened.repository.vault, opened.custody.place)
        values = {
            "place": found.place.value,
            "opens": not found.unopened,
            "data_keys": found.people,
            "unopened": list(found.unopened),
            "erased": found.erased,
            "pending_erasures": found.pending,
            "copies": dict(found.copies),
        }
        lines = [
            f"The workspace key is there ({found.place}) and is the right one.",
            f"{found.people} data key(s), of which {len(found.unopened)} do not open.",
        ]
        lines += [f"People to enrol again: {', '.join(found.unopened)}"] if found.unopened else []
        copies = [
            f"A copy of the key store: {escape(place)} ({at[:10]})"
            for place, at in found.copies.items()
        ]
        none = "No copy of the key store was made: if this disk fails, templates are lost."
        run.result(values, *lines, *(copies or [none]))


@keys.command("copy")
def copy(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Somewhere apart from backups.")],
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a copy of the key store; erasures and changes of key write it anew."""
    with session(context, workspace, as_json) as run:
        run.workspace.copy_keys(out)
        run.result(
            {"copy": str(out.absolute())},
            f"Copied to {escape(str(out.absolute()))}. Keep it apart from backups, and reachable: "
            "an erasure must take the person's key out of it too.",
        )


@keys.command("renew")
def renew(
    context: typer.Context,
    yes: YesOption = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin anew with a new key after the old one was lost for good; templates are gone."""
    from sayso.wiring import renew_key

    with session(context, workspace, as_json) as run:
        run.confirm("Give up every template, for want of its key?", yes=yes)
        done = renew_key(run.folder)
        laid = "" if done.old_ledger is None else str(done.old_ledger)
        aside = (
            [f"The ledger so far lies in {escape(laid)}, to be read and verified."] if laid else []
        )
        run.result(
            {"templates_removed": done.templates, "old_ledger": laid or None},
            f"There is a new key. {done.templates} template(s) that nobody could open were "
            "removed: enrol those people again. Erased people's forms are not recognised any "
            "more. A backup made before can be put back here and nowhere else: only the ledgers "
            "here tell who was erased since.",
            *aside,
        )
