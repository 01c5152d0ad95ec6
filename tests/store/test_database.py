import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sayso.errors import (
    DiskFull,
    SaysoError,
    WorkspaceBusy,
    WorkspaceDamaged,
    WorkspaceNewer,
    WorkspaceReadOnly,
)
from sayso.store.database import Database, read_version, write_fact
from sayso.store.tables import faces, metadata, photos, templates

from .kept import ADA, BEN, CLUB, MODEL, NOW, Kept, enrol, features

FILLER = "x" * 2_000


def test_the_migrations_make_just_the_tables_that_the_code_speaks_of(kept: Kept) -> None:
    with kept.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_no_column_outside_of_the_sealed_templates_could_hold_features() -> None:
    blobs = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary)
    }
    assert blobs == {"templates.sealed"}
    assert not {"features", "vector", "embedding"} & {column.name for column in faces.columns}


def test_opening_a_workspace_of_this_version_changes_nothing(kept: Kept) -> None:
    before = kept.database.path.read_bytes()
    kept.database.check_schema()
    assert kept.database.path.read_bytes() == before


def test_a_workspace_of_the_first_version_is_brought_up_to_date(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        unit.collections.declare(CLUB, "/photographs", NOW)
    with kept.database.writing() as connection:
        for name in ("gallery_people", "gallery_references"):
            connection.exec_driver_sql(f"ALTER TABLE collections DROP COLUMN {name}")
        connection.exec_driver_sql("DROP INDEX ix_faces_no_face_by")
        connection.exec_driver_sql("DROP INDEX ix_publications_folder")
        for table in ("photos", "files"):
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN tells_erased")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    kept.database.check_schema()
    test_the_migrations_make_just_the_tables_that_the_code_speaks_of(kept)
    with kept.repository.reading() as unit:
        assert unit.collections.gallery(CLUB.id) is None
        assert unit.collections.get("club") == CLUB


def test_a_workspace_of_a_newer_version_is_refused_and_not_touched(kept: Kept) -> None:
    with kept.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(WorkspaceNewer, match="9999"):
        kept.database.check_schema()
    with kept.database.reading() as connection:
        query = "SELECT version_num FROM alembic_version"
        assert connection.exec_driver_sql(query).scalar_one() == "9999"


@pytest.mark.parametrize(
    "content", [b"", b"not a database, but long enough to have a header", b"SQLite format 3\x00"]
)
def test_a_file_that_is_no_database_of_ours_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sayso.sqlite").write_bytes(content)
    with closing_database(tmp_path / "sayso.sqlite") as database, pytest.raises(WorkspaceDamaged):
        database.check_schema()


def test_pages_overwritten_in_the_middle_are_reported_as_damage(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    kept.database.forget()
    kept.database.close()
    data = bytearray(kept.database.path.read_bytes())
    data[4096:] = b"\xaa" * (len(data) - 4096)
    kept.database.path.write_bytes(data)

    def read_all(database: Database) -> None:
        database.check_schema()
        with database.reading() as connection:
            connection.execute(sa.select(templates)).all()

    with closing_database(kept.database.path) as database, pytest.raises(WorkspaceDamaged) as found:
        read_all(database)
    assert found.value.exit_status == 3


def test_a_transaction_that_breaks_off_keeps_nothing(kept: Kept) -> None:
    def break_off() -> None:
        with kept.repository.writing() as unit:
            enrol(unit, ADA, 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    with kept.repository.reading() as unit:
        assert unit.people.all() == []
        assert unit.people.version() == 0


def test_what_lies_in_a_collection_goes_with_it(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        unit.collections.declare(CLUB, "/photographs", NOW)
    with kept.database.writing() as connection:
        connection.execute(
            sa.insert(photos).values(
                id=1, collection_id="club", sha256="0", width_px=1, height_px=1, format="PNG",
                scanned_at="", compared_through=0,
            )
        )  # fmt: skip
        connection.execute(
            sa.insert(faces).values(
                photo_id=1, x=0, y=0, width=1, height=1, score=1, height_px=1, certainty="sure"
            )
        )
        connection.exec_driver_sql("DELETE FROM collections")
        assert connection.execute(sa.select(faces)).all() == []


class TinyDatabase(Database):
    """One on a disk with room for few pages."""

    def __init__(self, path: Path, pages: int) -> None:
        super().__init__(path)
        sa.event.listen(
            self._engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages}")
        )


def test_a_full_disk_is_called_that_and_loses_nothing(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    kept.database.close()
    pages = kept.database.path.stat().st_size // 4096 + 4
    tiny = TinyDatabase(kept.database.path, pages)

    def fill() -> None:
        with tiny.writing() as connection:
            for number in range(100):
                write_fact(connection, str(number), FILLER)

    with pytest.raises(DiskFull) as caught:
        fill()
    assert caught.value.reason_code == "disk_full"
    with tiny.reading() as connection:
        assert (
            connection.exec_driver_sql(
                "SELECT count(*) FROM facts WHERE value LIKE 'xx%'"
            ).scalar_one()
            == 0
        )
        assert connection.exec_driver_sql("SELECT count(*) FROM templates").scalar_one() == 1
    tiny.close()


WRITER = """
import resource, signal, sys
from pathlib import Path
from sayso.errors import SaysoError
from sayso.store.database import Database
import sqlalchemy as sa
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
database = Database(Path(sys.argv[1]))
with database.reading() as connection:
    connection.exec_driver_sql("SELECT * FROM facts").all()
size = max(p.stat().st_size for p in Path(sys.argv[1]).parent.iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    with database.writing() as connection:
        for number in range(500):
            connection.exec_driver_sql("INSERT INTO facts VALUES (?, ?)", (str(number), "x" * 2000))
except SaysoError as error:
    print(error.reason_code)
"""


def test_a_quota_that_is_used_up_is_no_damage(kept: Kept) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", WRITER, str(kept.database.path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == "disk_full", done.stderr
    with kept.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM facts").scalar_one() == 0


def test_a_workspace_that_may_only_be_read_says_so(kept: Kept) -> None:
    class ReadOnly(Database):
        """As on a disk that is mounted for reading: here by a pragma, since root may write."""

        def __init__(self, path: Path) -> None:
            super().__init__(path)
            sa.event.listen(
                self._engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only=ON")
            )

    database = ReadOnly(kept.database.path)
    with pytest.raises(WorkspaceReadOnly), database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO facts VALUES ('a', 'b')")
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT * FROM facts").all() == []
    database.close()


def test_a_folder_that_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with closing_database(tmp_path / "none" / "sayso.sqlite") as database:
        with pytest.raises(SaysoError) as caught:
            database.check_schema()
        assert caught.value.reason_code == "workspace_read_only"


def test_readers_see_whole_transactions_while_writers_write(kept: Kept) -> None:
    torn: list[tuple[int, int]] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            with kept.repository.reading() as unit:
                people, references = unit.people.all(), unit.templates.counts()
                if len(people) != len(references):
                    torn.append((len(people), len(references)))

    watchers = [threading.Thread(target=watch) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    for _ in range(10):
        with kept.repository.writing() as unit:
            enrol(unit, ADA, 1)
            enrol(unit, BEN, 2)
        with kept.repository.writing() as unit:
            unit.people.erase(ADA.id)
            unit.people.erase(BEN.id)
    stop.set()
    for watcher in watchers:
        watcher.join()
    assert torn == []


COUNTER = """
import sys
from pathlib import Path
from sayso.store.database import Database, bump_version
database = Database(Path(sys.argv[1]))
for _ in range(20):
    with database.writing() as connection:
        bump_version(connection)
"""


def test_writers_in_several_processes_wait_for_each_other(kept: Kept) -> None:
    command = [sys.executable, "-c", COUNTER, str(kept.database.path)]
    writers = [subprocess.Popen(command) for _ in range(3)]  # noqa: S603 - our own script
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with kept.database.reading() as connection:
        assert read_version(connection) == 60


def test_nothing_deleted_is_left_in_file_or_log_after_forgetting(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    with kept.database.reading() as connection:
        sealed = connection.execute(sa.select(templates.c.sealed)).scalar_one()
    assert sealed in kept.on_disk()
    assert b"Ada Unusualname" in kept.on_disk()
    with kept.repository.writing() as unit:
        unit.people.erase(ADA.id)
    kept.repository.forget()
    for trace in (sealed, b"Ada Unusualname", b"ada unusualname", ADA.id.encode(), b"cd" * 32):
        assert trace not in kept.on_disk()


def test_forgetting_waits_for_a_reader_that_is_about_to_end(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    reading, go = threading.Event(), threading.Event()

    def read() -> None:
        with kept.repository.reading() as unit:
            unit.people.all()
            reading.set()
            go.wait(10)

    reader = threading.Thread(target=read)
    reader.start()
    reading.wait(10)
    with kept.repository.writing() as unit:
        unit.people.erase(ADA.id)
    timer = threading.Timer(0.3, go.set)
    timer.start()
    kept.repository.forget()
    assert go.is_set()
    assert b"Ada Unusualname" not in kept.on_disk()
    reader.join()
    timer.join()


def test_a_template_at_rest_is_not_its_features(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    plain = features(1)
    for trace in (
        plain.tobytes(),
        plain.astype("float16").tobytes(),
        plain.tobytes().hex().encode(),
    ):
        assert trace[:32] not in kept.on_disk()
    assert MODEL.encode() in kept.on_disk()


def closing_database(path: Path) -> "closing[Database]":
    return closing(Database(path))


def test_sqlite_itself_finds_every_connection_strict(kept: Kept) -> None:
    with kept.database.reading() as connection:
        facts = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("foreign_keys", "secure_delete", "synchronous", "journal_mode")
        }
    assert facts == {
        "foreign_keys": 1, "secure_delete": 1, "synchronous": 2, "journal_mode": "wal"
    }  # fmt: skip
    assert sqlite3.threadsafety


READER = """
import sqlite3, sys
raw = sqlite3.connect(sys.argv[1])
raw.execute("BEGIN")
raw.execute("SELECT * FROM persons").fetchall()
print("reading", flush=True)
sys.stdin.readline()
"""


def test_forgetting_waits_no_longer_than_it_was_told_and_says_what_to_do(kept: Kept) -> None:
    with kept.repository.writing() as unit:
        enrol(unit, ADA, 1)
    reader = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", READER, str(kept.database.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert reader.stdout is not None
    assert reader.stdout.readline() == b"reading\n"
    with kept.repository.writing() as unit:
        unit.people.erase(ADA.id)
    database = Database(kept.database.path, patience_s=0.3)
    caught: list[WorkspaceBusy] = []

    def forget() -> None:
        try:
            database.forget()
        except WorkspaceBusy as error:
            caught.append(error)

    thread = threading.Thread(target=forget)
    thread.start()
    thread.join(20)  # far less than the 30 s that a writer would wait for its turn
    ended = not thread.is_alive()
    reader.communicate(b"\n")
    thread.join()
    assert ended
    [busy] = caught
    assert "0.3 seconds" in busy.reason
    assert "End other sayso processes" in busy.reason
    assert ADA.name.encode() in kept.on_disk()
    database.forget()
    assert ADA.name.encode() not in kept.on_disk()
    database.close()
