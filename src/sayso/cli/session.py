"""What every verb shares: the workspace, the two ways of printing, progress, errors, questions."""

import errno
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.errors import DiskFull, NotConfirmed, OutputRefused, SaysoError, SettingMalformed

if TYPE_CHECKING:
    from rich.console import Console

    from sayso.services.audit import Audit
    from sayso.services.ports import Progress
    from sayso.wiring import Workspace

SET_UP = "Set up"
PEOPLE = "People"
PHOTOGRAPHS = "Photographs"
RIGHTS = "Rights and records"
KEEPING = "Keeping and letting go"
MEASURING = "Measuring"
BY_HAND = "By hand, without comparing faces"

FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="The workspace; else SAYSO_WORKSPACE, else this account's own.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", metavar="", help="Print the result as JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", metavar="", help="Do not ask; do it.")]
FIRST_PAGE = 1000
"""How many are listed at once unless somebody says otherwise."""
LimitOption = Annotated[int, typer.Option(min=1, metavar="NUMBER", help="List at most so many.")]
AfterOption = Annotated[
    str | None,
    typer.Option(metavar="NEXT", help="Go on after what was listed before.", show_default=False),
]

_FEW = 8
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Session:
    """One run of one verb."""

    folder: Path
    as_json: bool

    @cached_property
    def workspace(self) -> "Workspace":
        """The workspace, opened when first asked for."""
        from sayso.wiring import open_workspace

        opened = open_workspace(self.folder)
        for note in opened.notes:
            self.note(escape(note))
        return opened

    @cached_property
    def audit(self) -> "Audit":
        """The audit of the workspace's ledger, without opening the workspace for anything else."""
        from sayso.wiring import open_audit

        return open_audit(self.folder)

    @cached_property
    def out(self) -> "Console":
        """Standard output, for results."""
        from rich.console import Console

        return Console(highlight=False)

    @cached_property
    def err(self) -> "Console":
        """Standard error, for everything else."""
        from rich.console import Console

        return Console(stderr=True, highlight=False)

    def result(self, values: Mapping[str, object], *lines: str) -> None:
        """Print a result: as JSON if asked for, else these lines."""
        if self.as_json:
            _write_json(values)
        else:
            for line in lines:
                write(self.out, line)

    def note(self, line: str) -> None:
        """Say something beside the result."""
        write(self.err, f"[yellow]{line}[/]")

    def more(self, following: str | None) -> None:
        """Say how to see the next page, if there is one; JSON has it under ``next``."""
        if following is not None:
            self.note(f"For the next ones run this again with --after {quoted(following)}")

    def list(self, what: str, files: Sequence[tuple[str, str, str]]) -> None:
        """Say what became of files (path, code, reason): each, or by their code if there are many.

        JSON and the report always have each of them.
        """
        if len(files) <= _FEW:
            for path, code, reason in files:
                self.note(f"{what}: {escape(path)}: {code}: {escape(reason)}")
            return
        for code in sorted({code for _, code, _ in files}):
            same = [(path, reason) for path, other, reason in files if other == code]
            paths = ", ".join(escape(path) for path, _ in same[:_FEW])
            more = f" and {len(same) - _FEW} more" if len(same) > _FEW else ""
            self.note(f"{what}: {many(len(same), 'file')}: {code}: {escape(same[0][1])}")
            self.note(f"  {paths}{more}")

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on only with a yes: asked on a terminal, required as ``--yes`` elsewhere.

        Raises:
            NotConfirmed: there was none.
        """
        if yes or (sys.stdin.isatty() and _agreed(question)):
            return
        raise NotConfirmed(
            expected="a yes",
            found="none",
            remedy="Pass --yes if you are sure; nothing was changed.",
        )

    @contextmanager
    def progress(self, what: str) -> Iterator["Progress"]:
        """A bar on a terminal, nothing elsewhere."""
        from sayso.services.ports import unwatched

        if not self.err.is_terminal:
            yield unwatched
            return
        from rich import progress as bars

        with bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=self.err,
            transient=True,
        ) as shown:
            task = shown.add_task(what, total=None)
            yield lambda done, total: shown.update(task, completed=done, total=total)


def write(console: "Console", line: str) -> None:
    """Print one line; a terminal gets it broken between words, unless that would cut a path."""
    from rich.text import Text

    words = Text.from_markup(line).plain.split()
    fits = all(len(word) <= console.width for word in words)
    console.print(line, soft_wrap=not (console.is_terminal and fits))


def escape(text: str) -> str:
    """A name or path for a line of ours: all that is in it shows, and does nothing."""
    from rich import markup

    return markup.escape(_visible(text))


def quoted(text: str) -> str:
    """A text for a line of ours, as a shell takes it for one word."""
    return escape(shlex.quote(text))


def many(number: int, noun: str) -> str:
    """A number with its noun: 1 face, 2 faces."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def default_folder() -> Path:
    """Where the workspace is unless somebody says otherwise."""
    named = os.environ.get("SAYSO_WORKSPACE")
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_data_dir("sayso"))


@contextmanager
def session(context: typer.Context, folder: Path | None, as_json: bool) -> Iterator[Session]:
    """Run a verb; turn errors into a message, JSON and the exit status."""
    before = context.ensure_object(dict)
    chosen = folder or before.get("workspace") or default_folder()
    run = Session(chosen, as_json or bool(before.get("json")))
    try:
        yield run
    except SaysoError as error:
        _fail(run, error.reason_code, error.reason)
        raise typer.Exit(error.exit_status) from error
    except UnicodeEncodeError as error:
        malformed = SettingMalformed(
            expected="text in UTF-8",
            found=ascii(error.object[error.start : error.end]),
            remedy="Write names and paths in UTF-8; nothing was changed.",
        )
        _fail(run, malformed.reason_code, malformed.reason)
        raise typer.Exit(malformed.exit_status) from error
    except KeyboardInterrupt:
        _fail(run, INTERRUPTED, "Interrupted. What was done is kept; run it again to go on.")
        raise typer.Exit(1) from None
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        _fail(run, DiskFull.code if full else OutputRefused.code, f"{error}. Nothing was lost.")
        raise typer.Exit(1) from error
    finally:
        if "workspace" in run.__dict__:
            run.workspace.close()


def _agreed(question: str) -> bool:
    try:
        return bool(typer.confirm(_visible(question), err=True))
    except typer.Abort:  # the end of input, or an interruption, is no yes
        return False


def _fail(run: Session, code: str, reason: str) -> None:
    if run.as_json:
        _write_json({"error": {"code": code, "reason": reason}})
    write(run.err, f"[bold red]{code}[/]: {escape(reason)}")


def _write_json(values: Mapping[str, object]) -> None:
    """As UTF-8 where the stream takes every letter of it, else in ASCII with escapes."""
    text = json.dumps(values, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(values)
    # Written out now: a reader that has gone is met here, not when Python ends.
    print(text, flush=True)  # noqa: T201 - the result


def _visible(text: str) -> str:
    """A text in which control characters do nothing but show."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )
