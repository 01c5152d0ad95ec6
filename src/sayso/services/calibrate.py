"""Learning from labelled photographs how often a recogniser is wrong. Nothing of them is kept.

As in `sayso.services.evaluate`, features are compared within the dataset alone and go with the
call.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.errors import CalibrationRequired, PhotographError
from sayso.rates.calibration import FEWEST_IDENTITIES, Fit, fit
from sayso.rates.interval import Rate
from sayso.rates.scores import all_pairs
from sayso.rates.verification import Verification, verification
from sayso.services.evaluate import Skipped
from sayso.services.eye import Eye
from sayso.services.labelled import label
from sayso.services.pipeline import in_order
from sayso.services.ports import FaceEmbedder, OpenSource, PhotographSource, Progress, unwatched
from sayso.sources.dataset import read_dataset
from sayso.vision.align import align
from sayso.vision.reference import main_face


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What labelled photographs say of a recogniser.

    Attributes:
        fit: the distribution of its non-mated similarities.
        verification: its 1:1 error rates on them.
        photographs: in which a face was found.
        faceless: in which none was.
        skipped: that could not be opened.
    """

    fit: Fit
    verification: Verification
    photographs: int
    faceless: int
    skipped: tuple[Skipped, ...]

    @property
    def provenance(self) -> str:
        """Where the calibration comes from, for the model's manifest."""
        return (
            f"Fitted by Sayso to all {self.fit.pairs:,} non-mated pairs of {self.photographs:,} "
            f"photographs of {self.fit.identities:,} people, given with `sayso models add`. It "
            "holds for photographs like those."
        )

    @property
    def rates(self) -> str:
        """The error rates, for the model's card."""
        found = [
            f"at FMR {at.false_match_rate:g}, FNMR {_missed(at.true_accept_rate)} (similarity "
            f"{at.threshold.value:.3f})"
            for at in self.verification.at
            if at.supported
        ]
        return f"1:1, on the photographs of its calibration: {'; '.join(found) or 'too few pairs'}."


@dataclass(frozen=True, slots=True)
class Calibrate:
    """The use case.

    Attributes:
        workers: photographs in work at once.
    """

    eye: Eye
    embedder: FaceEmbedder
    open_source: OpenSource
    workers: int

    def __call__(self, folder: Path, *, progress: Progress = unwatched) -> Calibrated:
        """Compare every two photographs of a dataset, see `sayso.sources.dataset.read_dataset`.

        Args:
            folder: photographs of people who agreed to it, by person.
            progress: told how many photographs are done.

        Raises:
            FolderMissing, TableMalformed: there is nothing to calibrate with.
            CalibrationRequired: there are too few people.
        """
        samples = read_dataset(folder, labels=None, boxes=None).samples
        source = self.open_source(str(folder))
        seen, skipped = [], []
        progress(0, len(samples))
        looked = in_order(
            lambda sample: self._features(source, sample.path), samples, workers=self.workers
        )
        for done, (sample, give) in enumerate(zip(samples, looked, strict=True), 1):
            try:
                features = give()
                if features is not None:
                    seen.append((sample, features, None))
            except PhotographError as error:
                skipped.append(Skipped(sample.path, error.reason_code, error.reason))
            progress(done, len(samples))
        labelled = label(seen)
        if len(labelled.names) < FEWEST_IDENTITIES:
            raise CalibrationRequired(
                expected=f"photographs of at least {FEWEST_IDENTITIES} people with a face in them",
                found=f"{len(labelled.names)}",
                remedy="Give more people who agreed to it: of fewer the rates are not known.",
            )
        scores = all_pairs(labelled.features, labelled.identity)
        found = fit(labelled.features, labelled.identity, scores)
        if found is None:
            raise CalibrationRequired(
                expected="photographs of different people that the model tells apart",
                found="similarities that are all the same",
                remedy="Give other photographs: these, or the model, say nothing of its errors.",
            )
        return Calibrated(
            found,
            verification(scores, len(labelled.names)),
            len(seen),
            len(samples) - len(seen) - len(skipped),
            tuple(skipped),
        )

    def _features(self, source: PhotographSource, path: str) -> NDArray[np.float32] | None:
        """Features (D,) of the face that is meant; None where there is none."""
        picture, faces = self.eye.look(source.read(path, max_bytes=self.eye.limits.max_bytes))
        if not faces:
            return None
        face = main_face(faces)
        if face.landmarks is None:
            return None
        features = self.embedder.embed(align(picture.pixels, face.landmarks)[None])[0]
        return features if features.any() else None


def _missed(accepted: Rate) -> str:
    """1 - TAR with its interval."""
    return f"{1 - accepted.value:.4f} ({1 - accepted.high:.4f} to {1 - accepted.low:.4f})"
