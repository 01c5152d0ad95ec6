"""Whether anything of a removed template is left in a process: looked for from outside of it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sayso.gallery import sketch

COUNT, DIMENSION = 3000, 128
GONE, STAYS = range(5, 25), range(40, 50)
STRIDES = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""How far apart a kernel for matrices may have put the numbers of one row."""

HOLDER = """
import sys
import numpy as np
from sayso.gallery import Gallery

count, dimension, sketched_from = (int(word) for word in sys.argv[1:])
vectors = np.empty((count, dimension), np.float32)
room = memoryview(vectors).cast("B")
while room:
    room = room[sys.stdin.buffer.raw.readinto(room) :]  # not by way of a buffer of Python's
gallery = Gallery(dimension, sketched_from=sketched_from)
for start in range(0, count, 500):
    gallery.add([f"p{place}" for place in range(start, start + 500)], vectors[start : start + 500])
vectors.fill(0)
probes = np.random.default_rng(1).normal(size=(70, dimension)).astype(np.float32)
part = gallery.part([f"p{place}" for place in range(100)])
for searched in (gallery, part):
    for batch in (1, 3, 7, 70):
        for least in (-1.0, 0.05, 0.5):
            searched.search(probes[:batch], top=100, least=least)
print("held", flush=True)
sys.stdin.buffer.raw.read(1)
for searched in (gallery, part):
    searched.remove([f"p{place}" for place in range(5, 25)])
print("removed", flush=True)
sys.stdin.buffer.raw.read(1)
"""


def memory_of(pid: int) -> Iterator[NDArray[np.float32]]:
    """Everything that a process can read and write, as numbers."""
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found is None:
                continue
            start, end = (int(word, 16) for word in found.groups())
            memory.seek(start)
            try:
                held = memory.read(end - start)
            except OSError:  # a page of the kernel's own
                continue
            yield np.frombuffer(held[: len(held) // 4 * 4], np.float32)


def copies(pid: int, rows: NDArray[np.float32]) -> int:
    """How often three neighbouring numbers of a row lie in memory, however far apart."""
    count = 0
    for numbers in memory_of(pid):
        for row in rows:
            for part in (0, 61, 125):
                (places,) = np.nonzero(numbers == row[part])
                for stride in STRIDES:
                    inside = places[places + 2 * stride < len(numbers)]
                    second = numbers[inside + stride] == row[part + 1]
                    third = numbers[inside + 2 * stride] == row[part + 2]
                    count += int(np.count_nonzero(second & third))
    return count


def sketched(pid: int, rows: NDArray[np.float32]) -> int:
    """How often a word of the sketch of a row lies in memory."""
    made = sketch.Sketches.empty(len(rows))
    made.write(0, rows)
    words = np.concatenate([made.first.ravel(), made.others.ravel()])
    return sum(
        int(np.isin(numbers[: len(numbers) // 2 * 2].view(np.uint64), words).sum())
        for numbers in memory_of(pid)
    )


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="reads the memory as Linux has it")
@pytest.mark.parametrize("sketched_from", [1, 10**6])
def test_no_copy_of_a_removed_template_is_left_in_the_process(sketched_from: int) -> None:
    vectors = np.random.default_rng(7).normal(size=(COUNT, DIMENSION))
    vectors /= np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    sent = vectors.astype(np.float32)
    wide = sent.astype(np.float64)
    kept = (wide / np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]).astype(np.float32)
    words = [str(word) for word in (COUNT, DIMENSION, sketched_from)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", HOLDER, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(sent.tobytes())
        holder.stdin.flush()
        assert holder.stdout.readline() == b"held\n"
        if sketched_from < COUNT:
            assert sketched(holder.pid, kept[list(GONE)]) > sketch.WORDS * len(GONE) // 2
        assert copies(holder.pid, kept[list(GONE)]) >= len(GONE)
        holder.stdin.write(b"x")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"removed\n"
        assert copies(holder.pid, kept[list(GONE)]) == 0
        assert sketched(holder.pid, kept[list(GONE)]) == 0
        assert copies(holder.pid, kept[list(STAYS)]) >= 3 * len(STAYS)
        holder.stdin.write(b"x")
