"""Confidence intervals hold what they should as often as they say."""

import numpy as np

from sayso.rates.interval import of_trials
from sayso.rates.scores import all_pairs
from sayso.rates.verification import verification


def test_an_interval_of_independent_trials_holds_the_true_rate_19_times_in_20() -> None:
    random = np.random.default_rng(0)
    for rate in (0.01, 0.1, 0.5):
        seen = random.binomial(300, rate, size=1000)
        held = [of.low <= rate <= of.high for of in (of_trials(int(n), 300) for n in seen)]
        assert 0.91 <= np.mean(held) <= 0.985


def test_no_event_in_few_trials_does_not_mean_never() -> None:
    assert of_trials(0, 20).high > 0.1
    assert of_trials(0, 0).high == 1.0


def test_photographs_of_one_hard_person_widen_the_interval_of_a_rate() -> None:
    """Pairs of one person fail together: counting them as independent would be far too sure."""
    random = np.random.default_rng(3)
    middles = random.normal(size=(60, 64))
    # One person in ten is hard to recognise, in all of their photographs.
    noise = np.where(np.arange(60) % 10 == 0, 3.0, 0.3)
    identity = np.repeat(np.arange(60), 6)
    features = middles[identity] + noise[identity][:, None] * random.normal(size=(360, 64))
    features = (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
    found = verification(all_pairs(features, identity.astype(np.intp)), 60).at[0]
    missed = 1 - found.true_accept_rate.value
    independent = 1.96 * np.sqrt(missed * (1 - missed) / found_pairs(60, 6))
    assert found.true_accept_rate.high - found.true_accept_rate.low > 4 * independent
    assert found.true_accept_rate.low < 0.9 + 0.02 < found.true_accept_rate.high + 0.04


def found_pairs(people: int, photographs: int) -> int:
    """How many mated pairs there are."""
    return people * photographs * (photographs - 1) // 2
