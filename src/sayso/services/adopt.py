"""Adding a recogniser to a workspace: verified, tried, and calibrated, or not at all."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sayso.errors import CalibrationRequired, ModelExists, ModelUnfit, SaysoError
from sayso.ledger.entry import Action
from sayso.services.book import Book
from sayso.services.calibrate import Calibrate, Calibrated
from sayso.services.models import recognisers
from sayso.services.ports import Clock, FaceEmbedder, Progress, unwatched
from sayso.store.repository import Repository, Unit
from sayso.vision import fitness
from sayso.vision.manifest import Offered, dumped, read
from sayso.vision.models import YUNET, EmbedderManifest, RecogniserManifest, kept_file


@dataclass(frozen=True, slots=True)
class Added:
    """A model that was added; ``measured`` where it was calibrated for it."""

    manifest: RecogniserManifest
    measured: Calibrated | None


@dataclass(frozen=True, slots=True)
class Adopt:
    """The use case.

    Attributes:
        folder: of the models' files.
        open_embedder: prepares a model whose file lies there.
        open_calibrate: what measures it.
        require_apart: refuses a dataset whose people were asked for something else.
    """

    repository: Repository
    book: Book
    clock: Clock
    folder: Path
    open_embedder: Callable[[EmbedderManifest], FaceEmbedder]
    open_calibrate: Callable[[FaceEmbedder], Calibrate]
    require_apart: Callable[[Path], None]

    def __call__(
        self, path: Path, *, calibrate: Path | None = None, progress: Progress = unwatched
    ) -> Added:
        """Add a model: verified, tried and with what is known of its errors, or not at all.

        Args:
            path: a manifest, or an ONNX file; see `sayso.vision.manifest.read`.
            calibrate: labelled photographs of people who agreed to it; None: the manifest says
                what is known.
            progress: told how many of the photographs are done.

        Raises:
            FileMissing, ManifestMalformed, ModelAltered, ModelUnfit: it is not to be used.
            ModelExists: it is there already, or another of its name.
            CalibrationRequired: nothing is known of its errors, or too little.
            DatasetRefused, FolderMissing, TableMalformed: what it was to be calibrated on.
        """
        offered = _measured_up(read(path))
        manifest = offered.manifest
        if calibrate is not None:
            self.require_apart(calibrate)
        elif not isinstance(manifest, RecogniserManifest):
            raise _not_calibrated(manifest)
        with self.repository.reading() as unit:
            _require_new(unit, manifest)
        file = self._place(offered)
        try:
            added = self._calibrated(manifest, self._tried(manifest), calibrate, progress)
            self._keep(added.manifest)
        except BaseException:
            with self.repository.reading() as unit:
                if manifest.sha256 not in recognisers(unit):  # else another process was faster
                    file.unlink(missing_ok=True)
            raise
        return added

    def _calibrated(
        self,
        manifest: EmbedderManifest,
        embedder: FaceEmbedder,
        dataset: Path | None,
        progress: Progress,
    ) -> Added:
        if dataset is not None:
            measured = self.open_calibrate(embedder)(dataset, progress=progress)
            found = measured.fit.calibration
            return Added(manifest.calibrated(found, measured.provenance, measured.rates), measured)
        if isinstance(manifest, RecogniserManifest):
            return Added(manifest, None)
        raise _not_calibrated(manifest)

    def _place(self, offered: Offered) -> Path:
        """Put the file where the workspace keeps it: all of it or nothing."""
        file = kept_file(self.folder, offered.manifest.sha256)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        part = file.with_suffix(".part")
        try:
            with part.open("wb") as stream:
                stream.write(offered.content)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return file

    def _tried(self, manifest: EmbedderManifest) -> FaceEmbedder:
        try:
            embedder = self.open_embedder(manifest)
            fitness.require_sane(embedder.embed)
        except SaysoError:
            raise
        except Exception as error:  # libraries meet a hostile graph with whatever comes to hand
            raise ModelUnfit(
                expected="a graph that can be run",
                found=(str(error).strip().splitlines() or ["an error"])[-1][:200],
                remedy="Export it anew as ONNX, opset 21 or lower; nothing was added.",
            ) from error
        return embedder

    def _keep(self, manifest: RecogniserManifest) -> None:
        text = dumped(manifest)
        with self.book.writing() as page:
            _require_new(page.unit, manifest)
            page.unit.models.add(manifest.sha256, manifest.name, text, self.clock())
            page.enter(
                Action.MODEL,
                details={
                    "change": "added",
                    "model_sha256": manifest.sha256,
                    "manifest_sha256": hashlib.sha256(text.encode()).hexdigest(),
                },
            )


def _measured_up(offered: Offered) -> Offered:
    """The graph is one that can be used, and says of its features what the manifest says.

    Raises:
        ModelUnfit: not so.
    """
    manifest, dimension = offered.manifest, fitness.dimension_of(offered.content)
    if not manifest.dimension and dimension:
        return Offered(replace(manifest, dimension=dimension), offered.content)
    if dimension not in {0, manifest.dimension} or not manifest.dimension:
        raise ModelUnfit(
            expected=f"features of dimension {manifest.dimension or 'that the graph names'}",
            found=f"{dimension or 'a dimension that it leaves open'}",
            remedy="Say the dimension in a manifest; docs/reference/models.md says how.",
        )
    return offered


def _require_new(unit: Unit, manifest: EmbedderManifest) -> None:
    for one in (YUNET, *recognisers(unit).values()):
        if one.sha256 == manifest.sha256 or one.name.casefold() == manifest.name.casefold():
            raise ModelExists(
                expected="a model, and a name, that are not there yet",
                found=f"{one.name}, SHA-256 {one.sha256[:16]}…",
                remedy="Use it as it is (`sayso models list`), or remove it first: `sayso models "
                "remove NAME`. Another model needs another name.",
            )


def _not_calibrated(manifest: EmbedderManifest) -> CalibrationRequired:
    return CalibrationRequired(
        expected=f"a calibration of {manifest.name}",
        found="none in the manifest",
        remedy="Add --calibrate DATASET: photographs of at least 100 people who agreed to it, as "
        "for `sayso evaluate`. Without, no threshold would keep the promise.",
    )
