"""``python -m sayso``, and the command ``sayso``."""

from sayso.cli.app import app


def main() -> None:
    """Run the command line."""
    app(prog_name="sayso")


if __name__ == "__main__":
    main()
