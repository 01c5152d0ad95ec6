import math
import random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.calibration import Calibration
from sayso.errors import SettingMalformed

NORMAL = Calibration(mean=0.1, deviation=0.1, probe_deviation=0.0, bend=0.0)
WOLVES = Calibration(mean=0.1, deviation=0.1, probe_deviation=0.06, bend=0.0)
_CALIBRATIONS = st.builds(
    Calibration,
    mean=st.floats(-0.2, 0.4),
    deviation=st.floats(0.05, 0.15),
    probe_deviation=st.floats(0, 0.04),
    bend=st.floats(-0.02, 0.02),
)
_SIZES = st.integers(1, 10**6)


@pytest.mark.parametrize("rate", [1e-1, 1e-3, 1e-5, 1e-8])
def test_without_shifts_or_bend_rates_are_those_of_the_normal_distribution(rate: float) -> None:
    similarity = 0.1 + 0.1 * -NormalDist().inv_cdf(rate)
    assert NORMAL.false_match_rate(similarity) == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize("rate", [1e-2, 1e-4, 1e-6])
def test_shifts_of_probes_leave_the_rate_of_single_pairs_as_it_is(rate: float) -> None:
    similarity = 0.1 + 0.1 * -NormalDist().inv_cdf(rate)
    assert WOLVES.false_match_rate(similarity) == pytest.approx(rate, rel=1e-3)


def test_where_few_probes_resemble_everybody_fewer_searches_go_wrong() -> None:
    similarity = NORMAL.threshold(0.1, references=10_000)
    told = WOLVES.false_positive_rate(similarity, references=10_000)
    assert told < 0.08
    drawn = random.Random(7)  # noqa: S311 - draws no secret
    wrong = sum(_searched(drawn, similarity) for _ in range(4_000)) / 4_000
    assert told == pytest.approx(wrong, abs=0.015)


def _searched(drawn: random.Random, similarity: float) -> bool:
    """Whether a stranger is named among 10,000, drawing the best of them from its distribution."""
    own = NormalDist(0.1 + drawn.gauss(0, 0.06), 0.08)
    return drawn.random() >= own.cdf(similarity) ** 10_000


def test_a_lighter_tail_needs_a_lower_threshold_and_a_heavier_one_a_higher() -> None:
    light, heavy = (Calibration(0.1, 0.1, 0.0, bend) for bend in (0.01, -0.01))
    at = [one.threshold(1e-3, references=1_000) for one in (light, NORMAL, heavy)]
    assert at == sorted(at)
    assert at[0] < at[1] - 0.01 < at[2] - 0.02


def test_a_bend_is_that_of_directions_in_so_many_dimensions() -> None:
    # In 128 dimensions the cosine of two random directions is at least 0.35 with this probability
    # (half the regularised incomplete beta function of (127/2, 1/2) at 1 - 0.35^2).
    sphere = Calibration(0.0, 1 / math.sqrt(128), 0.0, 1 / 128)
    assert sphere.false_match_rate(0.35) == pytest.approx(2.39e-5, rel=0.12)


@given(_CALIBRATIONS, _SIZES, st.floats(1e-5, 0.5))
def test_a_threshold_keeps_its_rate_and_no_lower_one_would(
    calibration: Calibration, references: int, rate: float
) -> None:
    threshold = calibration.threshold(rate, references=references)
    if threshold >= 1.0:
        return
    assert calibration.false_positive_rate(threshold, references=references) <= rate
    below = calibration.false_positive_rate(threshold - 1e-6, references=references)
    assert below > rate * 0.999


@given(_CALIBRATIONS, _SIZES, st.floats(-1, 1))
def test_rates_are_shares(calibration: Calibration, references: int, similarity: float) -> None:
    rate = calibration.false_positive_rate(similarity, references=references)
    assert 0 <= rate <= 1 + 1e-6


@pytest.mark.parametrize(
    "numbers",
    [
        (2.0, 0.1, 0.0, 0.0),
        (0.1, 0.0, 0.0, 0.0),
        (0.1, 0.1, 0.1, 0.0),
        (0.1, 0.1, -0.01, 0.0),
        (0.1, 0.1, 0.0, 0.5),
        (math.nan, 0.1, 0.0, 0.0),
        (0.1, math.nan, 0.0, 0.0),
        (0.1, 0.1, 0.0, math.nan),
    ],
)
def test_numbers_that_are_no_calibration_are_refused(
    numbers: tuple[float, float, float, float],
) -> None:
    with pytest.raises(SettingMalformed):
        Calibration(*numbers)


def test_features_cannot_be_less_alike_than_random_directions_are() -> None:
    at_random = Calibration(0.0, 1 / math.sqrt(128), 0.0, 1 / 128)
    assert at_random.is_possible(128)
    assert not at_random.is_possible(64)
    assert NORMAL.is_possible(128)
    assert not Calibration(-0.9, 0.1, 0.0, 0.0).is_possible(128)
    assert not Calibration(0.0, 1e-6, 0.0, 0.0).is_possible(512)
