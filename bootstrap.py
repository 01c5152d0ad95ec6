"""Set Sayso up beside this file and run it: needs only Python 3.11 or newer, and pip.

    python3 bootstrap.py demo [options of `sayso demo`]
    python3 bootstrap.py test [options of pytest]

The first run makes a virtual environment in the folder .venv and installs the locked packages,
each checked by its SHA-256, then Sayso itself. Later runs find the stamp of the first one and
install nothing, so that they also work without a network. Outside this folder only pip's own
cache changes.
"""

# Only the standard library, and only syntax that Python 3.8 reads: an old Python shall get a
# sentence, not a syntax error.
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# The lock for tests holds every line of the lock for running, so its stamp counts for both.
LOCKS = {"demo": ROOT / "requirements.lock", "test": ROOT / "requirements-dev.lock"}
PROGRAMS = {"demo": ("sayso", "demo"), "test": ("pytest",)}

# Wheels only: building from source would fetch build tools that no hash covers. The lock is
# complete, so nothing outside it may come in as a dependency; what was left out of it on purpose
# (a package that reports on its user over the network; docs/decisions/0004) stays out.
LOCK_OPTIONS = ("install", "--require-hashes", "--only-binary", ":all:", "--no-deps")
PROJECT_OPTIONS = ("install", "--no-index", "--no-deps", "--no-build-isolation", "--editable")

# What in a person's own settings would make pip or Python look or write elsewhere.
UNWANTED = ("PIP_CONSTRAINT", "PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PYTHONHOME", "PYTHONPATH")

NO_PIP = (
    "There is no pip for this Python. Install it with your system's packages (on Debian and "
    "Ubuntu: apt install python3-venv), then run the same command again."
)
NO_ENVIRONMENT = (
    "The virtual environment could not be made; the reason stands before this. Check that this "
    "folder may be written and that the disk has 2 GB free, then run the same command again."
)
NO_PACKAGES = (
    "The packages could not be installed; pip gives the reason above. Check that pip reaches a "
    "package index (PIP_INDEX_URL names another one) and that the disk has 2 GB free. Where it "
    "finds no matching distribution, there is no ready-built wheel for this Python or machine: "
    "use CPython 3.11, 3.12 or 3.13. Then run the same command again."
)
NO_PROJECT = (
    "Sayso itself could not be installed; pip gives the reason above. If files of this folder "
    "are missing, clone it afresh. Then run the same command again."
)


class SetupError(Exception):
    """A step failed; the text is a sentence on what to do next."""


class Ending(NamedTuple):
    """How a program ended, and all that it said."""

    status: int
    output: str


def main(arguments: list[str]) -> int:
    """Install what the verb needs, run the verb, and return its exit status."""
    if sys.version_info < OLDEST:
        say(too_old())
        return 1
    if not arguments or arguments[0] not in LOCKS:
        asked = arguments[:1] in (["-h"], ["--help"])
        print(__doc__.strip(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    verb, passed_on = arguments[0], arguments[1:]
    try:
        install(verb)
    except SetupError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"{error}. {NO_ENVIRONMENT}")
        return 1
    return run_verb(verb, passed_on)


def too_old() -> str:
    """What to say to a Python that cannot run Sayso."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    newer = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    instead = f"use {newer[0]} instead" if newer else "install a newer one and use that"
    return f"Sayso needs Python 3.11 or newer and this is {found}: {instead}."


def say(line: str) -> None:
    """Print one line for whoever waits, at once."""
    print(f"sayso: {line}", file=sys.stderr, flush=True)


def install(verb: str) -> None:
    """Bring .venv to what the lock of this verb says, unless it is there already."""
    if is_installed(verb):
        return
    if not is_usable():
        make_environment()
    pip = find_pip()
    stamp_file().unlink(missing_ok=True)
    say("installing the locked packages, each checked by its hash (the first time, minutes)")
    require(run([*pip, *LOCK_OPTIONS, "-r", str(LOCKS[verb])]), NO_PACKAGES)
    say("installing Sayso itself from this folder")
    require(run([*pip, *PROJECT_OPTIONS, str(ROOT)]), NO_PROJECT)
    verbs = ("demo", "test") if verb == "test" else (verb,)
    stamp_file().write_text("\n".join(map(stamp, verbs)), encoding="utf-8")


def stamp_file() -> Path:
    """Where the stamps of finished installations stand."""
    return VENV / "sayso-installed"


def stamp(verb: str) -> str:
    """What an installation depends on, as one hash: it changes when that changes."""
    digest = hashlib.sha256(repr((verb, place())).encode())
    for path in (LOCKS[verb], ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def place() -> str:
    """Where the environment lies and of which Python it is: neither can change afterwards."""
    return f"{VENV} {sys.version_info[0]}.{sys.version_info[1]}"


def is_installed(verb: str) -> bool:
    """Whether .venv holds what this verb needs, by its stamp."""
    if not PYTHON.exists() or not stamp_file().exists():
        return False
    return stamp(verb) in stamp_file().read_text(encoding="utf-8").split()


def is_usable() -> bool:
    """Whether .venv is an environment made here, of this Python, that still starts."""
    marker = VENV / "sayso-place"
    if not marker.exists() or marker.read_text(encoding="utf-8") != place():
        return False
    return PYTHON.exists() and run([str(PYTHON), "-c", ""]).status == 0


def make_environment() -> None:
    """Make .venv anew; without pip inside where the system's Python cannot put it there."""
    say(f"making a virtual environment in {VENV}")
    venv = [sys.executable, "-m", "venv", "--clear"]
    made = run([*venv, str(VENV)])
    if made.status != 0:  # Debian without python3-venv; find_pip knows the other way
        made = run([*venv, "--without-pip", str(VENV)])
    require(made, NO_ENVIRONMENT)
    (VENV / "sayso-place").write_text(place(), encoding="utf-8")


def find_pip() -> list[str]:
    """The pip inside .venv, or this Python's own pip pointed at .venv."""
    inside = [str(PYTHON), "-m", "pip"]
    outside = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    for pip in (inside, outside):
        if run([*pip, "--version"]).status == 0:
            return pip
    raise SetupError(NO_PIP)


def require(ending: Ending, remedy: str) -> None:
    """Show all that a failed program said, and stop."""
    if ending.status != 0:
        print(ending.output, file=sys.stderr, flush=True)
        raise SetupError(remedy)


def run(command: list[str]) -> Ending:
    """Run a program to its end; on a terminal, show its latest line meanwhile."""
    lines = []
    with subprocess.Popen(
        command,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            show_passing(line)
    show_passing("")
    return Ending(process.returncode, "".join(lines))


def show_passing(line: str) -> None:
    """Show a line on the terminal until the next one takes its place."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r\033[K" + line.strip()[:width])
        sys.stderr.flush()


def environment() -> dict[str, str]:
    """The environment variables of this process, without what would lead pip astray."""
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    return {**kept, "PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run_verb(verb: str, passed_on: list[str]) -> int:
    """Run the verb's program, with this terminal as its own, and return its exit status."""
    command = [str(PYTHON), "-m", *PROGRAMS[verb], *passed_on]
    folder = ROOT if verb == "test" else None
    status = subprocess.run(command, env=environment(), cwd=folder, check=False).returncode
    return status if status >= 0 else 128 - status  # a signal's number, as shells give it


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
