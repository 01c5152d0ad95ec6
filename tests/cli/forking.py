"""Loads the program once and then runs it as often as asked, each time in a process of its own.

Started by `program.Program`. Each line on standard input asks for one run, each line on standard
output gives its exit status. What a run changes in memory ends with its process.
"""

import json
import os
import runpy
import sys
import traceback
from typing import Any

import sayso.cli.app  # noqa: F401 - loaded here, once


def run(wanted: dict[str, Any]) -> int:
    """Be the program: its folder, environment, arguments and streams; gives its exit status."""
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.argv = ["sayso", *(os.fsdecode(bytes.fromhex(a)) for a in wanted["arguments"])]
    streams = (
        (0, os.devnull, os.O_RDONLY),
        (1, wanted["out"], os.O_WRONLY | os.O_CREAT),
        (2, wanted["err"], os.O_WRONLY | os.O_CREAT),
    )
    for number, path, flags in streams:
        os.dup2(os.open(path, flags, 0o600), number)
    try:
        runpy.run_module("sayso", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself would end
        traceback.print_exc()
        return 1
    return 0


def serve() -> None:
    """Run what is asked for until nobody asks any more."""
    for line in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            status = run(json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    serve()
