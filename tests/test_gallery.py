import threading

import numpy as np
import pytest
from hypothesis import given
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


@given(
    count=st.integers(0, 40),
    people=st.integers(1, 8),
    probes=st.integers(0, 5),
    top=st.integers(1, 10),
    seed=st.integers(0, 2**31),
)
def test_a_search_finds_what_comparing_all_finds(
    count: int, people: int, probes: int, top: int, seed: int
) -> None:
    gallery = Gallery(6)
    rows, asked = unit(count, 6, seed), unit(probes, 6, seed + 1)
    owners = [f"p{place}" for place in np.random.default_rng(seed).integers(0, people, count)]
    for place, (row, owner) in enumerate(zip(rows, owners, strict=True)):
        gallery.add(f"r{place}", owner, row)
    for probe, found in zip(asked, gallery.search(asked, top=top), strict=True):
        best: dict[str, float] = {}
        for row, owner in zip(rows, owners, strict=True):
            best[owner] = max(best.get(owner, -2.0), float(row @ probe))
        expected = sorted(best.items(), key=lambda item: -item[1])[:top]
        assert [candidate.person_id for candidate in found] == [name for name, _ in expected]
        for candidate, (_, similarity) in zip(found, expected, strict=True):
            assert candidate.similarity == pytest.approx(similarity, abs=1e-5)


@given(vector=arrays(np.float32, 6, elements=st.floats(-4, 4, width=32)))
def test_length_does_not_count_and_a_similarity_never_leaves_its_range(vector: Vectors) -> None:
    gallery = Gallery(6)
    gallery.add("r", "p", np.ones(6, np.float32) * 9)
    ((candidate,),) = gallery.search(vector[None])
    assert -1 <= candidate.similarity <= 1
    if np.abs(vector).max() > 1e-3:
        wide = vector.astype(np.float64)
        expected = wide.sum() / np.linalg.norm(wide) / np.sqrt(6)
        assert candidate.similarity == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize(
    "vector", [np.zeros(6), np.full(6, np.nan), np.full(6, np.inf), np.ones(5), np.ones((1, 6))]
)
def test_a_vector_that_is_no_template_is_refused(vector: NDArray[np.float64]) -> None:
    gallery = Gallery(6)
    with pytest.raises(SettingMalformed):
        gallery.add("r", "p", vector.astype(np.float32))
    assert len(gallery) == 0
    assert gallery.version == 0


def test_a_reference_is_added_once() -> None:
    gallery = Gallery(2)
    gallery.add("r", "p", np.ones(2, np.float32))
    with pytest.raises(SettingMalformed):
        gallery.add("r", "q", np.ones(2, np.float32))


def test_a_probe_of_nothing_is_like_nobody() -> None:
    gallery = Gallery(2)
    gallery.add("r", "p", np.ones(2, np.float32))
    for value in (0, np.nan, np.inf):
        ((candidate,),) = gallery.search(np.full((1, 2), value, np.float32))
        assert candidate.similarity == 0


def test_probes_of_another_model_are_refused() -> None:
    with pytest.raises(SettingMalformed):
        Gallery(4).search(np.ones((1, 5), np.float32))


def test_the_version_tells_a_changed_gallery_from_the_same() -> None:
    gallery = Gallery(2)
    versions = [gallery.version]
    gallery.add("r", "p", np.ones(2, np.float32))
    versions.append(gallery.version)
    assert gallery.remove_person("nobody") == 0
    assert gallery.version == versions[-1]
    assert gallery.remove_person("p") == 1
    versions.append(gallery.version)
    assert len(set(versions)) == 3


class Churn(RuleBasedStateMachine):
    """People come and go in any order; the gallery holds exactly those who stay."""

    def __init__(self) -> None:
        super().__init__()
        self.gallery = Gallery(4)
        self.kept: dict[str, list[Vectors]] = {}
        self.count = 0

    @rule(person=st.sampled_from("abcdef"), references=st.integers(1, 30))
    def come(self, person: str, references: int) -> None:
        for vector in unit(references, 4, self.count):
            self.gallery.add(f"r{self.count}", person, vector)
            self.kept.setdefault(person, []).append(vector)
            self.count += 1

    @rule(person=st.sampled_from("abcdef"))
    def go(self, person: str) -> None:
        assert self.gallery.remove_person(person) == len(self.kept.pop(person, []))

    @invariant()
    def only_those_who_stay_are_found(self) -> None:
        assert len(self.gallery) == sum(map(len, self.kept.values()))
        for person, vectors in self.kept.items():
            (found,) = self.gallery.search(vectors[-1][None], top=9)
            assert {candidate.person_id for candidate in found} == set(self.kept)
            best = {candidate.person_id: candidate.similarity for candidate in found}
            assert best[person] == pytest.approx(1, abs=1e-5)


TestChurn = Churn.TestCase


def buffers_of(gallery: Gallery) -> list[Vectors]:
    return [value for value in vars(gallery).values() if isinstance(value, np.ndarray)]


def test_after_removal_no_buffer_holds_a_byte_of_the_template() -> None:
    gallery = Gallery(128)
    vectors = unit(300, 128, 1)
    # Every buffer that is ever in use, also those given up while growing and shrinking.
    seen = {id(buffer): buffer for buffer in buffers_of(gallery)}
    for place, vector in enumerate(vectors):
        gallery.add(f"r{place}", f"person-{place % 100}", vector)
        seen |= {id(buffer): buffer for buffer in buffers_of(gallery)}
    gallery.search(vectors[:2], top=100)
    for person in (*range(7), *range(8, 100)):
        gallery.remove_person(f"person-{person}")
        seen |= {id(buffer): buffer for buffer in buffers_of(gallery)}
    held = b"".join(buffer.tobytes() for buffer in seen.values())
    assert len(seen) > 2
    for place, vector in enumerate(vectors):
        wide = vector.astype(np.float64)
        # As it was stored, scaled on arrival; any four neighbouring numbers would tell.
        stored = (wide / np.linalg.norm(wide)).astype(np.float32)
        parts = [stored[start : start + 4].tobytes() in held for start in range(0, 128, 4)]
        assert all(parts) if place % 100 == 7 else not any(parts)
    names = repr(list(vars(gallery).values()))
    assert "person-7'" in names
    assert "person-8'" not in names
    assert "'r8'" not in names
    assert len(gallery) == 3


AXES = np.eye(32, dtype=np.float32)


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


def test_readers_never_see_a_half_removed_person() -> None:
    gallery = Gallery(32)
    for place in range(16):
        gallery.add(f"stays-{place}", f"stays-{place}", AXES[place])
    done = threading.Event()
    faults: list[str] = []

    def read() -> None:
        while not done.is_set():
            faults.extend(faults_of_one_search(gallery))

    def write() -> None:
        for turn in range(150):
            for copy in range(5):
                gallery.add(f"guest-{turn}-{copy}", "guest", AXES[16])
            gallery.remove_person("guest")

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
    for place, vector in enumerate(unit(3000, 64, 3)):
        gallery.add(f"r{place}", f"p{place}", vector)
    probes = unit(200, 64, 4)
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            gallery.search(probes)

    readers = [threading.Thread(target=read, daemon=True) for _ in range(4)]
    for thread in readers:
        thread.start()
    removal = threading.Thread(target=gallery.remove_person, args=("p5",))
    removal.start()
    removal.join(timeout=30)
    done.set()
    assert not removal.is_alive()
    for thread in readers:
        thread.join(timeout=30)
