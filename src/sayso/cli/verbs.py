"""How the verbs are listed."""

from typing import Any

from typer.core import TyperGroup

_WHOLE = 1000
"""Letters of a verb's sentence; longer than any, so that none is cut short."""


class Verbs(TyperGroup):
    """Verbs under their headings, as plain text: loading Rich would double the start (0016)."""

    def format_commands(
        self,
        ctx: Any,  # noqa: ANN401, ARG002 - as inherited; Typer has no public name for its class
        formatter: Any,  # noqa: ANN401 - likewise
    ) -> None:
        """Write each heading with its verbs, both in the order in which they were added."""
        headings: dict[str, list[tuple[str, str]]] = {}
        for name, verb in self.commands.items():
            heading = getattr(verb, "rich_help_panel", None) or "Commands"
            headings.setdefault(heading, []).append((name, verb.get_short_help_str(_WHOLE)))
        for heading, verbs in headings.items():
            with formatter.section(heading):
                formatter.write_dl(verbs)
