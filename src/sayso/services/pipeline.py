"""Work on many photographs at once, with bounded memory, results in the order of the list."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
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
    work: Callable[[_Item], _Result], items: Iterable[_Item], *, workers: int, ahead: int = _AHEAD
) -> Generator[Callable[[], _Result], None, None]:
    """Run ``work`` on every item in threads; yields calls that give or raise each result.

    When the caller stops early, work that has not begun is dropped. When ``items`` breaks off with
    an error, what is in hand is given first.

    Args:
        work: safe to call from several threads.
        items: taken one by one, on the caller's thread.
        workers: threads.
        ahead: items in hand for each of them.
    """
    coming = iter(items)
    broken: list[BaseException] = []
    running: deque[Future[_Result]] = deque()

    def take(number: int) -> None:
        try:
            running.extend(pool.submit(work, item) for item in islice(coming, number))
        except BaseException as error:  # noqa: BLE001 - raised below, after what is in hand
            broken.append(error)

    with ThreadPoolExecutor(workers, thread_name_prefix="sayso") as pool:
        try:
            take(ahead * workers)
            while running:
                first = running.popleft()
                first.exception()  # waits; what it raised is for the caller to take
                if not broken:
                    take(1)
                yield first.result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    if broken:
        raise broken[0]


def in_batches(
    results: Iterable[_Result],
    *,
    weigh: Callable[[_Result], int] = lambda _: 1,
    most: int = _BATCH,
) -> Iterator[list[_Result]]:
    """Group results into batches of a bounded size and age.

    What is in hand when the source is interrupted is handed on before the interruption is.

    Args:
        results: in the order in which they are to come.
        weigh: how much of a batch one result fills.
        most: a batch that weighs so much, or holds so many, is handed on.
    """
    batch: list[_Result] = []
    weight, began = 0, time.monotonic()
    try:
        for result in results:
            batch.append(result)
            weight += weigh(result)
            if max(weight, len(batch)) >= most or time.monotonic() - began > _BATCH_S:
                yield batch
                batch, weight, began = [], 0, time.monotonic()
    except KeyboardInterrupt:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
