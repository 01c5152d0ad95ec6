"""The program as its callers see it: arguments in; exit status, standard output and error out."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parent.parent / "src"


@dataclass(frozen=True, slots=True)
class Ran:
    """One run that ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        """Standard output, which is one line of JSON and nothing else."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def code(self) -> str:
        """The reason code of an error printed as JSON, which is told to people as well."""
        [(key, error)] = self.json.items()
        assert key == "error"
        assert set(error) == {"code", "reason"}
        assert self.err.startswith(f"{error['code']}: Expected "), self.err
        assert error["reason"].startswith("Expected ")
        return str(error["code"])


class Program:
    """Runs ``python -m sayso``. Every run keeps the contract's rules for all verbs.

    Args:
        home: an empty home folder.
        cache: for prepared models, shared by all runs.
    """

    def __init__(self, home: Path, cache: Path) -> None:
        self.environment = {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(SOURCES),
            "PYTHONWARNINGS": "error",
            "SAYSO_CACHE": str(cache),
        }
        self.home = home
        self._server = subprocess.Popen(  # noqa: S603 - this Python, this folder's script
            [sys.executable, HERE / "forking.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
        )

    def __call__(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Ran:
        """Run a verb to its end, away from any terminal."""
        with tempfile.TemporaryDirectory() as streams:
            out, err = Path(streams, "out"), Path(streams, "err")
            status = self._ask(
                {
                    "arguments": [os.fsencode(argument).hex() for argument in arguments],
                    "environment": {**self.environment, **(environment or {})},
                    "folder": str(folder or self.home),
                    "out": str(out),
                    "err": str(err),
                }
            )
            ran = Ran(status, out.read_text("utf-8"), err.read_text("utf-8"))
        keep_the_contract(ran, as_json="--json" in arguments)
        return ran

    def _ask(self, wanted: Mapping[str, object]) -> int:
        server = self._server
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(wanted).encode() + b"\n")
        server.stdin.flush()
        return int(server.stdout.readline())

    def process(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - Popen's own
        """Start the program as any caller would, in a new Python."""
        options = {"env": self.environment, "cwd": self.home, **options}
        command = [sys.executable, "-m", "sayso", *arguments]
        return subprocess.Popen(command, **options)  # noqa: S603 - this Python and this program

    @contextlib.contextmanager
    def on_a_terminal(self, *arguments: str | Path) -> "Iterator[Terminal]":
        """Start the program with a terminal for its input and its messages."""
        ours, theirs = pty.openpty()
        with _heard(signal.SIGINT, signal.SIGHUP):
            process = self.process(
                *arguments,
                stdin=theirs,
                stderr=theirs,
                stdout=subprocess.PIPE,
                start_new_session=True,
                env={**self.environment, "TERM": "xterm", "COLUMNS": "100"},
            )
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            process.communicate()
            os.close(ours)

    def close(self) -> None:
        """End the server."""
        self._server.communicate()


@contextlib.contextmanager
def _heard(*signals: signal.Signals) -> Iterator[None]:
    """What starts meanwhile hears these, even where the tests run in the background."""
    before = {one: signal.signal(one, signal.SIG_DFL) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class Terminal:
    """A terminal at which the program sits."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int) -> None:
        self.process = process
        self.shown = ""
        self._ours = ours

    def until(self, pattern: str, *, at_most_s: float = 120.0) -> Self:
        """Read until something is shown."""
        end = time.monotonic() + at_most_s
        while not re.search(pattern, self.shown):
            assert time.monotonic() < end, self.shown
            if not self._read():
                assert re.search(pattern, self.shown), self.shown
        return self

    def type(self, text: str) -> None:
        """Type, as a person would."""
        os.write(self._ours, text.encode())

    def ended(self) -> Ran:
        """Read on to the end."""
        end = time.monotonic() + 120
        while self._read():
            assert time.monotonic() < end, self.shown
        assert self.process.stdout is not None
        out = self.process.stdout.read().decode()
        return Ran(self.process.wait(timeout=60), out, self.shown)

    def _read(self) -> bool:
        """Read what is there; whether more may come."""
        if not select.select([self._ours], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux's word for: nobody writes here any more
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)


def keep_the_contract(ran: Ran, *, as_json: bool) -> None:
    """What holds for every verb, whatever it was asked."""
    assert ran.status in {0, 1, 2, 3}, ran
    assert "Traceback" not in ran.err, ran.err
    assert "Traceback" not in ran.out, ran.out
    if ran.status in {1, 3}:
        assert ran.err, "an error that no person is told of"
    if as_json and ran.status != 2:
        assert isinstance(ran.json, dict)


@dataclass(frozen=True, slots=True)
class Desk:
    """The program at one workspace, spoken to in JSON."""

    program: Program
    workspace: Path

    def __call__(self, *arguments: str | Path) -> Any:  # noqa: ANN401 - whatever the verb prints
        """Run a verb that is to succeed; gives what it printed."""
        ran = self.program(*arguments, "--json", "--workspace", self.workspace)
        assert ran.status == 0, ran
        return ran.json

    def refused(self, *arguments: str | Path, status: int = 1) -> str:
        """Run a verb that is to fail; gives the reason code."""
        ran = self.program(*arguments, "--json", "--workspace", self.workspace)
        assert ran.status == status, ran
        return ran.code


NewDesk = Callable[[], Desk]
"""Makes a desk at a new, empty workspace."""
