import numpy as np
import pytest
from numpy.typing import NDArray

from sayso.rates.calibration import FEWEST_IDENTITIES, Fit, fit
from sayso.rates.scores import all_pairs


def _fit(features: NDArray[np.float32], identity: NDArray[np.intp]) -> Fit | None:
    return fit(features, identity, all_pairs(features, identity))


def _drawn(people: int, dimension: int, shared: float) -> NDArray[np.float32]:
    """Unit vectors with a direction in common."""
    drawn = np.random.default_rng(3).standard_normal((people, dimension))
    drawn[:, 0] += shared
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def test_random_directions_are_fitted_by_what_is_known_of_them() -> None:
    found = _fit(_drawn(1_200, 64, 0.0), np.arange(1_200))
    assert found is not None
    fitted = found.calibration
    assert fitted.mean == pytest.approx(0, abs=0.002)
    assert fitted.deviation == pytest.approx(1 / 8, rel=0.01)
    assert fitted.probe_deviation < 0.01
    # In 64 dimensions the bend is near 1/64; the tail of this set tells that much.
    assert 0.006 < fitted.bend <= 0.01
    for beyond in found.beyond[:3]:
        assert beyond.fitted == pytest.approx(beyond.measured, rel=0.15)


def test_faces_that_resemble_everybody_are_seen() -> None:
    plain, lopsided = _drawn(400, 64, 2.0), _drawn(400, 64, 2.0)
    lopsided[:, 0] *= np.random.default_rng(4).uniform(0.2, 1.8, 400).astype(np.float32)
    lopsided /= np.linalg.norm(lopsided, axis=1, keepdims=True)
    found = [_fit(features, np.arange(400)) for features in (plain, lopsided)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[1].calibration.probe_deviation > 1.2 * found[0].calibration.probe_deviation > 0


def test_several_photographs_of_a_person_are_no_pair_of_two_people() -> None:
    once = _drawn(200, 64, 0.0)
    found = _fit(np.concatenate([once, once]), np.tile(np.arange(200), 2))
    assert found is not None
    assert found.pairs == 400 * 399 // 2 - 200
    assert found.calibration.mean == pytest.approx(0, abs=0.005)


def test_of_few_people_nothing_is_said() -> None:
    few = FEWEST_IDENTITIES - 1
    assert _fit(_drawn(few, 64, 0.0), np.arange(few)) is None


def test_photographs_that_lie_under_two_names_do_not_stop_it() -> None:
    drawn = _drawn(FEWEST_IDENTITIES, 512, 0.0)
    drawn[50:60] = drawn[:10]
    found = _fit(drawn, np.arange(FEWEST_IDENTITIES))
    assert found is not None
    assert found.calibration.deviation > 0.06  # so do they widen it


def test_of_the_same_photograph_over_and_over_nothing_is_said() -> None:
    drawn = np.tile(_drawn(1, 64, 0.0), (FEWEST_IDENTITIES, 1))
    assert _fit(drawn, np.arange(FEWEST_IDENTITIES)) is None
