"""What is left on the disk of somebody who was erased, withdrew or ran out of time: nothing.

The search is a script of its own (`byte_search`), which uses no line of Sayso's code.
"""

import base64
import html
import io
import json
import sqlite3
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sayso import open_workspace
from sayso.services.scene import Scene

from .program import Program

SEARCH = Path(__file__).with_name("byte_search.py")
NAME = "Zoë  Müßiggang-Ångström"
PHONE, ADDRESS = "+49 30 5550 1997-22", "Löwengaßchen 7a <Hof & Garten>, Zwölfaxing"
GUARDIAN, BORN = "Žofie Řeháčková", "2016-02-29"
ALL = ("recognise", "find", "name:staff", "publish:website", "publish:print")


@dataclass
class Watched:
    """A workspace in which somebody was, with all that could give them away."""

    program: Program | None
    root: Path
    person: str = ""
    secrets: dict[str, list[str]] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    vectors: list[list[float]] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def places(self) -> list[Path]:
        return [self.workspace, self.root / "cache", self.root / "temp", self.root / "out"]

    @property
    def environment(self) -> Mapping[str, str]:
        temp = self.root / "temp"
        temp.mkdir(exist_ok=True)
        return {"SAYSO_CACHE": str(self.root / "cache"), "TMPDIR": str(temp)}

    def __call__(self, *arguments: str | Path, status: int = 0) -> Any:  # noqa: ANN401 - JSON
        assert self.program is not None
        ran = self.program(
            *arguments, "--json", "--workspace", self.workspace, environment=self.environment
        )
        assert ran.status == status, ran
        return ran.json

    def learn(self) -> None:
        """What is looked for afterwards: the opened template, the sealed row, the keys."""
        with closing(sqlite3.connect(self.workspace / "sayso.sqlite")) as raw:
            query = "SELECT id, sealed FROM templates WHERE person_id = ?"
            rows = raw.execute(query, (self.person,)).fetchall()
        with closing(sqlite3.connect(self.workspace / "keys.sqlite")) as raw:
            query = "SELECT wrapped FROM data_keys WHERE person_id = ?"
            [[wrapped]] = raw.execute(query, (self.person,)).fetchall()
        assert rows
        opened = open_workspace(self.workspace, self.environment)
        vault = opened.repository.vault
        for row, sealed in rows:
            plain = vault.open_template(self.person, row, sealed)
            self.vectors.append([float(value) for value in np.frombuffer(plain, "<f4")])
        opened.close()
        self.secrets = {
            "the sealed template": [sealed.hex() for _, sealed in rows],
            "the wrapped data key": [wrapped.hex()],
        }
        self.ids = {"the template's id": [row for row, _ in rows]}

    def found(self, texts: Mapping[str, list[str]], *more: Path) -> set[tuple[str, str]]:
        """Kind and file of each find, by the script, in a process of its own."""
        facts = {
            "texts": {**texts, **self.ids},
            "secrets": self.secrets,
            "vectors": self.vectors,
        }
        wanted = self.root / "wanted.json"
        wanted.write_text(json.dumps(facts), "utf-8")
        command = [sys.executable, "-I", *map(str, (SEARCH, wanted, *self.places, *more))]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        assert ran.returncode in {0, 1}, ran.stderr
        lines = [line.split("\t") for line in ran.stdout.splitlines()]
        assert bool(lines) == bool(ran.returncode)
        return {(kind, file) for kind, file, _ in lines}


EVERYTHING = {
    "the name": [NAME],
    "the phone": [PHONE],
    "the address": [ADDRESS],
    "the guardian": [GUARDIAN],
    "the date of birth": [BORN],
}


@pytest.fixture
def watched(program: Program, scene: Scene, tmp_path: Path) -> Watched:
    """Somebody who was enrolled, found, named, marked, shown and given what is theirs."""
    one = Watched(program, tmp_path)
    one("init")
    one("collection", "add", "space", scene.photographs, "--purpose", "newsletter",
        "--recognise", "group", "--basis", "DPIA 1")  # fmt: skip
    grants = [part for grant in ALL for part in ("--grant", grant)]
    evidence = tmp_path / "forms" / f"{unicodedata.normalize('NFD', NAME)}.txt"
    evidence.parent.mkdir()
    evidence.write_text("the signed form", "utf-8")
    one.person = one(
        "enrol", NAME, scene.collins, *grants, "--evidence", evidence,
        "--field", f"phone={PHONE}@staff", "--field", f"address={ADDRESS}@staff",
        "--guardian", GUARDIAN, "--relation", "mother", "--verified-by", "passport",
        "--born", BORN, "--jurisdiction", "AT",
    )["person"]  # fmt: skip
    one("enrol", "Grace Hopper", scene.hopper, "--grant", "recognise", "--grant", "find",
        "--evidence", scene.form)  # fmt: skip
    one("scan", "space")
    named = one("identify", scene.together, "--collection", "space", "--audience", "staff")
    assert "Zoë" in json.dumps(named, ensure_ascii=False)
    assert one("find", one.person)["photos"]
    faces = one("screen", "space", "--channel", "website")["photos"]
    first = next(photo for photo in faces if photo["faces"])
    one("mark", first["path"], first["faces"][0]["id"], one.person)
    one("receipt", one.person, tmp_path / "receipt.json")
    one("access", one.person, tmp_path / "access.zip", "--yes")
    one("publish", "space", tmp_path / "out" / "site", "--channel", "website")
    one("people")
    one("backup", tmp_path / "backup.zip")
    one.learn()
    return one


def kinds(found: set[tuple[str, str]]) -> set[str]:
    return {kind.partition(",")[0] for kind, _ in found}


TEMPLATE = {"the sealed template", "the wrapped data key", "the template's id"}


def test_after_erase_no_byte_of_the_person_is_left(watched: Watched) -> None:
    texts = {**EVERYTHING, "the person's id": [watched.person]}
    assert kinds(watched.found(texts)) >= {*texts, *TEMPLATE}
    watched("withdraw", watched.person, "--purpose", "find")
    gone = watched("erase", watched.person, "--yes")
    assert gone["certificate"]["read_back"]["found"] == 0
    assert watched.found(texts) == set()
    # Nor does the backup that was made before bring any of it back; its own bytes are as they were.
    assert watched("restore", watched.root / "backup.zip", "--yes")["erased_again"] == 1
    assert watched.found(texts) == set()
    assert watched("people")["people"]


def data_keys_to_be_had(root: Path, person: str) -> int:
    """At how many places of any database, journal or log the workspace key opens a data key."""
    key = AESGCM(base64.b64decode((root / "workspace" / "workspace.key").read_bytes()))
    named = f"sayso v1\x00data key\x00{person}".encode()
    opened = 0
    for file in root.rglob("*.sqlite*"):
        data = file.read_bytes()
        for at in range(len(data) - 59):
            with suppress(InvalidTag):
                key.decrypt(data[at : at + 12], data[at + 12 : at + 60], named)
                opened += 1
    return opened


def test_with_the_disk_the_key_and_an_old_backup_an_erased_template_opens_no_more(
    watched: Watched,
) -> None:
    with zipfile.ZipFile(watched.root / "backup.zip") as archive:
        archive.extractall(watched.root / "theirs")
    with closing(sqlite3.connect(watched.root / "theirs" / "sayso.sqlite")) as raw:
        query = "SELECT count(*) FROM templates WHERE person_id = ?"
        assert raw.execute(query, (watched.person,)).fetchone() == (1,)
    assert data_keys_to_be_had(watched.root, watched.person)
    watched("erase", watched.person, "--yes")
    assert data_keys_to_be_had(watched.root, watched.person) == 0


def test_after_withdraw_no_byte_of_the_template_is_left(watched: Watched) -> None:
    assert kinds(watched.found({})) == TEMPLATE
    assert watched("withdraw", watched.person, "--purpose", "recognise")["templates_destroyed"] == 1
    assert watched.found({}) == set()
    assert kinds(watched.found(EVERYTHING)) == set(EVERYTHING)  # it was no erasure
    watched("audit", "verify")


def test_after_retention_no_byte_of_the_template_is_left(watched: Watched) -> None:
    assert kinds(watched.found({})) == TEMPLATE

    def in_four_years() -> datetime:
        return datetime.now(UTC) + timedelta(days=4 * 366)

    workspace = open_workspace(watched.workspace, watched.environment, clock=in_four_years)
    assert watched.person in {one.person for one in workspace.retention().templates}
    workspace.close()
    assert watched.found({}) == set()
    assert kinds(watched.found(EVERYTHING)) == set(EVERYTHING)


NUMBERS = np.random.default_rng(3).normal(size=128).astype(np.float32) / 8


def test_the_search_finds_eight_values_of_a_vector(tmp_path: Path) -> None:
    one = Watched(None, tmp_path, vectors=[NUMBERS.tolist()])
    one.workspace.mkdir()
    for kind in ("<f4", ">f4", "<f2", ">f2", "<f8", ">f8"):
        for start in (0, 1, 58, 120):
            piece = NUMBERS[start : start + 8].astype(kind).tobytes()
            shifted = (base64.b64encode(bytes(shift) + piece + b"after") for shift in range(3))
            forms = (piece, piece.hex().encode(), piece.hex().upper().encode(), *shifted)
            for number, form in enumerate(forms):
                file = one.workspace / f"{kind[1:]}-{kind[0] == '<'}-{start}-{number}"
                file.write_bytes(b"\x00" * 4093 + form)
    files = {str(file) for file in one.workspace.iterdir()}
    assert {file for _, file in one.found({})} == files
    assert len(files) == 6 * 4 * 6


def test_the_search_finds_a_name_however_it_is_written(tmp_path: Path) -> None:
    one = Watched(None, tmp_path)
    one.workspace.mkdir()
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    for form in forms:
        name = unicodedata.normalize(form, NAME)
        for number, written in enumerate(
            (
                name.encode(),
                name.encode("utf-16-le"),
                name.encode("utf-16-be"),
                NAME.encode("latin-1"),
                json.dumps(name).encode(),
                quote(name).encode(),
                quote(name).lower().encode(),
                html.escape(name).encode(),
                b"x" + base64.b64encode(name.encode()),
                name.encode().hex().encode(),
                name.split()[-1].upper().encode(),
                zipped(name.encode()),
            )
        ):
            (one.workspace / f"{form}-{number}").write_bytes(b"called " + written)
    files = {str(file) for file in one.workspace.iterdir()}
    found = one.found({"the name": [NAME]})
    assert {file.removesuffix(":page") for _, file in found} == files
    assert len(files) == 24


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("page", data * 9)
    return buffer.getvalue()


def test_the_search_finds_a_name_in_a_files_name_and_nothing_where_nothing_is(
    tmp_path: Path,
) -> None:
    one = Watched(None, tmp_path, vectors=[NUMBERS.tolist()])
    one.workspace.mkdir()
    other = (NUMBERS[::-1].tobytes(), "Zoe Mussiggang".encode("utf-16-le"))
    (one.workspace / "free page").write_bytes(b"".join(other))
    assert one.found({"the name": [NAME]}) == set()
    (one.workspace / f"{NAME}.jpg").write_bytes(b"")
    assert kinds(one.found({"the name": [NAME]})) == {"the name"}
