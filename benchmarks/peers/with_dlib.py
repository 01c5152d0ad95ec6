"""dlib's recogniser on covered faces: what it makes of them, against the originals.

    python benchmarks/peers/with_dlib.py FOLDER

FOLDER holds ``faces.json`` (names of stacks; boxes of the originals and of the references, pixels)
and, beside it, ``originals.npy``, ``references.npy`` and ``<stack>.npy``: uint8 (N, H, W, 3) RGB.
Landmarks are those of the original, whatever covers them. Writes ``<stack>.features.npy`` beside
each: float32 (N, 128).
"""

import json
import sys
from pathlib import Path

import dlib
import face_recognition_models as models
import numpy as np


def main() -> None:
    """Compute the features of every stack."""
    folder = Path(sys.argv[1])
    said = json.loads((folder / "faces.json").read_text("utf-8"))
    points = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
    network = dlib.face_recognition_model_v1(models.face_recognition_model_location())

    def landmarks(stack: str, boxes: list[list[int]]) -> list[dlib.full_object_detection]:
        pictures = np.load(folder / f"{stack}.npy", mmap_mode="r")
        return [
            points(np.ascontiguousarray(one), dlib.rectangle(*box))
            for one, box in zip(pictures, boxes, strict=True)
        ]

    def enlarged(shape: dlib.full_object_detection, times: float) -> dlib.full_object_detection:
        box = shape.rect
        corners = [box.left(), box.top(), box.right(), box.bottom()]
        moved = [dlib.point(round(p.x * times), round(p.y * times)) for p in shape.parts()]
        return dlib.full_object_detection(
            dlib.rectangle(*(round(one * times) for one in corners)), moved
        )

    of = {"references": landmarks("references", said["reference_boxes"])}
    originals = landmarks("originals", said["boxes"])
    side = np.load(folder / "originals.npy", mmap_mode="r").shape[2]
    for stack in ("references", "originals", *said["stacks"]):
        pictures = np.load(folder / f"{stack}.npy", mmap_mode="r")
        times = pictures.shape[2] / side
        shapes = [enlarged(shape, times) for shape in of.get(stack, originals)]
        features = [
            np.array(network.compute_face_descriptor(
                dlib.get_face_chip(np.ascontiguousarray(one), shape, size=150, padding=0.25)
            ))
            for one, shape in zip(pictures, shapes, strict=True)
        ]  # fmt: skip
        np.save(folder / f"{stack}.features.npy", np.array(features, np.float32))
    print(json.dumps({"stacks": len(said["stacks"])}))


if __name__ == "__main__":
    main()
