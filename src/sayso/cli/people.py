"""Verbs about people: enrol, people, find, withdraw, erase."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sayso.cli.files import require_writable, write_file
from sayso.cli.session import (
    FIRST_PAGE,
    PEOPLE,
    AfterOption,
    FolderOption,
    JsonOption,
    LimitOption,
    Session,
    YesOption,
    escape,
    many,
    session,
)
from sayso.domain.event import Act
from sayso.domain.grant import Purpose

if TYPE_CHECKING:
    from sayso.services.apart import LookAlike
    from sayso.services.enrol import Enrolled
    from sayso.services.references import ImageQuality

app = typer.Typer()

ReceiptOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the receipt, a proof to check offline, here."),
]


@app.command(rich_help_panel=PEOPLE)
def enrol(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As the person wants it shown.")] = "",
    images: Annotated[
        list[str] | None,
        typer.Argument(metavar="IMAGE", help="One to five, given by the person."),
    ] = None,
    grant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GRANT",
            help="recognise, find, name:AUDIENCE or publish:CHANNEL; may be repeated.",
        ),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="NAME=VALUE@AUDIENCE, told beside the name; may be repeated.",
        ),
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this collection; may be repeated."),
    ] = None,
    expires: Annotated[str, typer.Option(metavar="DATE", help="The first day without.")] = "",
    guardian: Annotated[str, typer.Option(metavar="NAME", help="Who answers for a minor.")] = "",
    relation: Annotated[str, typer.Option(metavar="TEXT", help="Mother, father, …")] = "",
    verified_by: Annotated[str, typer.Option(metavar="TEXT", help="How that was checked.")] = "",
    born: Annotated[str, typer.Option(metavar="DATE", help="Date of birth, YYYY-MM-DD.")] = "",
    jurisdiction: Annotated[
        str, typer.Option(metavar="CODE", help="ISO 3166; whose age of majority.")
    ] = "",
    notice: Annotated[str, typer.Option(metavar="FILE", help="What the person was told.")] = "",
    notice_version: Annotated[str, typer.Option(metavar="TEXT", help="Its version.")] = "",
    notice_language: Annotated[str, typer.Option(metavar="TAG", help="Its language, BCP 47.")] = "",
    evidence: Annotated[
        str, typer.Option(metavar="FILE", help="The signed form; its SHA-256 is kept.")
    ] = "",
    person: Annotated[
        str,
        typer.Option(metavar="ID", help="Add to what somebody enrolled already said."),
    ] = "",
    vouch: Annotated[
        bool,
        typer.Option("--vouch", metavar="", help="You know that the images show this person."),
    ] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Enrol everybody in this table.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", metavar="", help="With --csv: exit 1 if a row was refused."),
    ] = False,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record what a person agreed to; build their template if they granted recognise."""
    from sayso.services.intake import Form, enrolment

    with session(context, workspace, as_json) as run:
        settings = run.workspace.settings
        if csv is not None and (name or images or grant or person):
            raise typer.BadParameter("a table comes alone, without NAME and grants", ctx=context)
        if strict and csv is None:
            raise typer.BadParameter("--strict goes with --csv", ctx=context)
        if csv is not None:
            _enrol_table(run, csv, strict=strict)
            return
        if not name and not person:
            raise typer.BadParameter("give a NAME, or --csv FILE", ctx=context)
        form = Form(
            name=name or run.workspace.person(person).name,
            images=images or (),
            grants=grant or (),
            evidence=evidence,
            fields=field or (),
            collections=collection or (),
            expires=expires,
            guardian=guardian,
            relation=relation,
            verified_by=verified_by,
            born=born,
            jurisdiction=jurisdiction,
            notice=notice,
            notice_version=notice_version,
            notice_language=notice_language,
            person=person,
            vouch="yes" if vouch else "",
        )
        wish = enrolment(form, jurisdiction=settings.jurisdiction)
        _print_enrolled(run, run.workspace.enrol(wish))


def _print_enrolled(run: Session, enrolled: "Enrolled") -> None:
    person = enrolled.person
    values = {
        "person": person.id,
        "name": person.name,
        "template": enrolled.templates[0] if enrolled.templates else None,
        "templates": list(enrolled.templates),
        "quality": [_quality(image) for image in enrolled.quality],
        "unchanged": enrolled.unchanged,
        "alike": _alike(enrolled.alike),
    }
    done = "was enrolled like this already" if enrolled.unchanged else "is enrolled"
    built = (
        many(len(enrolled.templates), "reference") if enrolled.templates else "no reference built"
    )
    run.result(values, f"[bold]{escape(person.name)}[/] {done}: id {person.id}, {built}.")
    _note_images(run, enrolled)
    if enrolled.namesakes and not enrolled.unchanged:
        run.note(
            f"{enrolled.namesakes} more called {escape(person.name)}: use ids from now on. "
            "To add to somebody enrolled already, pass --person ID."
        )


def _quality(image: "ImageQuality") -> dict[str, object]:
    refused = image.refused
    return {
        "image": image.path,
        "accepted": refused is None,
        "usable": round(image.usable, 3),
        "height_px": round(image.height_px),
        "sharpness": round(image.sharpness, 3),
        "code": None if refused is None else refused.reason_code,
        "reason": None if refused is None else refused.reason,
        "advice": [{"code": one.code, "sentence": one.sentence} for one in image.advice],
    }


def _note_images(run: Session, enrolled: "Enrolled") -> None:
    """Say what was wrong with images, what would be better, and who looks the same."""
    for image in enrolled.quality:
        if image.refused is not None:
            run.note(f"{escape(image.path)} is no reference. {escape(image.refused.reason)}")
        for advice in image.advice:
            run.note(f"{escape(image.path)}: {advice.sentence}")
    if enrolled.alike:
        run.note(
            f"The program cannot tell {escape(enrolled.person.name)} from "
            f"{escape(_others(enrolled.alike))}. Check that the images show the right person; "
            "matches of either go to review."
        )


def _alike(alike: "Sequence[LookAlike]") -> list[dict[str, object]]:
    """Look-alikes; an id only of those whose name staff may be told."""
    return [
        {"collection": one.collection, "person": None if one.person is None else one.person.id}
        for one in alike
    ]


def _others(alike: "Sequence[LookAlike]") -> str:
    named = {one.person.name for one in alike if one.person is not None}
    unnamed = {"somebody else who is enrolled"} if any(one.person is None for one in alike) else ()
    return " or ".join([*sorted(named), *unnamed])


def _enrol_table(run: Session, table: Path, *, strict: bool) -> None:
    from sayso.services.intake import enrol_table

    with run.progress("Enrolling") as progress:
        done = enrol_table(
            run.workspace.enrol,
            table,
            jurisdiction=run.workspace.settings.jurisdiction,
            progress=progress,
        )
    refused = [{"line": r.line, "code": r.code, "reason": r.reason} for r in done.refused]
    values = {
        "enrolled": len(done.enrolled) - done.unchanged,
        "unchanged": done.unchanged,
        "refused": refused,
        "people": [{"id": one.person.id, "name": one.person.name} for one in done.enrolled],
    }
    run.result(
        values,
        f"{values['enrolled']} enrolled, {done.unchanged} unchanged, {len(refused)} refused.",
    )
    for row in done.refused:
        run.note(f"line {row.line}: {row.code}: {escape(row.reason)}")
    for one in done.enrolled:
        _note_images(run, one)
    if strict and refused:
        raise typer.Exit(1)


@app.command(rich_help_panel=PEOPLE)
def people(
    context: typer.Context,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """List everybody who was asked, with what they said."""
    with session(context, workspace, as_json) as run:
        known = run.workspace.people()
        listed = [
            {
                "id": one.person.id,
                "name": one.person.name,
                "templates": one.templates,
                "grants": list(one.grants),
                "alike": None if one.alike is None else _alike(one.alike),
            }
            for one in known
        ]
        lines = [
            f"{one.person.id}  {escape(one.person.name)}  "
            f"[dim]{', '.join(one.grants) or 'no live consent'}[/]"
            + (f"\n    cannot be told from {escape(_others(one.alike))}" if one.alike else "")
            for one in known
        ]
        run.result({"people": listed}, *lines or ["Nobody was asked yet."])
        if any(one.alike is None for one in known):
            run.note("A template does not open, so that look-alikes are not known: sayso key check")


@app.command(rich_help_panel=PEOPLE)
def find(
    context: typer.Context,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="An id, or a name that only one has.")
    ],
    limit: LimitOption = FIRST_PAGE,
    after: AfterOption = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find a person's photographs, best first, for that person."""
    with session(context, workspace, as_json) as run:
        page = run.workspace.find.page(person, after=after, limit=limit)
        known, found = page.person, page.photographs
        photos = [
            {
                "collection": one.collection,
                "path": one.path,
                "box": [one.box.x, one.box.y, one.box.width, one.box.height],
                "similarity": one.similarity,
            }
            for one in found
        ]
        whole = after is None and page.next is None
        these = many(len(found), "photograph")
        lines = [f"{escape(known.name)} is in {these}{'' if whole else ' of this page'}."]
        lines += [
            f"{'marked' if one.similarity is None else f'{one.similarity:6.3f}'}  "
            f"{escape(one.collection)}  {escape(one.path)}"
            for one in found
        ]
        run.result({"person": known.id, "photos": photos, "next": page.next}, *lines)
        run.more(page.next)


@app.command(rich_help_panel=PEOPLE)
def withdraw(
    context: typer.Context,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="An id, or a name that only one has.")
    ],
    purpose: Annotated[Purpose | None, typer.Option(help="Only this purpose.")] = None,
    receipt: ReceiptOption = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a person's consent at once; the template goes with recognise."""
    with session(context, workspace, as_json) as run:
        if receipt is not None:
            require_writable(receipt)
        ended = run.workspace.rights.withdraw(person, purpose)
        published = [
            {"channel": one.channel, "path": one.path, "at": one.at} for one in ended.published
        ]
        values = {
            "person": ended.person.id,
            Act.WITHDRAWN.value: [one.value for one in ended.purposes],
            "templates_destroyed": ended.templates,
            "swept": ended.swept,
            "receipt": ended.receipt.decode(),
            "published": published,
        }
        what = ", ".join(ended.purposes)
        lines = [f"Withdrawn for {escape(ended.person.name)}: {what}."]
        if ended.templates:
            lines.append(f"{many(ended.templates, 'reference')} destroyed.")
        if not ended.swept:
            lines.append(
                "Another process is reading, so that old pages of them are still on the disk. No "
                "key opens them; the next start when nobody reads removes them."
            )
        if published:
            lines.append("They were shown in these copies; take down what is still out:")
            lines += _copies((one.channel, one.path) for one in ended.published)
        if receipt is not None:
            write_file(receipt, ended.receipt)
            lines.append(f"The receipt is at {escape(str(receipt))}.")
        run.result(values, *lines)


@app.command(rich_help_panel=PEOPLE)
def erase(
    context: typer.Context,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="An id, or a name that only one has.")
    ],
    yes: YesOption = False,
    receipt: ReceiptOption = None,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the signed certificate here."),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove everything that is kept of a person."""
    with session(context, workspace, as_json) as run:
        known = run.workspace.person(person)
        # As it was asked for: a name that an id stands for would have to be entered first.
        named = person if person == known.id else f"{person} ({known.id})"
        run.confirm(f"Erase everything of {named}?", yes=yes)
        for file in (receipt, certificate):
            if file is not None:
                require_writable(file)  # else the take-down list would be lost with the person
        gone = run.workspace.rights.erase(known.id)
        published = [
            {"channel": one.channel, "path": one.path, "at": one.at} for one in gone.published
        ]
        lines = [f"Erased: {escape(named)}, {many(gone.templates, 'reference')}."]
        if published:
            lines.append("Copies that still show them, to be taken down (see `sayso takedowns`):")
            lines += _copies((one.channel, one.path) for one in gone.published)
        if receipt is not None:
            write_file(receipt, gone.receipt)
            lines.append(f"The receipt is at {escape(str(receipt))}.")
        if certificate is not None:
            write_file(certificate, gone.signed)
            lines.append(f"The signed certificate is at {escape(str(certificate))}.")
        values = {
            "erased": gone.person,
            "published": published,
            "certificate": dict(gone.certificate),
            "receipt": gone.receipt.decode(),
            "signed_certificate": gone.signed.decode(),
        }
        run.result(values, *lines, *_certified(gone.certificate))


def _certified(certificate: Mapping[str, Any]) -> list[str]:
    """What a person wants to know of a certificate, in lines."""
    back = certificate["read_back"]
    searched = f"{back['files']} files, {back['bytes']:,} bytes, {back['patterns']} patterns"
    lines = [f"Read back: {searched}; nothing was found."]
    lines += [f"Kept: {escape(one['what'])}: {escape(one['why'])}." for one in certificate["kept"]]
    lines += [f"To do: {escape(one['what'])}: {escape(one['why'])}" for one in certificate["to_do"]]
    return lines


def _copies(published: Iterable[tuple[str, str]]) -> list[str]:
    """A line for each copy; one, however often it was published into the same folder."""
    return [f"  {channel}  {escape(path)}" for channel, path in dict.fromkeys(published)]
