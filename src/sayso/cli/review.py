"""The verb for faces in doubt: review."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso.cli.files import write_file
from sayso.cli.session import PHOTOGRAPHS, FolderOption, JsonOption, Session, escape, many, session
from sayso.domain.doubt import Answer
from sayso.domain.face import Box

if TYPE_CHECKING:
    from sayso.domain.person import Person
    from sayso.services.review import Answered, Question, Questions
    from sayso.services.waiting import WaitingWord

app = typer.Typer()

_KEYS = {"s": Answer.SAME, "n": Answer.NOT_THE_SAME, "c": Answer.CANNOT_TELL}
_LATER, _QUIT = "l", "q"
_WORDS = {
    "marked": "it is {}",
    "rejected": "it is not {}",
    "unsure": "nobody can tell whether it is {}",
    "taken_back": "what was said of it and {} is taken back",
    "no_face": "it is no face",
}
_UNNAMED = "somebody whose name may not be told"
_TAKEN_FOR = f"whom it was taken for, {_UNNAMED}"
_MARK_IT = (
    "Nobody's name may be told here. If you know who it is, say so with `sayso mark`; it is left "
    "for later."
)
_QUESTION = "[s]ame, [n]ot the same, [c]annot tell, [l]ater, [q]uit"


@app.command(rich_help_panel=PHOTOGRAPHS)
def review(
    context: typer.Context,
    collection: Annotated[
        str | None,
        typer.Argument(metavar="[COLLECTION]", help="Only this one.", show_default=False),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACE=ANSWER",
            help="same, not-the-same or cannot-tell; FACE:PERSON=ANSWER of somebody else whom it "
            "may be; may be repeated.",
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page with the faces, to look at."),
    ] = None,
    ask: Annotated[
        bool,
        typer.Option("--ask", metavar="", help="Ask about one after the other."),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="At most so many.")] = 50,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle faces that comparing left in doubt, most useful first."""
    with session(context, workspace, as_json) as run:
        answers = [_parsed(context, text) for text in answer or ()]
        if answers and (ask or sheet is not None or collection is not None):
            raise typer.BadParameter("--answer comes alone", ctx=context)
        if answers:
            _answer(run, answers)
            return
        questions = run.workspace.review.questions(collection, limit=limit)
        if sheet is not None:
            page = run.workspace.review_page(questions).encode()
            write_file(sheet, b"")
            sheet.chmod(0o600)  # before there are names in it
            write_file(sheet, page)
            run.note(
                f"Look at {escape(sheet.absolute().as_uri())}, and delete it when you are done."
            )
        if ask:
            _ask(run, questions)
            return
        words = run.workspace.waiting_words(collection, limit=limit)
        lines = [_line(one) for one in questions.asked] or ["No face is in doubt."]
        values = _values(questions) | {"words": [_word(one) for one in words]}
        run.result(values, *lines, *(_word_line(one) for one in words))
        _tell_rest(run, questions)


def _parsed(context: typer.Context, text: str) -> tuple[str, str | None, Answer]:
    about, _, said = text.rpartition("=")
    face, _, person = about.partition(":")
    try:
        return face, person or None, Answer(said.strip())
    except ValueError:
        words = ", ".join(Answer)
        raise typer.BadParameter(f"FACE=ANSWER with one of {words}", ctx=context) from None


def _answer(run: Session, answers: Sequence[tuple[str, str | None, Answer]]) -> None:
    given = run.workspace.review.answer_all((face, said, person) for face, person, said in answers)
    done = [
        (face, said, answered) for (face, _, said), answered in zip(answers, given, strict=True)
    ]
    values = [
        {
            "face": face,
            "answer": said.value,
            "people": sorted({one.id for one in answered.people()}),
            "faces": sorted({one.face.id for one in answered.judgements}),
            "holds": answered.holds,
        }
        for face, said, answered in done
    ]
    run.result({"answers": values}, *(_said(face, said, one) for face, said, one in done))


def _said(face: str, said: Answer, answered: "Answered") -> str:
    names = escape(", ".join(sorted({one.name for one in answered.people()})))
    words = {
        Answer.SAME: f"is {names}",
        Answer.NOT_THE_SAME: f"is not {names or _TAKEN_FOR}",
        Answer.CANNOT_TELL: "is left covered: nobody can tell",
    }[said]
    also = len({one.face.id for one in answered.judgements}) - 1
    more = f", and so in {many(also, 'other collection')}" if also else ""
    if said is Answer.CANNOT_TELL and not answered.holds:
        # That nobody can tell is so at once; what waits is that it settles the face.
        words, wait = "is settled, and left covered", ", once another operator cannot tell either"
    else:
        wait = "" if answered.holds else " once another operator says the same"
    return f"Face {escape(face)} {words}{more}{wait}."


def _ask(run: Session, questions: "Questions") -> None:
    """Ask about one after the other, with a page to look at that goes when this ends."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("--ask needs a terminal; elsewhere use --answer FACE=ANSWER")
    text = run.workspace.review_page(questions)
    with _ends_in_order(), run.workspace.open_pages.shown(text) as page:
        run.note(f"The faces: {escape(page.as_uri())} (it goes when you end this)")
        answered_of: set[str] = set()
        settled: set[str] = set()
        for one in questions.asked:
            if one.face.id in answered_of:
                continue
            run.note(_line(one))
            key = _key()
            if key == _QUIT:
                break
            said = _KEYS.get(key)
            if said is not None:
                person = None if one.person is None else one.person.id
                if person is None and said is Answer.SAME:
                    run.note(_MARK_IT)
                    continue
                answered = run.workspace.review.answer(one.face.id, said, person)
                answered_of |= {judgement.face.id for judgement in answered.judgements}
                settled |= {each.face.id for each in answered.judgements if each.holds}
                run.note(_said(one.face.id, said, answered))
    run.result({"settled": sorted(settled)}, f"{many(len(settled), 'face')} settled.")


@contextmanager
def _ends_in_order() -> Iterator[None]:
    """Let a closed terminal, or a polite kill, end this like Ctrl-C does: the page has names."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {one: signal.signal(one, leave) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _key() -> str:
    """What is answered: a key alone, since a word that begins with one may mean another thing."""
    while True:
        key = str(typer.prompt(_QUESTION, default=_LATER, err=True)).strip().lower()
        if key in {*_KEYS, _LATER, _QUIT}:
            return key


def _tell_rest(run: Session, questions: "Questions") -> None:
    if questions.waiting:
        run.note(f"{many(questions.waiting, 'face')} wait for another operator to say the same.")
    if len(questions.asked) + questions.waiting < questions.faces:
        run.note(f"{len(questions.asked)} of {many(questions.faces, 'face')} in doubt.")


def _word_line(one: "WaitingWord") -> str:
    """What waits for another operator, who says the same with the verb that it was said with."""
    name = _UNNAMED if one.person is None else escape(one.person.name)
    said = _WORDS[one.said].format(name)
    return (
        f"face {one.face.id}  {escape(one.collection.name)}  {escape(_path(one))}  "
        f"[dim]{_place(one.face.face.box)}[/]  {escape(one.operator)}: {said}, once another "
        "operator says the same"
    )


def _word(one: "WaitingWord") -> dict[str, object]:
    return {
        "face": one.face.id,
        "collection": one.collection.name,
        "photo": _path(one),
        "box": _box(one.face.face.box),
        "said": one.said,
        "person": _person(one.person),
        "operator": one.operator,
    }


def _person(person: "Person | None") -> dict[str, str] | None:
    return None if person is None else {"id": person.id, "name": person.name}


def _path(one: "WaitingWord") -> str:
    return one.photograph.paths[0] if one.photograph.paths else one.photograph.id


def _box(box: Box) -> list[float]:
    return [round(n, 6) for n in (box.x, box.y, box.width, box.height)]


def _place(box: Box) -> str:
    return ",".join(f"{n:.3f}" for n in _box(box))


def _line(one: "Question") -> str:
    alike = "" if one.similarity is None else f" {one.similarity:.3f}"
    others = f", or {many(one.others, 'other')}" if one.others else ""
    name = _UNNAMED if one.person is None else escape(one.person.name)
    return (
        f"face {one.face.id}  {escape(one.collection.name)}  {escape(one.photograph.paths[0])}  "
        f"[dim]{_place(one.face.face.box)}[/]  {name}?{alike}{others}"
    )


def _values(questions: "Questions") -> dict[str, object]:
    asked = [
        {
            "kind": "person",
            "face": one.face.id,
            "collection": one.collection.name,
            "photo": one.photograph.paths[0],
            "box": _box(one.face.face.box),
            "person": _person(one.person),
            "similarity": one.similarity,
            "settles": round(one.settles, 3),
            "others": one.others,
        }
        for one in questions.asked
    ]
    return {"questions": asked, "faces": questions.faces, "waiting": questions.waiting}
