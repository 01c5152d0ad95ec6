"""Scores of all pairs against the plain way of computing them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sayso.rates.scores import Scores, all_pairs


def labelled(seed: int, photographs: int, people: int) -> tuple[Scores, list[tuple[bool, float]]]:
    """Scores, and of each pair whether it is mated and how alike."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(photographs, 8)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    identity = random.integers(0, people, photographs).astype(np.intp)
    pairs = [
        (bool(identity[a] == identity[b]), float(features[a] @ features[b]))
        for a, b in combinations(range(photographs), 2)
    ]
    return all_pairs(features, identity), pairs


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 12))
def test_each_pair_is_compared_once(seed: int, photographs: int, people: int) -> None:
    scores, pairs = labelled(seed, photographs, people)
    mated = sorted(similarity for same, similarity in pairs if same)
    assert np.sort(scores.mated.similarity) == pytest.approx(mated, abs=1e-5)
    assert scores.non_mated.pairs == len(pairs) - len(mated) == scores.non_mated.histogram.sum()


def test_many_photographs_are_compared_in_blocks_as_in_one() -> None:
    scores, pairs = labelled(1, 1500, 40)
    others = [similarity for same, similarity in pairs if not same]
    assert scores.non_mated.pairs == len(others)
    for threshold in (-0.5, 0.0, 0.4, 0.9):
        expected = np.mean(np.array(others) >= threshold)
        # A histogram bin is 0.0002 wide.
        assert scores.non_mated.false_match_rate(threshold) == pytest.approx(expected, abs=2e-4)


def test_a_threshold_keeps_its_false_match_rate_and_the_next_lower_does_not() -> None:
    scores, pairs = labelled(2, 700, 300)
    others: NDArray[np.float64] = np.array([similarity for same, similarity in pairs if not same])
    for rate in (1e-2, 1e-3, 1e-4, 1e-5):
        threshold = scores.non_mated.threshold(rate)
        assert np.mean(others >= threshold) <= rate * 1.05
        assert np.mean(others >= threshold - 3e-4) > rate * 0.95
