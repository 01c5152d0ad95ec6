from collections.abc import Iterator

import pytest

from sayso.services.pipeline import in_batches, in_order


def test_results_come_in_the_order_of_the_items() -> None:
    outcomes = in_order(lambda number: number * 2, range(40), workers=3)
    assert [outcome() for outcome in outcomes] == list(range(0, 80, 2))


def test_what_is_in_hand_comes_before_the_error_that_ended_the_items() -> None:
    def breaking_off() -> Iterator[int]:
        yield from range(5)
        raise KeyboardInterrupt

    given: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        given.extend(outcome() for outcome in in_order(abs, breaking_off(), workers=2, ahead=1))
    assert given == list(range(5))


def test_only_so_many_items_are_taken_ahead() -> None:
    taken: list[int] = []

    def watched() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    outcomes = in_order(abs, watched(), workers=2, ahead=3)
    next(outcomes)()
    assert len(taken) <= 7
    outcomes.close()


def test_a_batch_is_full_by_weight_or_by_number() -> None:
    heavy = [3, 3, 3, 1, 0, 0, 9, 1]
    assert list(in_batches(heavy, weigh=int, most=6)) == [[3, 3], [3, 1, 0, 0, 9], [1]]
    assert [len(batch) for batch in in_batches([0] * 14, weigh=int, most=6)] == [6, 6, 2]
