"""Eyes and recognisers: the models with the settings that they are used with."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.errors import DeviceMissing
from sayso.settings import CPU, CUDA
from sayso.wiring import cache
from sayso.wiring.layout import ADDED

if TYPE_CHECKING:
    from sayso.domain.person import PersonId
    from sayso.services.eye import Eye
    from sayso.services.galleries import Galleries
    from sayso.services.models import Chosen
    from sayso.services.recognition import Recogniser
    from sayso.settings import Settings
    from sayso.store.repository import Repository
    from sayso.vision.decode import DecodeLimits
    from sayso.vision.embed import Embedder
    from sayso.vision.models import EmbedderManifest, ModelManifest, RecogniserManifest
    from sayso.vision.runtime import Network

_LOG = logging.getLogger(__name__)
_CODE = "compiled"
"""The folder for compiled networks, inside that for prepared models."""


@dataclass(frozen=True)
class Models:
    """What looks at pictures; each is imported and loaded when first asked for.

    Attributes:
        repository: of the workspace, which says by which models people are compared; None: there
            is none.
    """

    settings: Settings
    repository: Repository | None = None

    @cached_property
    def eye(self) -> Eye:
        """Decodes photographs and finds faces."""
        from sayso.services.eye import Eye
        from sayso.vision.detect import Detector
        from sayso.vision.models import YUNET, require_unaltered
        from sayso.vision.runtime import FirstCalled

        settings = self.settings
        require_unaltered(YUNET)
        network = FirstCalled(lambda: self._network(YUNET, bfloat16=self._has_bfloat16))
        return Eye(
            Detector(network, score_threshold=settings.detection_score),
            self.limits,
            settings.smallest_face_px,
        )

    @property
    def limits(self) -> DecodeLimits:
        """What is refused before it is decoded."""
        from sayso.vision.decode import DecodeLimits

        settings = self.settings
        return DecodeLimits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)

    @cached_property
    def recogniser(self) -> Recogniser:
        """Computes features, with what is known of its errors; and the one that is being left."""
        from dataclasses import replace

        from sayso.services.galleries import Galleries

        chosen, galleries = self.chosen(), Galleries()
        loaded = self.recogniser_of(chosen.manifest, galleries)
        if chosen.former is None:
            return replace(loaded, in_use=chosen.in_use)
        former = self.recogniser_of(chosen.former, galleries)
        return replace(loaded, former=former, in_use=chosen.in_use)

    def recogniser_of(self, manifest: RecogniserManifest, galleries: Galleries) -> Recogniser:
        """One recogniser by itself."""
        from sayso.services.recognition import Recogniser
        from sayso.vision.models import require_unaltered
        from sayso.vision.runtime import FirstCalled

        require_unaltered(manifest, self.added)
        slack = manifest.bfloat16_slack if self._has_bfloat16 else 0.0

        def embedder(*, bfloat16: bool) -> Embedder:
            # Compiled when a face is there to compute; in full, if one is near a threshold.
            network = FirstCalled(lambda: self._network(manifest, bfloat16=bfloat16))
            return self._embedder(manifest, network, few=bool(slack) and not bfloat16)

        return Recogniser(
            embedder(bfloat16=False),
            manifest.sha256,
            manifest.dimension,
            manifest.calibration,
            self.settings.promise,
            galleries,
            quick=embedder(bfloat16=True) if slack else None,
            slack=slack,
        )

    def embedder(self, manifest: EmbedderManifest) -> Embedder:
        """Computes features, in full."""
        from sayso.vision.models import require_unaltered

        require_unaltered(manifest, self.added)
        return self._embedder(manifest, self._network(manifest))

    def _embedder(
        self, manifest: EmbedderManifest, network: Network, *, few: bool = False
    ) -> Embedder:
        from sayso.vision.cuda import faces_at_once
        from sayso.vision.embed import CHUNK, FEW, Embedder

        chunk = FEW if few else CHUNK
        if self._on_gpu:
            chunk = faces_at_once(self._device_bytes)
        return Embedder(
            network, dimension=manifest.dimension, chunk=chunk, prepare=manifest.prepared
        )

    def chosen(self) -> Chosen:
        """By which models people are compared."""
        from sayso.services.models import DEFAULT, Chosen, chosen

        if self.repository is None:
            return Chosen(DEFAULT, None, None)
        with self.repository.reading() as unit:
            return chosen(unit)

    @property
    def added(self) -> Path | None:
        """The folder of models that were added to the workspace."""
        if self.repository is None:
            return None
        return self.repository.database.path.parent / ADDED

    def let_go(self, person: PersonId) -> None:
        """Remove a person from the galleries in memory; there are none before a recogniser is."""
        if "recogniser" in vars(self):
            self.recogniser.galleries.let_go(person)

    @cached_property
    def _on_gpu(self) -> bool:
        """Whether networks run on a GPU; that there is none is said, or refused, at once."""
        from sayso.vision.cuda import require_gpu

        if self.settings.device == CPU:
            return False
        try:
            require_gpu()
        except DeviceMissing as missing:
            if self.settings.device == CUDA:
                raise
            _LOG.warning("The processor is used instead of a GPU: found %s.", missing.found)
            return False
        return True

    @property
    def _device_bytes(self) -> int:
        return self.settings.device_memory_mb * 1_000_000

    @cached_property
    def cache(self) -> Path:
        """The folder for prepared models."""
        import platformdirs

        return Path(self.settings.cache or platformdirs.user_cache_dir("sayso"))

    @cached_property
    def _trusted(self) -> Path | None:
        """The same, where nobody else can have put anything into it; else None."""
        return cache.trusted(self.cache)

    @property
    def note(self) -> str | None:
        """What is to be said of the folder; None: nothing."""
        fault = cache.fault(self.cache)
        if fault is None:
            return None
        return (
            f"Prepared models are not kept: found {fault}. Whoever can write there could have "
            "another network run. Remove the folder, or set `cache` to one that only this account "
            "can write in; until then models are prepared at each start."
        )

    @cached_property
    def _has_bfloat16(self) -> bool:
        """Whether what need not be computed in float32 is computed faster."""
        from sayso.vision.runtime import computes_in_bfloat16

        return not self._on_gpu and computes_in_bfloat16()

    def _network(self, manifest: ModelManifest, *, bfloat16: bool = False) -> Network:
        from sayso.vision.models import folded_name, load

        def model() -> bytes:
            return load(manifest, self._trusted, self.added)

        if self._on_gpu:
            from sayso.vision.cuda import CudaNetwork

            return CudaNetwork(model(), memory_bytes=self._device_bytes)
        from sayso.vision.runtime import CodeFolder, OpenVinoNetwork

        # One stream for each worker: photographs are worked on side by side, not one by all.
        cores, folder = self.settings.cores, self._trusted
        return OpenVinoNetwork(
            model,
            threads=cores,
            streams=cores,
            code=None if folder is None else CodeFolder(folder / _CODE, folded_name(manifest)),
            bfloat16=bfloat16,
        )
