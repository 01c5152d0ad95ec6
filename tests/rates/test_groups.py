"""Groups side by side."""

import numpy as np
import pytest

from sayso.rates.groups import groups
from sayso.rates.scores import all_pairs


def test_a_group_whose_faces_are_alike_is_seen_to_be_worse_off() -> None:
    random = np.random.default_rng(1)
    people, photographs = 80, 4
    middles = random.normal(size=(people, 32))
    middles[people // 2 :] += 0.9  # the second half look like each other
    identity = np.repeat(np.arange(people), photographs)
    features = middles[identity] + 0.4 * random.normal(size=(len(identity), 32))
    features = (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
    identity = identity.astype(np.intp)
    names = ["far" if person < people // 2 else "near" for person in identity]
    found = groups(features, identity, names, all_pairs(features, identity))
    far, near = found.groups
    assert (far.name, near.name, far.identities, near.photographs) == ("far", "near", 40, 160)
    assert near.false_match_rate.value > 2 * far.false_match_rate.value

    inside = identity >= people // 2
    alike = features[inside] @ features[inside].T >= found.threshold
    other = identity[inside][:, None] != identity[inside][None, :]
    assert near.false_match_rate.value == pytest.approx(alike[other].mean(), rel=0.03)


def test_no_ratio_is_told_where_a_group_shows_no_error() -> None:
    features = np.eye(4, dtype=np.float32)
    identity = np.arange(4, dtype=np.intp)
    found = groups(features, identity, ["a", "a", "b", "b"], all_pairs(features, identity))
    assert found.false_match_ratio is None
