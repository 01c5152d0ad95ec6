"""Features of aligned faces. They exist in memory only; what may be kept is decided elsewhere."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sayso.errors import ModelUnfit
from sayso.vision.decode import Pixels
from sayso.vision.runtime import Network, planes

CHUNK = 16
"""Crops that go through the network at once on a processor; more are no faster."""
FEW = 2
"""Where there are but one or two of sixteen; it takes less memory."""
_SMALLEST_NORM = 1e-6


class Embedder:
    """Computes features. Safe to call from several threads.

    Args:
        network: batch (N, 3, 112, 112), one output (N, dimension).
        dimension: of the features.
        chunk: how many crops go through the network at once; bounds memory.
        prepare: from crops (N, 112, 112, 3), uint8 RGB, to what the network takes, see
            `sayso.vision.models.EmbedderManifest.prepared`; None: the crops as they are.
    """

    def __init__(
        self,
        network: Network,
        *,
        dimension: int = 128,
        chunk: int = CHUNK,
        prepare: Callable[[Pixels], NDArray[np.generic]] | None = None,
    ) -> None:
        self._network = network
        self._dimension = dimension
        self._chunk = chunk
        self._prepare = prepare

    def embed(self, crops: Pixels) -> NDArray[np.float32]:
        """Features of unit length.

        Args:
            crops: uint8 (N, 112, 112, 3) RGB, as `sayso.vision.align.align` cuts them; N may
                be 0.

        Returns:
            float32 (N, dimension). A crop of which the network makes nothing gives zeros, whose
            similarity to anything is 0: it matches nobody.

        Raises:
            ModelUnfit: the network gives something else than one row for each crop.
        """
        features = np.zeros((len(crops), self._dimension), np.float32)
        for start in range(0, len(crops), self._chunk):
            part = crops[start : start + self._chunk]
            given = part if self._prepare is None else self._prepare(part)
            (raw,) = list(self._network(planes(given)).values())[:1]
            if raw.shape != (len(part), self._dimension):
                raise ModelUnfit(
                    expected=f"features of shape ({len(part)}, {self._dimension})",
                    found=f"shape {raw.shape}",
                    remedy="Mend the manifest's dimension, or use a model that takes a batch.",
                )
            features[start : start + len(part)] = _unit(raw)
        return features


def _unit(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = np.linalg.norm(raw.astype(np.float64), axis=1, keepdims=True)
    usable = np.isfinite(norm) & (norm > _SMALLEST_NORM)
    divisor = np.where(usable, norm, 1.0)
    return np.where(usable, np.nan_to_num(raw) / divisor, 0.0).astype(np.float32)
