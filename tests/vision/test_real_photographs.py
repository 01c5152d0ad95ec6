"""What the default models reach on labelled real photographs, with honest margins.

Labeled Faces in the Wild is frontal, of adults and of the press: its figures flatter.
"""

import csv
import dataclasses
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sayso.domain.face import Box, Face, Point
from sayso.domain.screening import CoverStyle
from sayso.errors import FaceBadlyLit, FaceTooBlurred
from sayso.vision.align import align
from sayso.vision.cover import cover, regions
from sayso.vision.decode import DecodeLimits, Picture, decode
from sayso.vision.detect import Detector
from sayso.vision.embed import Embedder
from sayso.vision.models import SFACE, load
from sayso.vision.quality import measure
from sayso.vision.reference import advise, enrolment
from sayso.vision.runtime import OpenVinoNetwork

SMALLEST_PX = 16.0


@dataclass(frozen=True)
class Portraits:
    """One face of each photograph and its features."""

    rows: list[dict[str, str]]
    pictures: list[Picture]
    faces: list[tuple[Face, ...]]
    features: NDArray[np.float32]


def central(faces: tuple[Face, ...]) -> Face:
    def off(face: Face) -> float:
        box = face.box
        return abs(box.x + box.width / 2 - 0.5) + abs(box.y + box.height / 2 - 0.5)

    return min(faces, key=off)


def features_of(
    embedder: Embedder, pixels: NDArray[np.uint8], faces: tuple[Face, ...]
) -> NDArray[np.float32]:
    crops = [align(pixels, face.landmarks) for face in faces if face.landmarks]
    return embedder.embed(np.array(crops, np.uint8).reshape(-1, 112, 112, 3))


@pytest.fixture(scope="module")
def portraits(
    photos: Path,
    labels: list[dict[str, str]],
    detector: Detector,
    embedder: Embedder,
    limits: DecodeLimits,
) -> Portraits:
    pictures = [decode((photos / row["path"]).read_bytes(), limits) for row in labels]
    faces = [detector.detect(picture, smallest_px=SMALLEST_PX) for picture in pictures]
    seen = [place for place, found in enumerate(faces) if found]
    crops = [
        align(pictures[place].pixels, landmarks)
        for place in seen
        if (landmarks := central(faces[place]).landmarks)
    ]
    features = np.zeros((len(labels), 128), np.float32)
    features[seen] = embedder.embed(np.array(crops))
    return Portraits(labels, pictures, faces, features)


def test_every_portrait_has_its_face_found(portraits: Portraits) -> None:
    assert len(portraits.rows) == 1374
    unseen = [r["path"] for r, f in zip(portraits.rows, portraits.faces, strict=True) if not f]
    assert unseen == []


def test_people_are_found_again_and_strangers_are_not(portraits: Portraits) -> None:
    role = np.array([row["role"] for row in portraits.rows])
    identity = np.array([row["identity"] for row in portraits.rows])
    people = sorted(set(identity[role == "reference"]))
    best = np.stack(
        [
            (
                portraits.features @ portraits.features[(role == "reference") & (identity == one)].T
            ).max(axis=1)
            for one in people
        ],
        axis=1,
    )
    probes = role == "probe"
    truth = np.searchsorted(people, identity[probes])
    first = best[probes].argmax(axis=1) == truth
    assert first.mean() >= 0.9957  # measured 0.9979: one of 474 fails; two may
    mated = best[probes][np.arange(probes.sum()), truth]
    strangers = np.sort(best[role == "stranger"].max(axis=1))[::-1]
    # The threshold that so many of 600 strangers reach, and who is missed there.
    for allowed, highest, missed in ((60, 0.40, 0.0085), (6, 0.46, 0.013), (1, 0.50, 0.013)):
        threshold = strangers[allowed]
        assert threshold <= highest
        assert 1 - ((mated > threshold) & first).mean() <= missed


def test_every_reference_may_be_enrolled_and_shows_the_face_in_the_middle(
    portraits: Portraits,
) -> None:
    for row, picture, faces in zip(
        portraits.rows, portraits.pictures, portraits.faces, strict=True
    ):
        if row["role"] == "reference":
            assert enrolment(picture, faces) is central(faces), row["path"]


def shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def moved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.filter2D(pixels, -1, np.full((1, 11), 1 / 11)), np.uint8)


def blurred(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 3), np.uint8)


def heavily_blurred(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 8), np.uint8)


@pytest.mark.parametrize(
    ("damage", "least"),
    [(shrunk, 0.96), (moved, 0.97), (blurred, 0.99), (heavily_blurred, 0.99)],
)
def test_damaged_references_are_refused(
    portraits: Portraits,
    damage: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    least: float,
) -> None:
    refused = 0
    references = [
        (picture, faces)
        for row, picture, faces in zip(
            portraits.rows, portraits.pictures, portraits.faces, strict=True
        )
        if row["role"] == "reference"
    ]
    for picture, faces in references:
        try:
            enrolment(dataclasses.replace(picture, pixels=damage(picture.pixels)), faces)
        except FaceTooBlurred:
            refused += 1
    assert len(references) == 300
    assert refused / len(references) >= least


def dark(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(pixels * 0.12, np.uint8)


def burnt(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(pixels * 3.0 + 60, 0, 255), np.uint8)


def veiled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(pixels * 0.1 + 120, np.uint8)


@pytest.mark.parametrize(("damage", "least"), [(dark, 0.99), (burnt, 0.8), (veiled, 0.9)])
def test_references_in_bad_light_are_refused(
    portraits: Portraits,
    damage: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    least: float,
) -> None:
    refused = 0
    for picture, faces in references(portraits):
        try:
            enrolment(dataclasses.replace(picture, pixels=damage(picture.pixels)), faces)
        except (FaceBadlyLit, FaceTooBlurred):
            refused += 1
    assert refused >= least * 100


def references(portraits: Portraits) -> list[tuple[Picture, tuple[Face, ...]]]:
    """Every third of the 300."""
    every = [
        (picture, faces)
        for row, picture, faces in zip(
            portraits.rows, portraits.pictures, portraits.faces, strict=True
        )
        if row["role"] == "reference"
    ]
    return every[::3]


def advice(picture: Picture, face: Face) -> set[str]:
    assert face.landmarks is not None
    return {one.code for one in advise(measure(align(picture.pixels, face.landmarks), face), 1)}


def painted(picture: Picture, face: Face, *, over: str) -> Picture:
    """Dark glasses over the eyes, or a mask over mouth and chin."""
    points, pixels = face.landmarks, picture.pixels.copy()
    assert points is not None

    def at(point: Point) -> NDArray[np.float64]:
        return np.array([point.x * picture.width_px, point.y * picture.height_px])

    left, right, nose = at(points.left_eye), at(points.right_eye), at(points.nose)
    mouth = (at(points.left_mouth) + at(points.right_mouth)) / 2
    across = right - left
    down = np.array([-across[1], across[0]])
    if over == "eyes":
        for eye in (left, right):
            corners = [eye + a * across + b * down for a, b in ((-0.42, -0.3), (0.42, -0.3))]
            corners += [eye + a * across + b * down for a, b in ((0.42, 0.35), (-0.42, 0.35))]
            cv2.fillConvexPoly(pixels, np.array(corners, np.int32), (22, 20, 20))
    else:
        corners = [nose + 0.9 * across, nose - 0.9 * across]
        corners += [mouth - 0.6 * across + 0.9 * down, mouth + 0.6 * across + 0.9 * down]
        cv2.fillConvexPoly(pixels, np.array(corners, np.int32), (150, 190, 215))
    return dataclasses.replace(picture, pixels=pixels)


def test_glasses_and_masks_are_told_and_plain_faces_left_alone(portraits: Portraits) -> None:
    chosen = [(picture, central(faces)) for picture, faces in references(portraits)]
    plain = [advice(picture, face) for picture, face in chosen]
    assert sum(bool(codes) for codes in plain) <= 5  # measured 2 of 100
    glasses = [advice(painted(one, face, over="eyes"), face) for one, face in chosen]
    assert sum("eyes_hidden" in codes for codes in glasses) >= 80
    masks = [advice(painted(one, face, over="mouth"), face) for one, face in chosen]
    assert sum("mouth_hidden" in codes for codes in masks) >= 80


def test_fused_references_are_better_than_the_best_of_them(portraits: Portraits) -> None:
    """What decision 0023 rests on: mean of two references against the better one of them."""
    role = np.array([row["role"] for row in portraits.rows])
    identity = np.array([row["identity"] for row in portraits.rows])
    people = sorted(set(identity[role == "reference"]))
    own = [portraits.features[(role == "reference") & (identity == one)] for one in people]
    fused = np.stack([one.sum(axis=0) / np.linalg.norm(one.sum(axis=0)) for one in own])
    probes, strangers = role == "probe", role == "stranger"
    truth = np.searchsorted(people, identity[probes])
    missed = []
    for compare in (
        lambda f: np.stack([(f @ one.T).max(axis=1) for one in own], axis=1),
        lambda f: f @ fused.T,
    ):
        best = compare(portraits.features)
        threshold = np.sort(best[strangers].max(axis=1))[-2]  # that one of 600 strangers reaches
        mated = best[probes][np.arange(len(truth)), truth]
        missed.append(int((mated <= threshold).sum()))
    assert missed[1] <= missed[0]


def test_short_numbers_change_no_similarity_by_more_than_the_slack(
    portraits: Portraits, cache: Path, labels: list[dict[str, str]]
) -> None:
    # On a processor without them this computes in full, and there is nothing to be off.
    quick = Embedder(OpenVinoNetwork(lambda: load(SFACE, cache), threads=2, bfloat16=True))
    crops = [
        align(picture.pixels, landmarks)
        for picture, faces in zip(portraits.pictures, portraits.faces, strict=True)
        if faces and (landmarks := central(faces).landmarks)
    ]
    assert len(crops) == len(labels)
    references = np.array([row["role"] == "reference" for row in labels])
    known = portraits.features[references].T
    off = np.abs(quick.embed(np.array(crops)) @ known - portraits.features @ known)[~references]
    print(f"\nbfloat16: off by {off.max():.4f} at most, median {np.median(off):.5f}")  # noqa: T201
    assert off.max() <= SFACE.bfloat16_slack


def matched(
    found: list[tuple[Box, float]], wanted: list[Box], ignored: list[Box], least: float
) -> tuple[int, int]:
    """How many of the wanted boxes were found, and how many finds are of nothing."""
    left, false = list(wanted), 0
    for box, _ in sorted(found, key=lambda item: -item[1]):
        best = max(left, key=box.intersection_over_union, default=None)
        if best is not None and box.intersection_over_union(best) >= least:
            left.remove(best)
        elif not any(
            box.intersection_over_union(other) > 0.3 or box.share_inside(other) > 0.5
            for other in ignored
        ):
            false += 1
    return len(wanted) - len(left), false


def test_everybody_in_a_group_is_found(
    photos: Path,
    group_boxes: dict[str, list[tuple[tuple[float, ...], str]]],
    yunet: OpenVinoNetwork,
    limits: DecodeLimits,
) -> None:
    detector = Detector(yunet, score_threshold=0.6)
    found_at: dict[float, list[int]] = defaultdict(lambda: [0, 0])
    for name, rows in group_boxes.items():
        picture = decode((photos / "groups" / name).read_bytes(), limits)
        size = (picture.width_px, picture.height_px)
        boxes = [(relative(corners, size), label) for corners, label in rows]
        faces = detector.detect(picture, smallest_px=SMALLEST_PX)
        for threshold in (0.6, 0.8):
            found, false = matched(
                [(face.box, face.score) for face in faces if face.score >= threshold],
                [box for box, label in boxes if label == "face"],
                [box for box, label in boxes if label == "ignore"],
                0.35,
            )
            found_at[threshold][0] += found
            found_at[threshold][1] += false
    assert found_at[0.6][0] == 270  # all, with 10 more finds: 6 of them small faces nobody marked
    assert found_at[0.6][1] <= 13
    assert found_at[0.8][0] >= 268
    assert found_at[0.8][1] <= 1


def relative(corners: tuple[float, ...], size: tuple[float, float]) -> Box:
    left, top, right, bottom = corners
    width, height = size
    return Box(left / width, top / height, (right - left) / width, (bottom - top) / height)


def test_most_faces_on_a_bad_day_are_found(
    photos: Path, yunet: OpenVinoNetwork, limits: DecodeLimits
) -> None:
    detector = Detector(yunet, score_threshold=0.5)
    boxes: dict[str, list[Box]] = defaultdict(list)
    with (photos / "hard" / "boxes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            corners = tuple(float(row[key]) for key in ("x1", "y1", "x2", "y2"))
            boxes[row["image"]].append(relative(corners, (1, 1)))
    found: dict[int, int] = defaultdict(int)
    total: dict[int, int] = defaultdict(int)
    for name, marked in sorted(boxes.items()):
        picture = decode((photos / "hard" / name).read_bytes(), limits)
        faces = detector.detect(picture, smallest_px=SMALLEST_PX)
        # 25 px here were 16 px before these photographs were enlarged from 416 to 640 px.
        for least_px in (25, 16):
            wanted = [box for box in marked if box.height * picture.height_px >= least_px]
            total[least_px] += len(wanted)
            pairs = [(face.box, face.score) for face in faces]
            found[least_px] += matched(pairs, wanted, marked, 0.4)[0]
    assert found[25] / total[25] >= 0.87  # measured 0.886
    assert found[16] / total[16] >= 0.78  # measured 0.798


@dataclass(frozen=True)
class Looked:
    """A photograph, its faces and their features."""

    picture: Picture
    faces: tuple[Face, ...]
    features: NDArray[np.float32]


@pytest.fixture(scope="module")
def looked(
    photos: Path,
    portraits: Portraits,
    detector: Detector,
    embedder: Embedder,
    limits: DecodeLimits,
) -> list[Looked]:
    """The groups, and a hundred portraits with everybody in them."""
    groups = [decode(p.read_bytes(), limits) for p in sorted((photos / "groups").glob("*.jpg"))]
    pairs = [(one, detector.detect(one, smallest_px=SMALLEST_PX)) for one in groups]
    pairs += list(zip(portraits.pictures, portraits.faces, strict=True))[:600:6]
    return [Looked(one, faces, features_of(embedder, one.pixels, faces)) for one, faces in pairs]


def as_it_is(pixels: NDArray[np.uint8], _face_px: float) -> NDArray[np.uint8]:
    return pixels


def soft(pixels: NDArray[np.uint8], face_px: float) -> NDArray[np.uint8]:
    """Half a cell of a mosaic: what makes people recognise one from afar."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), face_px / 8), np.uint8)


def sharp(pixels: NDArray[np.uint8], _face_px: float) -> NDArray[np.uint8]:
    gentle = cv2.GaussianBlur(pixels, (0, 0), 3)
    return np.asarray(cv2.addWeighted(pixels, 4, gentle, -3, 0), np.uint8)


SFACE_AT_FMR_1E_3 = 0.363


@pytest.mark.parametrize("style", list(CoverStyle))
@pytest.mark.parametrize("attack", [as_it_is, soft, sharp])
def test_covered_faces_are_recognised_by_nobody(
    looked: list[Looked],
    embedder: Embedder,
    style: CoverStyle,
    attack: Callable[[NDArray[np.uint8], float], NDArray[np.uint8]],
) -> None:
    # Everybody as they are; a part of them, one face at a time, after an attack.
    similarities: list[float] = []
    for one in looked if attack is as_it_is else looked[26::2]:
        pixels = cover(one.picture.pixels, one.faces, style)
        widths = [face.box.width * pixels.shape[1] for face in one.faces]
        # The worst case: somebody knows where the landmarks were.
        after = features_of(embedder, attack(pixels, float(np.mean(widths))), one.faces)
        similarity = (one.features * after).sum(axis=1)
        large = [face.height_px >= 24 for face in one.faces]
        similarities += [float(number) for number in similarity[large]]
    assert len(similarities) > (330 if attack is as_it_is else 50)
    assert max(similarities) < SFACE_AT_FMR_1E_3


def test_a_blur_is_no_cover(looked: list[Looked], embedder: Embedder) -> None:
    matched = []
    for one in looked[26::2]:
        width = one.faces[0].box.width * one.picture.pixels.shape[1]
        blurred_face = cv2.GaussianBlur(one.picture.pixels, (0, 0), width / 24)
        after = features_of(embedder, np.asarray(blurred_face, np.uint8), one.faces[:1])
        matched.append(float(one.features[0] @ after[0]) >= SFACE_AT_FMR_1E_3)
    assert np.mean(matched) > 0.5


def test_no_face_is_found_in_a_fill(looked: list[Looked], detector: Detector) -> None:
    for one in looked[:60]:
        pixels = cover(one.picture.pixels, one.faces, CoverStyle.FILL)
        height, width = pixels.shape[:2]
        hidden = np.zeros((height, width), bool)
        for region in regions(height, width, one.faces):
            hidden |= region.mask(height, width)
        covered = dataclasses.replace(one.picture, pixels=pixels)
        for face in detector.detect(covered, smallest_px=SMALLEST_PX):
            x = int(np.clip(face.box.x + face.box.width / 2, 0, 0.999) * width)
            y = int(np.clip(face.box.y + face.box.height / 2, 0, 0.999) * height)
            assert not hidden[y, x]
