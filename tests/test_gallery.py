import threading

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from numpy.typing import NDArray

from sayso.errors import SettingMalformed
from sayso.gallery import Gallery

Vectors = NDArray[np.float32]


def unit(count: int, dimension: int, seed: int) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def all_compared(
    rows: Vectors, owners: list[str], probe: Vectors, top: int, least: float
) -> list[tuple[str, float]]:
    """What a search must find, in double precision, one reference at a time."""
    wide = rows.astype(np.float64)
    # As they are kept: scaled, in single precision.
    kept = (wide / np.sqrt((wide * wide).sum(axis=1))[:, None]).astype(np.float32)
    asked = probe.astype(np.float64) / np.linalg.norm(probe.astype(np.float64))
    similarity = (kept.astype(np.float64) * asked).sum(axis=1).astype(np.float32)
    best: dict[str, float] = {}
    for value, owner in zip(similarity.tolist(), owners, strict=True):
        best[owner] = max(best.get(owner, -2.0), min(value, 1.0))
    alike = [(owner, value) for owner, value in best.items() if value >= np.float32(least)]
    return sorted(alike, key=lambda item: (-item[1], item[0]))[:top]


def found_in(gallery: Gallery, probe: Vectors, top: int, least: float) -> list[tuple[str, float]]:
    ((*candidates,),) = gallery.search(probe[None], top=top, least=least)
    return [(one.person_id, one.similarity) for one in candidates]


def crowd(kind: str, count: int, dimension: int, seed: int) -> Vectors:
    """Templates that make ties, and others that nearly do."""
    rows = unit(count, dimension, seed)
    if kind == "all equal":
        rows[:] = rows[0]
    elif kind == "twice each":
        rows[count // 2 :] = rows[: count - count // 2][: count - count // 2]
    elif kind == "nearly equal":
        rows[:] = rows[0] + rows * np.float32(1e-6)
    return rows


KINDS = ["apart", "all equal", "twice each", "nearly equal"]


@given(
    kind=st.sampled_from(KINDS),
    count=st.integers(2, 60),
    people=st.integers(1, 12),
    probes=st.integers(1, 8),
    top=st.integers(1, 10),
    least=st.sampled_from([-1.0, 0.0, 0.39, 0.9]),
    seed=st.integers(0, 2**31),
)
def test_a_search_finds_what_comparing_all_finds(  # noqa: PLR0913, PLR0917 - one case
    kind: str, count: int, people: int, probes: int, top: int, least: float, seed: int
) -> None:
    gallery = Gallery(6)
    rows = crowd(kind, count, 6, seed)
    asked = np.concatenate([unit(probes, 6, seed + 1), rows[:1]])
    owners = [f"p{place}" for place in np.random.default_rng(seed).integers(0, people, count)]
    gallery.add(owners, rows)
    for probe, found in zip(asked, gallery.search(asked, top=top, least=least), strict=True):
        expected = all_compared(rows, owners, probe, top, least)
        assert [(one.person_id, one.similarity) for one in found] == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dimension", "probes"), [(128, 1), (128, 7), (128, 20), (300, 9)])
def test_passing_over_a_large_gallery_finds_what_comparing_all_finds(
    kind: str, dimension: int, probes: int
) -> None:
    count = 20_000
    rows = crowd(kind, count, dimension, 11)
    owners = [f"p{place % 15_000:05}" for place in range(count)]
    sketched, plain = Gallery(dimension, sketched_from=1000), Gallery(dimension)
    for start in (0, 500, 16_000):  # in parts that end within a block
        end = {0: 500, 500: 16_000, 16_000: count}[start]
        for gallery in (sketched, plain):
            gallery.add(owners[start:end], rows[start:end])
    noise = unit(probes, dimension, 12) * np.linspace(0, 1.6, probes, dtype=np.float32)[:, None]
    asked = rows[:: count // probes][:probes] + noise
    found = sketched.search(asked, top=3, least=0.5)
    assert found == plain.search(asked, top=3, least=0.5)
    assert any(found)
    for probe, candidates in zip(asked[:3], found, strict=False):
        expected = all_compared(rows, owners, probe, 3, 0.5)
        assert [(one.person_id, one.similarity) for one in candidates] == expected


def just_alike(probe: Vectors, similarity: float, count: int, seed: int) -> Vectors:
    """References that are exactly so similar to a probe, and in other ways anything."""
    away = unit(count, len(probe), seed)
    away -= (away @ probe)[:, None] * probe
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    just = np.float32(similarity + 1e-6)
    return np.asarray(just * probe + np.sqrt(1 - just**2) * away, np.float32)


def missed(dimension: int, least: float, probes: int, each: int, seed: int) -> int:
    """How many of the references of a gallery are not found by the probe that they are just like.

    There are so many probes that the rows left by sketches are few, and not all are compared.
    """
    asked = unit(probes, dimension, seed)
    gallery = Gallery(dimension, sketched_from=1)
    for number, probe in enumerate(asked):
        names = [f"{number}/{place}" for place in range(each)]
        gallery.add(names, just_alike(probe, least, each, seed + 1 + number))
    found = sum((gallery.search(one[None], top=2 * each, least=least) for one in asked), ())
    own = [
        sum(candidate.person_id.startswith(f"{number}/") for candidate in candidates)
        for number, candidates in enumerate(found)
    ]
    return probes * each - sum(own)


@pytest.mark.parametrize("dimension", [128, 200, 512])
def test_at_most_1_of_10_000_just_at_the_threshold_is_missed(dimension: int) -> None:
    # The hardest case: references exactly as similar as is asked for. Whoever is more similar is
    # missed less often, so each threshold has to keep the promise by itself.
    probes, each = 40, 1000
    promised = 1e-4 * probes * each
    counts = [
        missed(dimension, least, probes, each, 100 * number)
        for number, least in enumerate((0.4, 0.5, 0.542, 0.6, 0.7, 0.8, 0.9))
    ]
    assert max(counts) <= promised + 3.5 * promised**0.5  # chance, and the fixed rotation's luck
    assert sum(counts) <= len(counts) * promised + 3 * (len(counts) * promised) ** 0.5
    assert sum(counts) > 0  # else everything was compared, and nothing is tested here


def test_somebody_of_low_similarity_is_found_among_many_who_are_let_by() -> None:
    # Everybody has much in common, as where a camera adds its own: sketches let most by.
    rows = unit(20_000, 128, 51) + np.float32(0.8) * unit(1, 128, 52)
    people = [f"p{place:05}" for place in range(len(rows))]
    sketched, plain = Gallery(128, sketched_from=1000), Gallery(128)
    for gallery in (sketched, plain):
        gallery.add(people, rows)
    for least in (0.3, 0.35, 0.4, 0.45):
        found = [sketched.search(rows[place][None], top=5, least=least) for place in range(4)]
        assert found == [plain.search(rows[place][None], top=5, least=least) for place in range(4)]


def test_a_gallery_that_shrank_and_grew_again_sketches_who_moved() -> None:
    rows = unit(21_000, 128, 31)
    people = [f"p{place:05}" for place in range(len(rows))]
    sketched, plain = Gallery(128, sketched_from=20_000), Gallery(128)
    for gallery in (sketched, plain):
        gallery.add(people[:20_000], rows[:20_000])
        gallery.remove(people[10_000:20_000])  # what is left has sketches
        gallery.add(people[10_000:19_000], rows[10_000:19_000])  # a second block has none
        gallery.remove(people[:50])  # those of the second take their places
        gallery.add(people[19_000:], rows[19_000:])  # and now all have
    asked = rows[18_900:19_100]
    found = [sketched.search(asked[start : start + 8], least=0.6) for start in range(0, 200, 8)]
    assert sum(found, ()) == plain.search(asked, least=0.6)
    assert all(sum(found, ()))


def test_a_batch_answers_as_each_probe_alone() -> None:
    rows = unit(3000, 128, 5)
    gallery = Gallery(128)
    gallery.add([f"p{place % 700}" for place in range(3000)], rows)
    asked = rows[:600] + unit(600, 128, 6)  # more than one product takes
    together = gallery.search(asked, top=4)
    assert together[::37] == tuple(gallery.search(one[None], top=4)[0] for one in asked[::37])


@given(vector=arrays(np.float32, 6, elements=st.floats(-4, 4, width=32)))
def test_length_does_not_count_and_a_similarity_never_leaves_its_range(vector: Vectors) -> None:
    assume(np.abs(vector).max() > 1e-3)
    gallery = Gallery(6)
    gallery.add(["p"], np.full((1, 6), 9, np.float32))
    ((candidate,),) = gallery.search(vector[None])
    assert -1 <= candidate.similarity <= 1
    wide = vector.astype(np.float64)
    expected = wide.sum() / np.linalg.norm(wide) / np.sqrt(6)
    assert candidate.similarity == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(
    "vector", [np.zeros(6), np.full(6, np.nan), np.full(6, np.inf), np.ones(5), np.ones((1, 6))]
)
def test_a_vector_that_is_no_template_is_refused_with_those_beside_it(
    vector: NDArray[np.float64],
) -> None:
    gallery = Gallery(6)
    good = np.ones_like(vector)
    with pytest.raises(SettingMalformed):
        gallery.add(["p", "q"], np.stack([good, vector]).astype(np.float32))
    assert len(gallery) == 0
    assert gallery.version == 0


def test_a_refused_change_removes_nobody() -> None:
    gallery = Gallery(2)
    gallery.add(["p"], np.ones((1, 2), np.float32))
    with pytest.raises(SettingMalformed):
        gallery.change(["p"], ["q"], np.zeros((1, 2), np.float32))
    assert len(gallery) == 1


def test_a_probe_of_nothing_is_like_nobody() -> None:
    gallery = Gallery(2)
    gallery.add(["p"], np.ones((1, 2), np.float32))
    for value in (0, np.nan, np.inf):
        ((candidate,),) = gallery.search(np.full((1, 2), value, np.float32))
        assert candidate.similarity == 0
        assert gallery.search(np.full((1, 2), value, np.float32), least=0.1) == ((),)


def test_probes_of_another_model_are_refused() -> None:
    with pytest.raises(SettingMalformed):
        Gallery(4).search(np.ones((1, 5), np.float32))


def test_the_version_tells_a_changed_gallery_from_the_same() -> None:
    gallery = Gallery(2)
    versions = [gallery.version]
    gallery.add(["p"], np.ones((1, 2), np.float32))
    versions.append(gallery.version)
    assert gallery.remove(["nobody"]) == 0
    assert gallery.version == versions[-1]
    assert gallery.change(["p"], ["p"], -np.ones((1, 2), np.float32)) == 1
    versions.append(gallery.version)
    assert gallery.remove(["p"]) == 1
    versions.append(gallery.version)
    assert len(set(versions)) == 4


class Churn(RuleBasedStateMachine):
    """People come and go in any order; the gallery holds exactly those who stay."""

    def __init__(self) -> None:
        super().__init__()
        self.gallery = Gallery(4)
        self.kept: dict[str, list[Vectors]] = {}
        self.count = 0

    @rule(person=st.sampled_from("abcdef"), references=st.integers(1, 30))
    def come(self, person: str, references: int) -> None:
        vectors = unit(references, 4, self.count)
        self.gallery.add([person] * references, vectors)
        self.kept.setdefault(person, []).extend(vectors)
        self.count += references

    @rule(people=st.sets(st.sampled_from("abcdef"), min_size=1, max_size=3))
    def go(self, people: set[str]) -> None:
        gone = sum(len(self.kept.pop(person, [])) for person in people)
        assert self.gallery.remove(people) == gone

    @invariant()
    def only_those_who_stay_are_found(self) -> None:
        assert len(self.gallery) == sum(map(len, self.kept.values()))
        for person, vectors in self.kept.items():
            for least in (-1.0, 0.999):
                (found,) = self.gallery.search(vectors[-1][None], top=9, least=least)
                best = {candidate.person_id: candidate.similarity for candidate in found}
                assert best[person] == pytest.approx(1, abs=1e-5)
                assert best.keys() <= self.kept.keys()
            (found,) = self.gallery.search(vectors[-1][None], top=9)
            assert {candidate.person_id for candidate in found} == set(self.kept)


TestChurn = Churn.TestCase


class Passing(RuleBasedStateMachine):
    """A gallery with sketches tells what one without tells, whoever came and went."""

    def __init__(self) -> None:
        super().__init__()
        self.sketched, self.plain = Gallery(96, sketched_from=150), Gallery(96)
        self.faces = unit(8, 96, 1)
        self.count = 2
        self.change([], [f"other-{number}" for number in range(140)], unit(140, 96, 2))

    def change(self, gone: list[str], people: list[str], vectors: Vectors) -> None:
        removed = {one.change(gone, people, vectors) for one in (self.sketched, self.plain)}
        assert len(removed) == 1

    @rule(
        gone=st.lists(st.integers(0, 7), max_size=3),
        come=st.lists(st.integers(0, 7), max_size=8),
        others=st.lists(st.integers(0, 139), max_size=30),
    )
    def come_and_go(self, gone: list[int], come: list[int], others: list[int]) -> None:
        self.count += 1
        vectors = self.faces[come] + np.float32(0.8) * unit(len(come), 96, self.count)
        leaving = [f"face-{number}" for number in gone] + [f"other-{number}" for number in others]
        self.change(leaving, [f"face-{number}" for number in come], vectors)

    @invariant()
    def both_tell_the_same(self) -> None:
        found, due = (
            one.search(self.faces, top=20, least=0.6) for one in (self.sketched, self.plain)
        )
        assert found == due


TestPassing = Passing.TestCase
TestPassing.settings = settings(max_examples=25, stateful_step_count=20)

AXES = np.eye(64, dtype=np.float32)


def faults_of_one_search(gallery: Gallery) -> list[str]:
    """What is wrong with it: sixteen people stay, one guest has five equal references or none."""
    found = gallery.search(AXES[:17], top=40)
    faults = [
        f"{place}: {people[0]}"
        for place, people in enumerate(found[:16])
        if people[0].person_id != f"stays-{place}" or people[0].similarity < 0.999
    ]
    if len({len(people) for people in found}) != 1:
        faults.append("people differ between the probes of one search")
    guest = [one.similarity for one in found[16] if one.person_id == "guest"]
    return faults + [f"half a guest: {similarity}" for similarity in guest if similarity < 0.999]


@pytest.mark.parametrize("sketched_from", [1, 10**6])
def test_readers_never_see_a_half_changed_person(sketched_from: int) -> None:
    gallery = Gallery(64, sketched_from=sketched_from)
    gallery.add([f"stays-{place}" for place in range(16)], AXES[:16])
    done = threading.Event()
    faults: list[str] = []

    def read() -> None:
        while not done.is_set():
            faults.extend(faults_of_one_search(gallery))

    def write() -> None:
        for _ in range(150):
            gallery.change(["guest"], ["guest"] * 5, AXES[[16] * 5])
            gallery.remove(["guest"])

    readers = [threading.Thread(target=read) for _ in range(3)]
    writer = threading.Thread(target=write)
    for thread in (*readers, writer):
        thread.start()
    writer.join(timeout=60)
    done.set()
    for thread in readers:
        thread.join(timeout=60)
    assert not writer.is_alive()
    assert not faults
    assert all(c.person_id != "guest" for found in gallery.search(AXES, top=40) for c in found)


def test_a_waiting_removal_goes_before_new_searches() -> None:
    gallery = Gallery(64)
    gallery.add([f"p{place}" for place in range(3000)], unit(3000, 64, 3))
    probes = unit(200, 64, 4)
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            gallery.search(probes)

    readers = [threading.Thread(target=read, daemon=True) for _ in range(4)]
    for thread in readers:
        thread.start()
    removal = threading.Thread(target=gallery.remove, args=(["p5"],))
    removal.start()
    removal.join(timeout=30)
    done.set()
    assert not removal.is_alive()
    for thread in readers:
        thread.join(timeout=30)
