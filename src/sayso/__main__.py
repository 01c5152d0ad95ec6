"""``python -m sayso``, and the command ``sayso``."""

from contextlib import suppress

from sayso.cli.app import app


def main() -> None:
    """Run the command line."""
    leave_no_core()
    app(prog_name="sayso")


def leave_no_core() -> None:
    """A crash, in a decoder say, writes no memory to the disk: features and keys are in there.

    The limit is 1, not 0: at 0 Linux still hands the memory to a program that collects crashes
    (core(5); kernel/fs/coredump.c).
    """
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - Windows has none

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard if hard == 0 else 1, hard))


if __name__ == "__main__":
    main()
