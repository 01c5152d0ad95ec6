"""The verb that measures: evaluate."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sayso import __version__
from sayso.cli.files import require_writable, write_file
from sayso.cli.session import MEASURING, FolderOption, JsonOption, escape, many, session

if TYPE_CHECKING:
    from sayso.services.evaluate import Evaluation

app = typer.Typer()


@app.command(rich_help_panel=MEASURING)
def evaluate(
    context: typer.Context,
    dataset: Annotated[
        Path,
        typer.Argument(
            metavar="DATASET",
            help="A folder with one folder of photographs for each person, or with labels.csv "
            "or boxes.csv in it.",
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="path, identity[, role, group].", show_default=False),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="image, x1, y1, x2, y2[, label].", show_default=False),
    ] = None,
    references: Annotated[
        int, typer.Option(min=1, metavar="N", help="References of each person, unless labelled.")
    ] = 2,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="The recogniser; else the one in use.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a report with its curves, HTML.", show_default=False
        ),
    ] = None,
    workspace: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how often faces are missed and people confused, on labelled photographs.

    It needs no workspace, compares photographs of the dataset with each other alone, and keeps
    no features.
    """
    from sayso.services.evaluation_page import page, values
    from sayso.wiring.measuring import open_evaluate

    with session(context, workspace, as_json) as run:
        if out is not None:
            require_writable(out)
        measure = open_evaluate(run.folder, dataset, os.environ, model=model)
        with run.progress("Measuring") as progress:
            found = measure(
                dataset, labels=labels, boxes=boxes, references=references, progress=progress
            )
        if out is not None:
            at = datetime.now().astimezone().strftime("%d %B %Y, %H:%M")
            text = page(found, folder=dataset, at=at, version=__version__)
            write_file(out, text.encode())
        run.list("skipped", [(one.path, one.code, one.reason) for one in found.skipped])
        run.result(values(found), *_lines(found, out))


def _lines(found: "Evaluation", out: Path | None) -> list[str]:
    from sayso.services.evaluation_page import rate_text

    people = "1 person" if found.identities == 1 else f"{found.identities:,} people"
    opened = many(found.photographs, "photograph")
    lines = [f"{opened} of {people} in {found.seconds:.0f} s."]
    if found.failure_to_detect is not None:
        lines.append(f"No face found: {rate_text(found.failure_to_detect)} of the photographs.")
    if found.verification is not None:
        lines += [
            f"1:1 at FMR {at.false_match_rate:g}: TAR {rate_text(at.true_accept_rate)}, "
            f"threshold {at.threshold.value:.3f}{'' if at.supported else ' [dim](few pairs)[/]'}"
            for at in found.verification.at
        ]
    for one in found.identification:
        promised = one.promised
        lines.append(
            f"[bold]1:N, {one.persons:,} people[/]: somebody named for "
            f"{rate_text(promised.false_names)} of strangers, review for "
            f"{rate_text(promised.false_reviews)}; not named {rate_text(promised.missed)}, "
            f"not even in review {rate_text(promised.missed_by_review)}"
        )
    if found.groups is not None:
        lines += [
            f"Group {escape(one.name)}: FMR {rate_text(one.false_match_rate)}, "
            f"FNMR {rate_text(one.false_non_match_rate)}"
            for one in found.groups.groups
        ]
    if found.detection is not None:
        lines.append(
            f"Faces: recall {rate_text(found.detection.recall)}, precision "
            f"{rate_text(found.detection.precision)}, {found.detection.false_finds:.1f} other "
            "finds a photograph"
        )
    lines.append(
        f"The report is at {escape(str(out))}" if out else "For a report with curves: --out FILE"
    )
    return lines
