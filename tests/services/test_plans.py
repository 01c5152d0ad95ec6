"""No statement that the services run reads a large table from end to end.

Statements are caught as they run; SQLite is then asked how it would carry each out. There are no
statistics in the file, so its answer is the same for a hundred rows and for a hundred million.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from sayso.domain.doubt import Answer
from sayso.domain.objection import Wish
from sayso.services.enrolment import Image
from sayso.services.judge import Judge
from sayso.services.objections import Object
from sayso.services.review import Review
from sayso.services.waiting import WaitingWords

from .drawing import ADA, BEN, LEFT, NOBODY, RIGHT, Head, faint, picture
from .world import WEBSITE, World

LARGE = {"photos", "files", "faces", "sightings", "judgements", "answers", "copies"}
"""Tables with a row for each photograph or face. Not ``shown``: the take-down list asks of each
published copy that shows somebody whether it still may, one by one."""


class Caught:
    """Statements with their parameters, in the order in which they ran."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Any]] = []

    def __call__(
        self,
        _connection: object,
        _cursor: object,
        statement: str,
        parameters: Any,  # noqa: ANN401 - the driver's
        *rest: object,
    ) -> None:
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", statement):
            many = bool(rest[1])
            self.statements.append((statement, parameters[0] if many else parameters))


@contextmanager
def caught() -> Iterator[Caught]:
    statements = Caught()
    sa.event.listen(sa.Engine, "before_cursor_execute", statements)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", statements)
    assert statements.statements


def read_whole(world: World, statement: str, parameters: Any) -> list[str]:  # noqa: ANN401 - the driver's
    """The lines of the plan that go through all of a large table."""
    with world.database.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        lines = [str(row[-1]) for row in plan]
    large = {*LARGE, *aliases(statement)}
    return [
        line
        for line in lines
        if (found := re.match(r"SCAN (?:TABLE )?(\w+)", line)) and found[1] in large
    ]


def aliases(statement: str) -> set[str]:
    """Other names that a statement gives to a large table."""
    return {name for table, name in re.findall(r"\b(\w+) AS (\w+)", statement) if table in LARGE}


def lived(world: World) -> None:
    source = world.collection()
    world.enrol("Ada", ADA, "recognise find name:staff publish:website")
    for n in range(4):
        source.put(f"{n}.png", picture(Head(ADA, x=LEFT), Head(BEN, x=RIGHT), number=n))
    world.scan("club")


def everything(world: World) -> None:
    """A scan with all that it can meet."""
    source = world.sources["photographs-club"]
    source.put("5.png", picture(Head(NOBODY), number=5))
    source.put("moved.png", source.take("0.png"))
    world.scan("club")
    world.scan("club", again=True)


def catch_up(world: World) -> None:
    world.enrol("Ben", BEN, "recognise find")
    world.catch_up.backlog()
    world.catch_up()


def find(world: World) -> None:
    world.judge.mark("1.png", world.face("1.png"), "Ada")
    first = world.find.page("Ada", limit=1)
    second = world.find.page("Ada", after=first.next, limit=1)
    world.find.page("Ada", after=second.next, limit=1)


def screen(world: World) -> None:
    Object(world.repository, world.book, world.clock).add("2.png", None, Wish.COVER)
    page = world.screen.page("club", WEBSITE, limit=2)
    world.screen.page("club", WEBSITE, after=page.next, limit=2)


def publish(world: World) -> None:
    world.publish(world.folder.parent / "out")
    world.scan("club")
    world.rights.withdraw("Ada")


def judge(world: World) -> None:
    face = world.face("1.png")
    world.judge.mark("1.png", face, "Ada")
    world.judge.reject("1.png", face, "Ada")
    world.judge.take_back("1.png", face, "Ada")
    world.judge.mark("1.png", "0.45,0.05,0.1,0.1", "Ada")


def review(world: World) -> None:
    world.sources["photographs-club"].put("6.png", picture(Head(faint(ADA)), number=6))
    world.scan("club")
    judge = Judge(world.book, world.clock, world.standard, 2)
    doubts = Review(world.book, judge, world.clock, world.standard)
    [asked] = doubts.questions("club", limit=9).asked
    doubts.answer(asked.face.id, Answer.SAME)
    doubts.questions(None, limit=9)
    assert len(WaitingWords(world.book, world.clock)(limit=9)) == 1
    world.scan("club", again=True)


def look_alike(world: World) -> None:
    both = picture(Head(ADA, x=160, y=60, side=180, also=BEN))
    twin = world.enrol("Twin", BEN, "recognise find", images=(Image("t.png", both),))
    assert twin.alike
    world.scan("club")
    world.rights.withdraw("Twin")
    world.scan("club")


@pytest.mark.parametrize(
    "work", [everything, catch_up, find, screen, publish, judge, review, look_alike]
)
def test_no_statement_reads_a_large_table_from_end_to_end(
    world: World, work: Callable[[World], None]
) -> None:
    lived(world)
    with caught() as found:
        work(world)
    statements = dict(found.statements)
    plans = {s: read_whole(world, s, p) for s, p in statements.items()}
    assert {s: lines for s, lines in plans.items() if lines} == {}


def test_a_statement_that_does_is_noticed(world: World) -> None:
    for statement in (
        "SELECT * FROM faces WHERE height_px > 3",
        "SELECT * FROM faces AS f JOIN photos ON photos.id = f.photo_id WHERE f.score > 0",
    ):
        assert read_whole(world, statement, ())


def test_every_foreign_key_of_a_large_table_has_an_index(world: World) -> None:
    """Else the removal of one person, face or photograph would read all of the child table."""
    for table in LARGE:
        with world.database.reading() as connection:
            keys = connection.exec_driver_sql(f"PRAGMA foreign_key_list({table})").all()
        for key in keys:
            assert read_whole(world, f"SELECT 1 FROM {table} WHERE {key[3]} = ?", (1,)) == []  # noqa: S608 - our own names
