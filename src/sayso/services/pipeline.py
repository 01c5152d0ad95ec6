"""Work on many photographs at once, with bounded memory, results in the order of the list."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_AHEAD = 3
"""Photographs in hand for each worker: enough that none waits, few enough for the memory."""
_BATCH = 32
_BATCH_S = 2.0
"""At the latest after this long a batch is handed on, so that little is lost when interrupted."""


def in_order(
    work: Callable[[_Item], _Result], items: Iterable[_Item], *, workers: int
) -> Iterator[Callable[[], _Result]]:
    """Run ``work`` on every item in threads; yields calls that give or raise each result.

    When the caller stops early, work that has not begun is dropped.
    """
    coming = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="sayso") as pool:
        running: deque[Future[_Result]] = deque(
            pool.submit(work, item) for item in islice(coming, _AHEAD * workers)
        )
        try:
            while running:
                first = running.popleft()
                first.exception()  # waits; what it raised is for the caller to take
                running.extend(pool.submit(work, item) for item in islice(coming, 1))
                yield first.result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def in_batches(results: Iterable[_Result]) -> Iterator[list[_Result]]:
    """Group results into batches of a bounded size and age.

    What is in hand when the source is interrupted is handed on before the interruption is.
    """
    batch: list[_Result] = []
    began = time.monotonic()
    try:
        for result in results:
            batch.append(result)
            if len(batch) >= _BATCH or time.monotonic() - began > _BATCH_S:
                yield batch
                batch, began = [], time.monotonic()
    except KeyboardInterrupt:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
