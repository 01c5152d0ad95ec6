"""DeepFace with YuNet and SFace: ``DeepFace.represent`` of each file.

DeepFace looks at 640 px. The threshold comes from the variable ``yunet_score_threshold``, the
weights from ``.deepface/weights`` under ``DEEPFACE_HOME``; `contenders` sets both.
"""

import time

started = time.perf_counter()

from collections.abc import Callable, Sequence  # noqa: E402

import contest  # noqa: E402
from deepface import DeepFace  # noqa: E402


def begin() -> Callable[[str], Sequence[contest.Box]]:
    """Load both models."""
    DeepFace.build_model("SFace")
    DeepFace.build_model("yunet", task="face_detector")

    def look(file: str) -> Sequence[contest.Box]:
        found = DeepFace.represent(
            file, model_name="SFace", detector_backend="yunet", enforce_detection=False
        )
        areas = [one["facial_area"] for one in found if one["face_confidence"] > 0]
        return [(area["x"], area["y"], area["w"], area["h"]) for area in areas]

    return look


if __name__ == "__main__":
    contest.enter("deepface", begin, started=started)
