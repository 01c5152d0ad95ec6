"""What the documents say of settings, errors and the command line is what the program has."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from sayso import errors
from sayso.cli.app import app
from sayso.domain.policy import Reason
from sayso.settings import TABLE

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    rows = re.findall(
        r"^\| `([a-z_]+)` \| `(.*?)` \| (.*) \|$",
        (REFERENCE / "settings.md").read_text("utf-8"),
        re.MULTILINE,
    )
    expected = [
        (row.name, '""' if row.default == "" else str(row.default), row.help) for row in TABLE
    ]
    assert rows == expected


def codes() -> set[str]:
    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    return {c.code for c in classes if issubclass(c, errors.SaysoError)} | set(Reason)


def test_every_code_is_documented() -> None:
    said = set(re.findall(r"`([a-z_]+)`", (REFERENCE / "errors.md").read_text("utf-8")))
    assert codes() - said == set()


def test_the_documented_codes_exist() -> None:
    listed = re.findall(
        r"^\| `([a-z_]+)` \|", (REFERENCE / "errors.md").read_text("utf-8"), re.MULTILINE
    )
    elsewhere = {"consent", "no_permit", "doubtful", "objection", "perhaps_a_face", "interrupted"}
    assert set(listed) - codes() - elsewhere == set()


def verbs() -> Iterator[tuple[str, list[str]]]:
    def walk(command: object, name: str) -> Iterator[tuple[str, list[str]]]:
        inner = getattr(command, "commands", None)
        if inner is not None:
            for part, one in inner.items():
                yield from walk(one, f"{name} {part}")
            return
        options = [option for one in getattr(command, "params", ()) for option in one.opts]
        yield name, [option for option in options if option.startswith("--")]

    yield from walk(typer.main.get_command(app), "sayso")


def test_every_verb_and_option_is_documented() -> None:
    sections: dict[str, str] = defaultdict(str)
    for part in re.split(r"^### `", (REFERENCE / "cli.md").read_text("utf-8"), flags=re.MULTILINE):
        verb = re.match(r"[a-z ]+[a-z]", part)
        sections[verb[0] if verb else ""] += part
    shared = {"--workspace", "--json", "--help", "--version"}
    missing = [
        (verb, option)
        for verb, options in verbs()
        for option in options
        if option not in shared
        and f"\n| `{option}" not in sections.get(verb, "")
        and f" {option} " not in sections.get(verb, "")  # of `enrol --csv FILE`, the heading
    ]
    unwritten = {verb for verb, _ in verbs()} - sections.keys()
    assert (unwritten, missing) == (set(), [])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
