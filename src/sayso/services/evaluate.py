"""Measuring error rates on labelled photographs. It needs no workspace and keeps nothing.

Features are compared within the dataset alone, exist in memory, and go with the call. What comes
out are rates, and the paths of the pairs that went most wrong.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.domain.face import Face
from sayso.domain.matching import GallerySize
from sayso.errors import FaceError, NoFace, PhotographError, TableMalformed
from sayso.rates.calibration import Fit, fit
from sayso.rates.detection import Detection, Marks, as_boxes, detection
from sayso.rates.groups import Groups, groups
from sayso.rates.identification import InGallery, Limits, Searches, identification
from sayso.rates.interval import Rate, of_trials
from sayso.rates.scores import Scores, all_pairs
from sayso.rates.verification import Verification, verification
from sayso.services.eye import Eye
from sayso.services.labelled import Labelled, Plan, label, plan
from sayso.services.pipeline import in_order
from sayso.services.ports import OpenSource, PhotographSource, Progress, unwatched
from sayso.services.recognition import LoadRecogniser
from sayso.sources.dataset import Mark, Sample, read_dataset
from sayso.vision.align import align
from sayso.vision.decode import Picture
from sayso.vision.reference import enrolment, main_face

REFERENCES = 2
"""References of each person, where the dataset does not say which photographs are references."""
_WORST = 12


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photograph of the dataset that could not be opened."""

    path: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photographs that were compared, and their similarity (cosine)."""

    first: str
    second: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Attributes:
        photographs: opened.
        identities: people in them, by the dataset's labels.
        skipped: photographs that could not be opened.
        failure_to_detect: share of labelled photographs in which no face was found.
        failure_to_enrol: share of people none of whose references the product would take; None
            where nobody was to be enrolled.
        refused: references that were refused, by reason code.
        verification: 1:1; None without labels.
        calibration: what these photographs say of the recogniser; None for fewer than 100
            people, or photographs that are all the same.
        identification: 1:N by gallery size; empty without references or probes.
        groups: rates of groups; None where the dataset names none.
        detection: None without marked faces.
        false_matches, false_non_matches: the pairs that went most wrong, worst first.
        model: name and SHA-256 of the recogniser.
        seconds: that it took.
    """

    photographs: int
    identities: int
    skipped: tuple[Skipped, ...]
    failure_to_detect: Rate | None
    failure_to_enrol: Rate | None
    refused: Mapping[str, int]
    verification: Verification | None
    calibration: Fit | None
    identification: tuple[InGallery, ...]
    groups: Groups | None
    detection: Detection | None
    false_matches: tuple[Pair, ...]
    false_non_matches: tuple[Pair, ...]
    model: tuple[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Measured:
    """One photograph as it was seen.

    Attributes:
        found: (K, 4) boxes, pixels, best score first.
        features: (D,) of the face that is meant; None where there is none.
        refusal: why the product would not take it as a reference; None if it would.
    """

    size_px: tuple[int, int]
    found: NDArray[np.float64]
    features: NDArray[np.float32] | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Evaluate:
    """The use case. The recogniser is loaded only for a dataset with identities.

    Attributes:
        workers: photographs in work at once.
        model: the recogniser's name.
    """

    eye: Eye
    load_recogniser: LoadRecogniser
    open_source: OpenSource
    workers: int
    model: str

    def __call__(
        self,
        folder: Path,
        *,
        labels: Path | None = None,
        boxes: Path | None = None,
        references: int = REFERENCES,
        progress: Progress = unwatched,
    ) -> Evaluation:
        """Measure.

        Args:
            folder: the dataset.
            labels: its table of identities; see `sayso.sources.dataset.read_dataset`.
            boxes: its table of marked faces.
            references: of each person, where the dataset names none: the first so many by path.
            progress: told how many photographs are done.

        Raises:
            FolderMissing, TableMalformed: there is nothing to measure with.
        """
        started = time.monotonic()
        dataset = read_dataset(folder, labels=labels, boxes=boxes)
        samples = {sample.path: sample for sample in dataset.samples}
        measured, skipped = self._look(
            sorted(samples.keys() | dataset.marks.keys()),
            samples,
            self.open_source(str(folder)),
            progress,
        )
        if not measured:
            raise TableMalformed(
                expected=f"photographs of {folder} that can be opened",
                found=f"none of {len(skipped)}; {skipped[0].path}: {skipped[0].reason}",
                remedy="Mend the paths in the table, or the rights of the files.",
            )
        labelled = label(
            (samples[path], one.features, one.refusal)
            for path, one in measured.items()
            if path in samples and one.features is not None
        )
        opened = sum(path in measured for path in samples)
        scores = all_pairs(labelled.features, labelled.identity) if len(labelled.samples) else None
        chosen = plan(labelled, references)
        return Evaluation(
            photographs=len(measured),
            identities=len(labelled.names),
            skipped=tuple(skipped),
            failure_to_detect=_share(opened - len(labelled.samples), opened),
            failure_to_enrol=_share(chosen.not_enrolled, chosen.not_enrolled + len(chosen.persons)),
            refused=chosen.refused,
            verification=verification(scores, len(labelled.names)) if scores else None,
            calibration=fit(labelled.features, labelled.identity, scores) if scores else None,
            identification=self._search(labelled, chosen),
            groups=_grouped(labelled, scores) if scores else None,
            detection=_detected(measured, dataset.marks),
            false_matches=_false_matches(labelled, scores) if scores else (),
            false_non_matches=_false_non_matches(labelled, scores) if scores else (),
            model=(self.model, self.load_recogniser().model_sha256 if opened else ""),
            seconds=time.monotonic() - started,
        )

    def _look(
        self,
        paths: Sequence[str],
        samples: Mapping[str, Sample],
        source: PhotographSource,
        progress: Progress,
    ) -> tuple[dict[str, _Measured], list[Skipped]]:
        def measure(path: str) -> _Measured | Skipped:
            try:
                data = source.read(path, max_bytes=self.eye.limits.max_bytes)
                picture, faces = self.eye.glance(data, for_features=True)
            except PhotographError as error:
                return Skipped(path, error.reason_code, error.reason)
            if path not in samples:
                return self._measured(picture, self.eye.scrutinise(picture), labelled=False)
            return self._measured(picture, faces, labelled=True)

        measured: dict[str, _Measured] = {}
        skipped = []
        progress(0, len(paths))
        found = in_order(measure, paths, workers=self.workers)
        for done, (path, give) in enumerate(zip(paths, found, strict=True), 1):
            one = give()
            if isinstance(one, Skipped):
                skipped.append(one)
            else:
                measured[path] = one
            progress(done, len(paths))
        return measured, skipped

    def _measured(self, picture: Picture, faces: Sequence[Face], *, labelled: bool) -> _Measured:
        size = (picture.width_px, picture.height_px)
        ranked = sorted(faces, key=lambda face: -face.score)
        found = as_boxes([_pixels(face, size) for face in ranked])
        if not labelled or not faces:
            return _Measured(size, found, None, NoFace.code)
        face = main_face(faces)
        features = None
        if face.landmarks is not None:
            crop = align(picture.pixels, face.landmarks)
            features = self.load_recogniser().embedder.embed(crop[None])[0]
        try:
            enrolment(picture, faces)
        except FaceError as error:
            return _Measured(size, found, features, error.reason_code)
        return _Measured(size, found, features, None)

    def _search(self, labelled: Labelled, chosen: Plan) -> tuple[InGallery, ...]:
        if not (len(chosen.persons) and len(chosen.probes)):
            return ()
        starts = np.searchsorted(chosen.owners, np.arange(len(chosen.persons)))
        fused = np.add.reduceat(labelled.features[chosen.references], starts, axis=0)
        fused /= np.linalg.norm(fused, axis=1, keepdims=True)
        best = labelled.features[chosen.probes] @ fused.T
        place = np.full(len(labelled.names), -1, np.intp)
        place[chosen.persons] = np.arange(len(chosen.persons))
        subject = labelled.identity[chosen.probes]
        searches = Searches(
            best, place[subject], subject, np.bincount(chosen.owners, minlength=len(chosen.persons))
        )
        recogniser = self.load_recogniser()

        def limits(size: GallerySize) -> Limits:
            found = recogniser.limits(size)
            return Limits(found.match, found.review)

        return identification(searches, limits)


def _grouped(labelled: Labelled, scores: Scores) -> Groups | None:
    names = [sample.group for sample in labelled.samples]
    if not any(names):
        return None
    return groups(labelled.features, labelled.identity, names, scores)


def _detected(
    measured: Mapping[str, _Measured], marks: Mapping[str, Sequence[Mark]]
) -> Detection | None:
    if not marks:
        return None
    return detection(
        _marked(measured[path], marks[path]) for path in sorted(marks) if path in measured
    )


def _marked(one: _Measured, marks: Sequence[Mark]) -> Marks:
    width, height = one.size_px

    def pixels(mark: Mark) -> tuple[float, float, float, float]:
        x, y, w, h = mark.box
        return (x * width, y * height, w * width, h * height) if mark.relative else mark.box

    return Marks(
        as_boxes([pixels(mark) for mark in marks if not mark.ignored]),
        as_boxes([pixels(mark) for mark in marks if mark.ignored]),
        one.found,
    )


def _pixels(face: Face, size_px: tuple[int, int]) -> tuple[float, float, float, float]:
    (width, height), box = size_px, face.box
    return box.x * width, box.y * height, box.width * width, box.height * height


def _false_matches(labelled: Labelled, scores: Scores) -> tuple[Pair, ...]:
    found = scores.non_mated
    return tuple(
        _pair(labelled, int(found.first[at]), int(found.second[at]), float(found.similarity[at]))
        for at in range(min(_WORST, len(found.similarity)))
    )


def _false_non_matches(labelled: Labelled, scores: Scores) -> tuple[Pair, ...]:
    found = scores.mated
    return tuple(
        _pair(labelled, int(found.first[at]), int(found.second[at]), float(found.similarity[at]))
        for at in np.argsort(found.similarity, kind="stable")[:_WORST]
    )


def _pair(labelled: Labelled, first: int, second: int, similarity: float) -> Pair:
    return Pair(labelled.samples[first].path, labelled.samples[second].path, similarity)


def _share(events: int, trials: int) -> Rate | None:
    return of_trials(events, trials) if trials else None
