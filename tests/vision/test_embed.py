from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sayso.vision.embed import Embedder
from sayso.vision.runtime import Batch


class Means:
    """A network whose features are the mean of each plane, and that counts its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        self.batches.append(len(batch))
        return {"features": batch.mean(axis=(2, 3))}


class Broken:
    def __call__(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        raw = np.full((len(batch), 3), np.nan, np.float32)
        raw[-1] = [3, 0, 4]
        return {"features": raw}


def test_features_keep_the_order_of_the_crops_and_of_the_colours() -> None:
    crops = np.zeros((2, 112, 112, 3), np.uint8)
    crops[0, :, :, 0] = 100
    crops[1, :, :, 2] = 50
    features = Embedder(Means(), dimension=3).embed(crops)
    assert np.allclose(features, np.array([[1, 0, 0], [0, 0, 1]]))


def test_no_more_crops_than_a_chunk_go_in_at_once() -> None:
    network = Means()
    crops = np.full((9, 112, 112, 3), 7, np.uint8)
    features = Embedder(network, dimension=3, chunk=4).embed(crops)
    assert max(network.batches) <= 4
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-6)


def test_no_crops_give_no_features() -> None:
    found = Embedder(Means(), dimension=3).embed(np.zeros((0, 112, 112, 3), np.uint8))
    assert found.shape == (0, 3)


def test_a_crop_of_which_nothing_comes_matches_nobody() -> None:
    features = Embedder(Broken(), dimension=3).embed(np.zeros((2, 112, 112, 3), np.uint8))
    assert np.allclose(features, np.array([[0, 0, 0], [0.6, 0, 0.8]]))
