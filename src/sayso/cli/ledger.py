"""Verbs about the ledger: audit verify, list, prove, check, checkpoint, key."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.files import read_file, write_file
from sayso.cli.session import FolderOption, JsonOption, Session, YesOption, escape, session
from sayso.cli.verbs import Verbs
from sayso.domain.person import PersonId

if TYPE_CHECKING:
    from sayso.services.audit import Entry

audit = typer.Typer(
    cls=Verbs, no_args_is_help=True, help="Check the ledger, and prove what it says."
)

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A proof, a receipt, or a certificate of erasure.")
]


@audit.command()
def verify(
    context: typer.Context,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A checkpoint that was kept elsewhere; repeatable."),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify every byte of the ledger; the first fault is named with its place."""
    with session(context, workspace, as_json) as run:
        notes = [read_file(path) for path in checkpoint or ()]
        found = run.audit.verify(notes)
        earlier = run.audit.verify_earlier(notes)
        values = {
            "entries": found.head.size,
            "erased": found.erased,
            "clock_set": list(found.clock_set),
            "root": found.head.root.hex(),
            "checkpoints": len(notes) + (run.audit.kept is not None),
            "laid_aside": [
                {
                    "ledger": name,
                    "entries": done.head.size,
                    "root": done.head.root.hex(),
                    "erased": done.erased,
                }
                for name, done in earlier
            ],
        }
        run.result(
            values,
            f"The ledger is whole: {found.head.size} entries, {found.erased} of them erased and "
            "accounted for.",
            *_clock_lines(found.clock_set),
            *(
                f"{name}, which was laid aside, is whole: {done.head.size} entries, "
                f"{done.erased} of them erased and accounted for."
                for name, done in earlier
            ),
        )


def _clock_lines(clock_set: Sequence[int]) -> list[str]:
    """What an auditor should look at: where an operator set the time of the ledger back."""
    places = ", ".join(map(str, clock_set))
    return [f"The clock was said to have been ahead at entry {places}."] if places else []


@audit.command()
def clock(
    context: typer.Context,
    yes: YesOption = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that the clock was ahead and is right now; entered for every auditor to see."""
    with session(context, workspace, as_json) as run:
        run.confirm("Was the clock ahead before, and is it right now?", yes=yes)
        entry = run.workspace.book.set_clock().entry
        before = entry.draft.details["before"]
        run.result(
            {"entry": entry.sequence, "at": entry.at.isoformat(), "before": before},
            f"Entry {entry.sequence} says it: the entry before is of {before}, the clock reads "
            f"{entry.at:%Y-%m-%dT%H:%M:%SZ}.",
        )


@audit.command("list")
def list_entries(
    context: typer.Context,
    since: Annotated[int, typer.Option(metavar="ENTRY", help="From this number on.")] = 0,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the entries."""
    with session(context, workspace, as_json) as run:
        entries = list(run.audit.entries(since))
        run.result({"entries": [_values(entry) for entry in entries]}, *map(_line, entries))


@audit.command()
def prove(
    context: typer.Context,
    entry: Annotated[int, typer.Argument(metavar="ENTRY", help="Its number.")],
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the proof.")],
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a proof of one entry that anybody can check offline."""
    with session(context, workspace, as_json) as run:
        proof = run.audit.prove(entry)
        write_file(out, proof)
        key = run.audit.public_key
        run.result(
            {"entry": entry, "proof": str(out), "key": key},
            f"Written to {escape(str(out))}. Check it with:",
            f"  sayso audit check {escape(str(out))} --key {escape(key)}",
        )


@audit.command()
def check(
    context: typer.Context,
    file: FileArgument,
    key: Annotated[str, typer.Option(metavar="PUBLIC", help="The log's public key.")],
    person: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Whose it must be; the id on your other receipts."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a proof or a receipt with the log's public key alone; no workspace needed."""
    from sayso.services import audit as auditing

    with session(context, None, as_json) as run:
        data = read_file(file)
        wanted = None if person is None else PersonId(person)
        if auditing.is_certificate(data):
            _check_certificate(run, data, key, wanted)
            return
        if auditing.is_receipt(data):
            _check_receipt(run, data, key, wanted)
            return
        verified = auditing.check(data, key, wanted)
        values = {
            "valid": True,
            "entry": _values(verified.entry),
            "log": verified.checkpoint.origin,
            "size": verified.checkpoint.size,
        }
        run.result(
            values,
            f"The proof holds: entry {verified.entry.sequence} is in {verified.checkpoint.origin}.",
            _line(verified.entry),
            *_whose(verified.entry.draft.subjects, wanted),
        )


def _whose(subjects: Sequence[str], wanted: PersonId | None) -> list[str]:
    """What keeps somebody from taking another's receipt for their own."""
    if wanted is not None:
        return [f"It is about {wanted}, as was asked."]
    if not subjects:
        return ["It names nobody: by itself it does not show whom it is about."]
    return [
        f"It is about {', '.join(subjects)}. Compare that with your own id, or pass --person ID."
    ]


def _check_certificate(run: Session, data: bytes, key: str, person: PersonId | None) -> None:
    from sayso.services import audit as auditing

    checked = auditing.check_certificate(data, key, person)
    done = str(checked.certificate.get("done_at"))
    values = {
        "valid": True,
        "person": checked.person,
        "entry": checked.entry,
        "certificate": dict(checked.certificate),
    }
    run.result(
        values,
        f"The certificate holds: {checked.person} was erased, read back {escape(done)}, entry "
        f"{checked.entry}.",
        *_whose([checked.person], person),
    )


def _check_receipt(run: Session, data: bytes, key: str, person: PersonId | None) -> None:
    from sayso.services import audit as auditing

    checked, defects = auditing.check_consents(data, key, person)
    grants = auditing.stated(checked.document)
    values = {
        "valid": True,
        "receipt": checked.document["dct:identifier"],
        "person": checked.person,
        "issued": checked.issued,
        "entry": checked.entry,
        "grants": [{"grant": grant, "state": state} for grant, state in grants],
        "lacks": sorted({defect.field for defect in defects}),
    }
    run.result(
        values,
        f"The receipt holds: issued {checked.issued} for {checked.person}, entry {checked.entry}.",
        *(f"  {escape(grant):<20} {escape(state)}" for grant, state in grants),
        "That is what stood then; it tells nothing of another purpose, and nothing of later.",
        *_whose([checked.person], person),
    )


@audit.command()
def checkpoint(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to; left out: printed.")
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the newest signed checkpoint, to be kept where nobody here can reach it."""
    with session(context, workspace, as_json) as run:
        note = run.audit.checkpoint()
        if out is not None:
            write_file(out, note)
        text = note.decode()
        run.result({"checkpoint": text}, *map(escape, text.splitlines()))  # line by line, exactly


@audit.command()
def key(
    context: typer.Context,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the log's public key, which checkers need."""
    with session(context, workspace, as_json) as run:
        public = run.audit.public_key
        run.result({"key": public}, escape(public))


def _values(entry: "Entry") -> dict[str, object]:
    values: dict[str, object] = json.loads(entry.canonical())
    return values


def _line(entry: "Entry") -> str:
    draft = entry.draft
    about = f"  about {', '.join(draft.subjects)}" if draft.subjects else ""
    details = " ".join(f"{k}={json.dumps(v)}" for k, v in draft.details.items() if v is not None)
    when = entry.at.strftime("%Y-%m-%d %H:%M:%S")
    return (
        f"{entry.sequence:>6}  {when}  {draft.action:<14}{escape(about)}  [dim]{escape(details)}[/]"
    )
