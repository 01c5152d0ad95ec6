"""A workspace with real tables, keys, decoding and covering, in a world that tests can change."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from sayso.domain.calibration import Calibration
from sayso.domain.event import Evidence
from sayso.domain.face import FaceId
from sayso.domain.grant import Audience, Channel, Grant
from sayso.domain.matching import Promise
from sayso.domain.person import ProfileField
from sayso.domain.photo import Recognition
from sayso.domain.screening import CoverStyle, Perhaps
from sayso.domain.sighting import Sighting
from sayso.errors import FolderMissing, PhotographUnreadable, PhotographVanished
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.entry import Entry
from sayso.ledger.journal import Journal
from sayso.services.book import Book
from sayso.services.catchup import CatchUp
from sayso.services.declare import Declare
from sayso.services.enrol import Enrol, Enrolled
from sayso.services.enrolment import Enrolment, Image
from sayso.services.eye import Eye
from sayso.services.find import FindPhotographs
from sayso.services.galleries import Galleries
from sayso.services.identify import IdentifiedFace, Identify, Verify
from sayso.services.judge import Judge
from sayso.services.limits import Standard
from sayso.services.ports import FaceDetector, FaceEmbedder
from sayso.services.publication import Publication
from sayso.services.publish import Publish
from sayso.services.recognition import Recogniser
from sayso.services.rights import Rights
from sayso.services.scan import Scan
from sayso.services.screen import Screen
from sayso.services.scrutiny import Looking, Scrutinise, is_waiting
from sayso.sources.source import SourceFile
from sayso.store.database import Database
from sayso.store.photographs import Photograph
from sayso.store.repository import Repository, Unit
from sayso.store.sealing import WorkspaceKey
from sayso.store.tables import metadata
from sayso.vision.decode import DecodeLimits

from ..store.kept import fresh  # noqa: TID252 - the tests are no package with a name of its own
from .drawing import DIMENSION, DrawnFaces, DrawnFeatures, portrait

STAFF, PUBLIC = Audience("staff"), Audience("public")
WEBSITE = Channel("website")
MODEL = "ab" * 32
WORKERS = 2
_CALIBRATION = Calibration(mean=0.1845, deviation=0.0371, probe_deviation=0.0, bend=0.0)
_FIRST_DAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


class HandClock:
    """A clock that goes only when told to."""

    def __init__(self) -> None:
        self.now = _FIRST_DAY

    def __call__(self) -> datetime:
        return self.now

    def forward(self, *, days: float = 0, seconds: float = 0) -> None:
        self.now += timedelta(days=days, seconds=seconds)


class FakeSource:
    """Photographs in memory. ``on_read`` is called with each path before it is read."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.on_read: Callable[[str], None] = lambda _path: None
        self.vanishing: set[str] = set()
        self.refusing: set[str] = set()
        self.away = False
        self._files: dict[str, tuple[bytes, int]] = {}
        self._stamp = 0
        self._lock = threading.Lock()

    def put(self, path: str, data: bytes) -> None:
        self._stamp += 1
        self._files[path] = (data, self._stamp)

    def take(self, path: str) -> bytes:
        return self._files.pop(path)[0]

    def overwrite(self, path: str, data: bytes) -> None:
        """Other bytes, of which neither size nor time tells."""
        self._files[path] = (data, self._files[path][1])

    def files(self) -> Iterator[SourceFile]:
        if self.away:
            raise FolderMissing(expected="a folder", found="nothing", remedy="Connect the drive.")
        for path, (data, stamp) in sorted(self._files.items()):
            yield SourceFile(path, len(data), stamp)

    def read(self, path: str, *, max_bytes: int) -> bytes:
        assert len(self._files.get(path, (b"", 0))[0]) <= max_bytes
        with self._lock:
            self.reads.append(path)
        self.on_read(path)
        if path in self.vanishing or path not in self._files:
            raise PhotographVanished(expected=path, found="nothing", remedy="Scan again.")
        if path in self.refusing:
            raise PhotographUnreadable(expected=path, found="no right", remedy="Give it.")
        return self._files[path][0]


class World:
    """Services over one workspace; ``beside`` gives the same as another process sees it."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a world is made of
        self,
        folder: Path,
        key: WorkspaceKey,
        clock: HandClock,
        sources: dict[str, FakeSource],
        detector: FaceDetector | None = None,
        operator: str = "account-7",
    ) -> None:
        self.folder = folder
        self.model = MODEL
        self.clock = clock
        self.key = key
        self.sources = sources
        self.database = Database(folder / "sayso.sqlite")
        self.repository = Repository(self.database, key)
        self.detector = DrawnFaces()
        self.embedder = DrawnFeatures()
        self.quick: FaceEmbedder | None = None
        self.slack = 0.0
        self.loads = 0
        self.galleries = Galleries()
        self.eye = Eye(detector or self.detector, DecodeLimits(10_000_000, 10_000_000), 16.0)
        kept, eye, load = self.repository, self.eye, self.load_recogniser
        signing = _signing(self.repository)
        self.book = book = Book(kept, folder / "ledger", signing, operator, clock)
        self.declare = Declare(kept, book, clock)
        self.enrolling = Enrol(kept, book, eye, load, clock)
        self.scan = Scan(kept, book, eye, load, self._source, clock, WORKERS)
        self.catch_up = CatchUp(kept, book, eye.limits, load, self._source, clock, WORKERS)
        self.identifying = Identify(kept, book, eye, load, clock)
        self.verify = Verify(kept, book, eye, load, self._source, clock)
        self.rights = Rights(kept, book, clock, let_go=self.galleries.let_go)
        self.scrutinise = Scrutinise(kept, book, eye, clock)
        self.promise_of(Promise(0.001, 0.1))

    @classmethod
    def create(cls, folder: Path, key: WorkspaceKey | None = None) -> "World":
        folder.mkdir()
        world = cls(folder, key or WorkspaceKey.generate(), HandClock(), {})
        world.database.path.write_bytes(fresh())
        Journal.create(folder / "ledger", _signing(world.repository), world.clock).close()
        return world

    def beside(self, operator: str = "account-7") -> "World":
        return World(self.folder, self.key, self.clock, self.sources, operator=operator)

    def promise_of(self, promise: Promise) -> None:
        """What the controller accepts from now on."""
        kept, book, clock = self.repository, self.book, self.clock
        self.promise = promise
        self.standard = standard = Standard(self.calibrations, promise)
        self.find = FindPhotographs(book, clock, standard)
        self.screen = Screen(kept, book, clock, Perhaps.COVER, standard)
        self.judge = Judge(book, clock, standard)
        self.publishing = Publish(
            kept, book, self.eye, self.scrutinise, self.screen, self._source, clock, WORKERS, "0"
        )

    def calibrations(self, _unit: Unit) -> Mapping[str, Calibration]:
        """What is known of the models in use."""
        return {self.model: _CALIBRATION}

    def load_recogniser(self) -> Recogniser:
        self.loads += 1
        return Recogniser(
            self.embedder,
            self.model,
            DIMENSION,
            _CALIBRATION,
            self.promise,
            self.galleries,
            self.quick,
            self.slack,
        )

    def _source(self, folder: str) -> FakeSource:
        return self.sources[Path(folder).name]

    def collection(
        self,
        name: str = "club",
        recognition: Recognition = Recognition.GROUP,
        *,
        retain_days: int | None = None,
        basis: str = "DPIA 7",
    ) -> FakeSource:
        """Declare a collection and give its photographs, none yet."""
        place = self.folder.parent / f"photographs-{name}"
        place.mkdir()
        source = self.sources[place.name] = FakeSource()
        self.declare(
            name,
            place,
            purpose="the yearbook",
            recognition=recognition,
            basis=basis if recognition is Recognition.GROUP else None,
            retain_days=retain_days,
        )
        return source

    def enrol(
        self, name: str, who: int, grants: str, *, fields: str = "", **changes: object
    ) -> Enrolled:
        """Enrol somebody with the portrait of ``who``; ``fields`` as ``phone=1@staff``."""
        return self.enrolling(enrolment(name, who, grants, fields=fields, **changes))

    def identify(
        self, data: bytes, audience: Audience = STAFF, collection: str = "club"
    ) -> tuple[IdentifiedFace, ...]:
        return self.identifying(data, collection=collection, audience=audience)

    def publish(
        self, folder: Path, style: CoverStyle = CoverStyle.FILL, collection: str = "club"
    ) -> Publication:
        return self.publishing(collection, folder, WEBSITE, style)[0]

    def look(self, name: str = "club") -> Looking:
        """Look thoroughly at a collection, as publication does, and make nothing of it."""
        screening = self.screen.unread(name, WEBSITE)
        with self.repository.reading() as unit:
            source = self._source(unit.collections.folder(name))
        with self.scrutinise.begin(screening, self.screen) as looking:
            for photograph in [one.photograph for one in screening.photographs if is_waiting(one)]:
                data = source.read(photograph.paths[0], max_bytes=self.eye.limits.max_bytes)
                looking(self.eye.picture(data), photograph)
        return looking

    def photographs(self, name: str = "club") -> list[Photograph]:
        """Every photograph of a collection that lies somewhere, by its first path."""
        with self.repository.reading() as unit:
            placed = unit.files.page(unit.collections.get(name).id, limit=10_000)
            known = unit.photographs.some(one.photo for one in placed)
        return [known[photo] for photo in dict.fromkeys(one.photo for one in placed)]

    def links(self, name: str = "club") -> Mapping[FaceId, tuple[Sighting, ...]]:
        """Whom the faces of a collection are linked to."""
        wanted = [photograph.id for photograph in self.photographs(name)]
        with self.repository.reading() as unit:
            return unit.sightings.of_photographs(wanted, self.standard(unit))

    def face(self, path: str, place: int = 0) -> str:
        """The id of a photograph's face, from left to right."""
        with self.repository.reading() as unit:
            photograph = unit.photographs.get(unit.files.at_path(path)[0][1])
            return sorted(photograph.faces, key=lambda stored: stored.face.box.x)[place].id

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table but those, and those facts, that keep account of the ledger."""
        with self.database.reading() as connection:
            rows: dict[str, list[tuple[object, ...]]] = {
                table.name: sorted(
                    (
                        tuple(row)
                        for row in connection.execute(sa.select(table))
                        if not (table.name == "facts" and str(row[0]).startswith("ledger_"))
                    ),
                    key=repr,
                )
                for table in metadata.sorted_tables
                if table.name not in {"carried_out", "concerned"}
            }
        keys = self.database.keys
        rows["data_keys"] = [(person, keys.wrapped(person)) for person in sorted(keys.holders())]
        return rows

    def entries(self) -> list[Entry]:
        """What the ledger says, oldest first."""
        with Journal.open(self.folder / "ledger", _signing(self.repository), self.clock) as journal:
            return list(journal.reader.entries())

    def count_entries(self) -> int:
        """How many entries the ledger has."""
        return len(self.entries())

    def count(self, table: str) -> int:
        return len(self.rows()[table])

    def on_disk(self) -> bytes:
        """Every byte of every file of the workspace."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return b"\x00\x00".join(path.read_bytes() for path in files)

    def close(self) -> None:
        self.database.close()


def _signing(repository: Repository) -> SigningKey:
    """The key of the workspace's ledger, or one of the tests' own where none was claimed."""
    workspace_id = repository.database.keys.fact("workspace_id")
    if workspace_id is None:
        return SigningKey.from_seed("sayso/tests", bytes(32))
    return SigningKey.from_seed(f"sayso/{workspace_id}", repository.vault.ledger_seed)


def enrolment(
    name: str, who: int, grants: str, *, fields: str = "", **changes: object
) -> Enrolment:
    """What somebody agreed to, with evidence of it."""
    asked = tuple(Grant.parse(grant) for grant in grants.split())
    wish = Enrolment(
        name=name,
        images=(Image(f"{name}.png", portrait(who)),),
        grants=asked,
        fields=tuple(_field(text) for text in fields.split()),
        evidence=form(name),
        jurisdiction="GB",
    )
    return replace(wish, **changes)  # type: ignore[arg-type] # a test names the facts it changes


def form(words: str) -> Evidence:
    """A signed form."""
    return Evidence(hashlib.sha256(words.encode()).hexdigest(), "signed form")


def _field(text: str) -> ProfileField:
    name, _, rest = text.partition("=")
    value, _, audience = rest.partition("@")
    return ProfileField(name, value, Audience(audience))
