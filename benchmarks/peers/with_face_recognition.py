"""face_recognition (dlib): its default detector and encoder, each file.

At full size, or shrunk to the longest side that the variable ``LONGEST_PX`` gives.
"""

import os
import time

started = time.perf_counter()

from collections.abc import Callable, Sequence  # noqa: E402

import contest  # noqa: E402
import face_recognition  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402


def begin() -> Callable[[str], Sequence[contest.Box]]:
    """Nothing to load: the models come with the import."""
    longest_px = int(os.environ.get("LONGEST_PX", "0"))

    def look(file: str) -> Sequence[contest.Box]:
        scale = 1.0
        if longest_px:
            picture = Image.open(file).convert("RGB")
            scale = max(picture.size) / longest_px
            picture.thumbnail((longest_px, longest_px))
            pixels = np.asarray(picture)
        else:
            pixels = face_recognition.load_image_file(file)
        places = face_recognition.face_locations(pixels)
        face_recognition.face_encodings(pixels, places)
        return [
            (left * scale, top * scale, (right - left) * scale, (bottom - top) * scale)
            for top, right, bottom, left in places
        ]

    return look


if __name__ == "__main__":
    contest.enter("face_recognition", begin, started=started)
