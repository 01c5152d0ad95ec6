"""From enrolment images to references: each must show one usable face, and all the same person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sayso.errors import FaceError, NoFace, PhotographError, ReferenceDisagrees, SaysoError
from sayso.services.enrolment import Image
from sayso.services.eye import Eye
from sayso.services.recognition import Recogniser
from sayso.vision.align import align
from sayso.vision.quality import measure
from sayso.vision.reference import Advice, advise, enrolment


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """What became of one enrolment image.

    Attributes:
        usable: 0 (not at all) to 1 (ideal); 0 where it was refused for what it shows.
        refused: why it is no reference; None where it is one.
        advice: how one that was taken could be better.
    """

    path: str
    usable: float
    height_px: float
    sharpness: float
    refused: SaysoError | None
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """An image that was looked at; ``features`` (D,) of unit length where it can be a reference."""

    quality: ImageQuality
    features: npt.NDArray[np.float32] | None

    def but(self, refused: SaysoError) -> "Looked":
        """The same image, refused."""
        return Looked(replace(self.quality, refused=refused, advice=()), None)


def look(images: Sequence[Image], eye: Eye, recogniser: Recogniser) -> list[Looked]:
    """Look at each image; one that cannot be a reference is told with the reason."""
    looked = []
    for image in images:
        try:
            looked.append(_looked(image, eye, recogniser))
        except (FaceError, PhotographError) as error:
            looked.append(Looked(ImageQuality(image.path, 0.0, 0.0, 0.0, error), None))
    return looked


def agreeing(
    looked: Sequence[Looked], known: Sequence[npt.NDArray[np.float32]], least: float
) -> list[Looked]:
    """Refuse what is not like the person's other references.

    References that are alike, one by one, belong together. Those that belong to what is known of
    the person stay; where nothing is, those that more than half of all belong to. Two images of
    which nobody can say which is the right one are both refused.

    Args:
        looked: at; refused ones pass through.
        known: the person's references so far, (D,) each.
        least: similarity (cosine) that references of one person have at least.
    """
    new = [place for place, one in enumerate(looked) if one.features is not None]
    vectors = [*known, *(f for one in looked if (f := one.features) is not None)]
    if not new or len(vectors) == 1:
        return list(looked)
    similarity = np.stack(vectors) @ np.stack(vectors).T
    alike = similarity >= least
    alike[: len(known), : len(known)] = True
    together = _together(alike)
    chosen = together[0] if known else max(together, key=len)
    if not known and 2 * len(chosen) <= len(new):
        chosen = set()
    refused = {place for row, place in enumerate(new, len(known)) if row not in chosen}
    np.fill_diagonal(similarity, -1)
    best = {place: float(similarity[row].max()) for row, place in enumerate(new, len(known))}
    return [
        one.but(_disagrees(best[place], least)) if place in refused else one
        for place, one in enumerate(looked)
    ]


def fused(vectors: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """One unit vector (D,) for several, at least one: their mean (0023)."""
    total = np.sum(vectors, axis=0, dtype=np.float64)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)


def _looked(image: Image, eye: Eye, recogniser: Recogniser) -> Looked:
    picture, faces = eye.look(image.data)
    face = enrolment(picture, faces)
    if face.landmarks is None:
        raise _no_face()
    quality = measure(align(picture.pixels, face.landmarks), face)
    [vector] = recogniser.features(picture, [face])
    if not vector.any():
        raise _no_face()
    kept = ImageQuality(
        image.path,
        quality.usable,
        quality.height_px,
        quality.sharpness,
        None,
        advise(quality, len(faces)),
    )
    return Looked(kept, vector)


def _together(alike: npt.NDArray[np.bool_]) -> list[set[int]]:
    """The rows in groups, in the order of each group's first: alike, directly or by others."""
    left = set(range(len(alike)))
    groups = []
    while left:
        group, edge = set(), {min(left)}
        while edge:
            group |= edge
            edge = {int(n) for row in edge for n in np.flatnonzero(alike[row])} - group
        left -= group
        groups.append(group)
    return groups


def _disagrees(similarity: float, least: float) -> ReferenceDisagrees:
    return ReferenceDisagrees(
        expected=f"a face like the person's other references (similarity {least:.2f} or more)",
        found=f"{similarity:.2f}",
        remedy="Leave out the picture that shows somebody else. If you know that all of them show "
        "this person, add --vouch.",
    )


def _no_face() -> NoFace:
    return NoFace(
        expected="a face with its eyes, nose and mouth",
        found="none",
        remedy="Use a photograph that shows the face from the front.",
    )
