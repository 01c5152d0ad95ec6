"""1:N rates on similarities that were made up so that the answer is known."""

import numpy as np
import pytest

from sayso.rates.identification import Limits, Searches, identification


def searches(strangers: list[float], mated: list[tuple[float, float]]) -> Searches:
    """Two people enrolled; mated searches are of the first: own and the other's similarity."""
    rows = [(similarity, -1.0) for similarity in strangers] + mated
    person = [-1] * len(strangers) + [0] * len(mated)
    subject = list(range(2, 2 + len(strangers))) + [0] * len(mated)
    return Searches(
        np.array(rows, np.float32),
        np.array(person, np.intp),
        np.array(subject, np.intp),
        np.array([1, 1], np.intp),
    )


def test_the_promise_is_compared_with_what_happened() -> None:
    found = identification(
        searches([0.1, 0.35, 0.45, 0.6], [(0.9, 0.0), (0.45, 0.0), (0.2, 0.1), (0.1, 0.7)]),
        lambda _: Limits(match=0.5, review=0.4),
    )[-1]
    assert (found.persons, found.references, found.mated, found.non_mated) == (2, 2, 4, 4)
    assert found.promised.false_names.value == 0.25
    assert found.promised.false_reviews.value == 0.5
    assert found.promised.missed.value == 0.75
    assert found.promised.missed_by_review.value == 0.5
    assert found.promised.wrong_names.value == 0.25
    assert found.rank_one == 0.75


def test_a_person_who_is_named_together_with_another_is_not_named() -> None:
    found = identification(searches([0.0], [(0.9, 0.8)]), lambda _: Limits(0.5, 0.4))[-1]
    assert found.promised.missed.value == 1.0
    assert found.promised.wrong_names.value == 0.0


def test_the_threshold_of_a_rate_lets_no_more_strangers_through() -> None:
    strangers = [float(n) / 1000 for n in range(1000)]
    found = identification(searches(strangers, [(0.95, 0.0), (0.85, 0.0)]), lambda _: Limits(1, 1))
    by_rate = {at.false_positive_rate: at for at in found[-1].at}
    assert by_rate[0.1].threshold == pytest.approx(0.9, abs=2e-3)
    assert by_rate[0.1].false_negative_rate.value == 0.5
    assert by_rate[0.01].supported
    assert not by_rate[0.001].supported


def test_smaller_galleries_are_drawn_from_the_larger_and_name_fewer_strangers() -> None:
    random = np.random.default_rng(0)
    best = random.normal(0, 0.1, size=(600, 200)).astype(np.float32)
    person = np.full(600, -1, np.intp)
    person[:200] = np.arange(200)
    best[np.arange(200), np.arange(200)] = 0.9
    all_of = Searches(best, person, np.arange(600), np.ones(200, np.intp))
    found = identification(all_of, lambda _: Limits(0.35, 0.3))
    assert [one.persons for one in found] == [10, 30, 100, 200]
    rates = [one.promised.false_reviews.value for one in found]
    assert rates == sorted(rates)
    assert rates[0] < rates[-1]
    assert [one.references for one in found] == [10, 30, 100, 200]
    # Whoever is not in a small gallery is a stranger to it.
    assert found[0].non_mated == found[0].draws * 590
