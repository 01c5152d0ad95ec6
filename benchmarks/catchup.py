"""Catching up: the whole against embedding the same faces alone, on the same cores in turn.

    python benchmarks/catchup.py --photographs FOLDER [--newcomers 200] [--rounds 5]

FOLDER holds photographs as `benchmarks/photographs.py` composes them. They are scanned once; then
all their faces meet the newcomers, again and again. Embedding alone is measured in full, and as a
catch-up does it: in short numbers where the processor has them. ``--faces``: what the time is
extrapolated to.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import platformdirs
import sqlalchemy as sa

import machine
from sayso.domain.matching import Promise
from sayso.services.catchup import CatchUp
from sayso.services.eye import Eye
from sayso.services.places import read_photograph
from sayso.services.recognition import Recogniser
from sayso.services.scan import Scan
from sayso.sources.folder import Folder
from sayso.store.photographs import Photograph
from sayso.store.tables import photos
from sayso.vision.align import align, enough_px
from sayso.vision.decode import DecodeLimits, Pixels, decode
from sayso.vision.detect import Detector
from sayso.vision.embed import Embedder
from sayso.vision.models import SFACE, YUNET, ModelManifest, load
from sayso.vision.runtime import OpenVinoNetwork, computes_in_bfloat16
from scale import DIMENSION, WORKERS, Place, clock, enrol

_LIMITS = DecodeLimits(500_000_000, 500_000_000)
_GROUP = 32


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Scan, then catch up and embed in turn."""
    cache = Path(platformdirs.user_cache_dir("sayso"))
    short = computes_in_bfloat16()

    def network(model: ModelManifest, *, bfloat16: bool) -> OpenVinoNetwork:
        return OpenVinoNetwork(
            lambda: load(model, cache), threads=WORKERS, streams=WORKERS, bfloat16=bfloat16
        )

    detecting = network(YUNET, bfloat16=short)
    embedder = Embedder(network(SFACE, bfloat16=False), dimension=DIMENSION)
    quick = Embedder(network(SFACE, bfloat16=True), dimension=DIMENSION) if short else None
    # The newcomers' references are drawn, under this benchmark's own name for the model.
    recogniser = Recogniser(
        embedder,
        "ab" * 32,
        DIMENSION,
        SFACE.calibration,
        Promise(0.001, 0.1),
        quick=quick,
        slack=SFACE.bfloat16_slack if short else 0.0,
    )
    source = Folder(options.photographs)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        place = Place.create(Path(folder), people=0)
        eye = Eye(Detector(detecting, score_threshold=0.6), _LIMITS, 16.0)
        Scan(place.repository, place.book, eye, lambda: recogniser, lambda _: source, clock,
             WORKERS)("club")  # fmt: skip
        with place.repository.writing() as unit:
            for number in range(options.newcomers):
                enrol(unit, number)
        catch_up = CatchUp(place.repository, place.book, _LIMITS, lambda: recogniser,
                           lambda _: source, clock, WORKERS)  # fmt: skip
        with place.repository.reading() as unit:
            placed = unit.files.page("club", limit=100_000)
            known = list(unit.photographs.some(one.photo for one in placed).values())
        full, fitting = crops(source, known, fit=False), crops(source, known, fit=True)

        def whole() -> float:
            with place.repository.database.writing() as connection:
                connection.execute(
                    sa.update(photos)
                    .where(photos.c.compared_through.is_not(None))
                    .values(compared_through=0)
                )
            return cpu_seconds(lambda: faces.append(catch_up().collections[0].faces))

        def alone(by: Embedder) -> float:
            parts = [fitting[start : start + _GROUP] for start in range(0, len(fitting), _GROUP)]
            with ThreadPoolExecutor(WORKERS) as pool:
                return cpu_seconds(lambda: list(pool.map(by.embed, parts)))

        faces: list[int] = []
        ways = {
            "whole": whole,
            "alone": lambda: alone(embedder),
            "quick": lambda: alone(quick or embedder),
        }
        for way in ways.values():
            way()  # once to warm up
        times = machine.alternate(ways, options.rounds)
        alike = np.sum(embedder.embed(full) * embedder.embed(fitting), axis=1)
        place.repository.database.close()
    ratios, quick_ratios = (
        [a / b for a, b in zip(times["whole"], times[way], strict=True)]
        for way in ("alone", "quick")
    )
    whole_s = median(times["whole"])
    return {
        "photographs": len(known),
        "faces": faces[-1],
        "newcomers": options.newcomers,
        "whole_cpu_s": whole_s,
        "embedding_in_full_cpu_s": median(times["alone"]),
        "embedding_cpu_s": median(times["quick"]),
        "ratio_to_full_median": median(ratios),
        "ratio_median": median(quick_ratios),
        "ratio_least": min(quick_ratios),
        "ratio_most": max(quick_ratios),
        "faces_per_cpu_s": faces[-1] / whole_s,
        "extrapolated_faces": options.faces,
        "extrapolated_cpu_h": whole_s / faces[-1] * options.faces / 3600,
        "similarity_to_full_size_least": float(alike.min()),
        "similarity_to_full_size_median": float(np.median(alike)),
    }


def crops(source: Folder, known: list[Photograph], *, fit: bool) -> Pixels:
    """Every face cut out, of full-size photographs or of as small ones as will do."""
    cut = []
    for photograph in known:
        marks = [one.face.landmarks for one in photograph.faces if one.face.landmarks is not None]
        size = (photograph.width_px, photograph.height_px)
        enough = max((enough_px(one, *size) for one in marks), default=1) if fit else None
        data = read_photograph(source, photograph, _LIMITS.max_bytes)
        picture = decode(data, _LIMITS, at_least_px=enough)
        cut += [align(picture.pixels, one) for one in marks]
    return np.stack(cut)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Time of all cores: other work on the machine does not count."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    """Run and keep the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photographs", type=Path, required=True)
    arguments.add_argument("--newcomers", type=int, default=200)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--faces", type=int, default=100_000)
    options = arguments.parse_args()
    machine.keep("catchup", [measure(options)], rounds=options.rounds, workers=WORKERS)


if __name__ == "__main__":
    main()
