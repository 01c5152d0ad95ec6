"""Speed and size of the ledger: appends, opening, proofs, erasing and verifying, by log size.

    python benchmarks/ledger.py [--entries 1000000] [--folder FOLDER] [--json FILE]

One thread, real flushes (the appends one by one are as fast as the disk flushes three times).
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sayso.ledger import merkle, proof
from sayso.ledger.checkpoint import SigningKey
from sayso.ledger.entry import Action, Draft
from sayso.ledger.journal import Journal
from sayso.ledger.verification import verify

KEY = SigningKey.from_seed("example.org/sayso/benchmark", bytes(32))
BATCH = 1000
ONE_BY_ONE = 300
PROOFS = 200
ERASED = 1000


def clock() -> datetime:
    """The present."""
    return datetime.now(UTC)


def draft(number: int) -> Draft:
    """An entry of a usual size."""
    return Draft(
        Action.IDENTIFICATION,
        "op-1",
        (f"person-{number % 997}",),
        {"photo": f"photo-{number}", "similarity": 0.4375, "gallery": 812, "model": "fb143eea0783"},
    )


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def fill(journal: Journal, size: int) -> float:
    """Append in batches up to a size; entries per second."""
    begun, start = time.perf_counter(), journal.reader.size
    while journal.reader.size < size:
        first = journal.reader.size
        last = min(first + BATCH, size)
        journal.append_all([draft(number) for number in range(first, last)])
    return (size - start) / (time.perf_counter() - begun)


def measure(path: Path, size: int, bulk_per_s: float) -> dict[str, float]:
    """Everything at one size."""
    open_s = statistics.median(
        seconds(lambda: Journal.open(path, KEY, clock).close()) for _ in range(5)
    )
    with Journal.open(path, KEY, clock) as journal:
        places = [size * place // PROOFS for place in range(PROOFS)]
        proofs: list[bytes] = []
        prove_s = seconds(lambda: proofs.extend(journal.reader.prove(place) for place in places))
        vkey = KEY.verifier.encode()
        check_s = seconds(lambda: [proof.check(one, vkey) for one in proofs])
        path_hashes = len(merkle.consistency_proof(size // 2 - 1, size, journal.reader.read_node))
    verify_s = seconds(lambda: verify(path, KEY.verifier))
    return {
        "entries": size,
        "bulk_append_per_s": round(bulk_per_s),
        "open_ms": round(open_s * 1e3, 2),
        "prove_ms": round(prove_s / PROOFS * 1e3, 3),
        "check_ms": round(check_s / PROOFS * 1e3, 3),
        "proof_bytes": round(statistics.mean(map(len, proofs))),
        "consistency_hashes": path_hashes,
        "verify_s": round(verify_s, 3),
        "verify_per_s": round(size / verify_s),
        "bytes_per_entry": round(sum(file.stat().st_size for file in path.iterdir()) / size),
    }


def last(path: Path) -> dict[str, float]:
    """Appending one by one, and erasing, in the full log."""
    with Journal.open(path, KEY, clock) as journal:
        size = journal.reader.size
        one_s = seconds(lambda: [journal.append(draft(number)) for number in range(ONE_BY_ONE)])
        wanted = [size * place // ERASED for place in range(ERASED)]
        erase_s = seconds(lambda: journal.erase(wanted, actor="op-1"))
        about_s = seconds(lambda: sum(1 for _ in journal.reader.about("person-7")))
    return {
        "single_append_per_s": round(ONE_BY_ONE / one_s),
        "erase_1000_ms": round(erase_s * 1e3, 1),
        "find_one_person_s": round(about_s, 2),
    }


def main() -> None:
    """Run, print a table, write JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entries", type=int, default=1_000_000)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--json", type=Path)
    options = arguments.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "ledger"
        Journal.create(path, KEY, clock).close()
        size = 1000
        while size <= options.entries:
            with Journal.open(path, KEY, clock) as journal:
                bulk_per_s = fill(journal, size)
            rows.append(measure(path, size, bulk_per_s))
            size *= 10
        summary = last(path)
    names = list(rows[0])
    print("| " + " | ".join(names) + " |")
    print("|" + " --- |" * len(names))
    for row in rows:
        print("| " + " | ".join(f"{row[name]:,}" for name in names) + " |")
    print(summary)
    if options.json:
        report = {"date": clock().date().isoformat(), "rows": rows, "full": summary}
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
