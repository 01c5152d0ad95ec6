"""The tree: the published vectors, a naive recursive twin, and every proof bent out of shape."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import EntryUnknown, ProofInvalid
from sayso.ledger import merkle
from sayso.ledger.merkle import ReadNode

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
LEAVES = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word, over leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    pair = b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])
    return hashlib.sha256(pair).digest()


def reader(leaves: Sequence[bytes]) -> ReadNode:
    return lambda level, index: naive_root(leaves[index << level : (index + 1) << level])


def unhex(path: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(map(bytes.fromhex, path))


def numbered(size: int) -> list[bytes]:
    return [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(size)]


def test_the_empty_tree_has_the_root_of_the_rfc() -> None:
    assert merkle.EMPTY_ROOT.hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert merkle.CompactRange().root() == merkle.EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    growing = merkle.CompactRange()
    for leaf in LEAVES[:size]:
        growing.append(leaf)
    assert growing.root() == ROOTS[size - 1]


@pytest.mark.parametrize("vector", VECTORS["inclusion"])
def test_published_inclusion_proofs(vector: dict[str, Any]) -> None:
    index, size, path = vector["index"], vector["size"], unhex(vector["path"])
    assert merkle.inclusion_proof(index, size, reader(LEAVES)) == path
    merkle.verify_inclusion(
        index=index, size=size, leaf=LEAVES[index], path=path, root=ROOTS[size - 1]
    )


@pytest.mark.parametrize("vector", VECTORS["consistency"])
def test_published_consistency_proofs(vector: dict[str, Any]) -> None:
    first, second, path = vector["first"], vector["second"], unhex(vector["path"])
    assert merkle.consistency_proof(first, second, reader(LEAVES)) == path
    merkle.verify_consistency(
        first=first,
        second=second,
        first_root=ROOTS[first - 1],
        second_root=ROOTS[second - 1],
        path=path,
    )


def test_between_every_two_sizes_up_to_70_consistency_is_proven_and_nothing_else() -> None:
    leaves = numbered(70)
    roots = [naive_root(leaves[:size]) for size in range(71)]
    read = reader(leaves)
    for second in range(71):
        for first in range(second + 1):
            path = merkle.consistency_proof(first, second, read)
            merkle.verify_consistency(
                first=first,
                second=second,
                first_root=roots[first],
                second_root=roots[second],
                path=path,
            )
            if 0 < first < second:
                with pytest.raises(ProofInvalid):
                    merkle.verify_consistency(
                        first=first,
                        second=second,
                        first_root=merkle.leaf_hash(b"rewritten"),
                        second_root=roots[second],
                        path=path,
                    )


def test_every_leaf_of_every_size_up_to_40_is_proven() -> None:
    leaves = numbered(40)
    read = reader(leaves)
    for size in range(1, 41):
        root = naive_root(leaves[:size])
        for index in range(size):
            path = merkle.inclusion_proof(index, size, read)
            assert len(path) <= (size - 1).bit_length()
            merkle.verify_inclusion(
                index=index, size=size, leaf=leaves[index], path=path, root=root
            )


@given(st.integers(1, 200), st.data())
def test_appending_gives_the_naive_root_and_the_nodes_of_the_tree(
    size: int, data: st.DataObject
) -> None:
    leaves = data.draw(st.lists(st.binary(min_size=32, max_size=32), min_size=size, max_size=size))
    growing = merkle.CompactRange()
    read = reader(leaves)
    for sequence, leaf in enumerate(leaves):
        for level, node in enumerate(growing.append(leaf), start=1):
            assert node == read(level, sequence >> level)
    assert growing.root() == naive_root(leaves)
    assert merkle.CompactRange.read(size, read).root() == growing.root()


@pytest.mark.parametrize(("index", "size"), [(0, 8), (5, 8), (2, 3), (6, 7), (9, 13), (12, 13)])
def test_any_single_changed_bit_breaks_an_inclusion_proof(index: int, size: int) -> None:
    leaves = numbered(size)
    root, path = naive_root(leaves), merkle.inclusion_proof(index, size, reader(leaves))
    for place, hashed in enumerate(path):
        for bit in range(256):
            bent = (int.from_bytes(hashed, "big") ^ (1 << bit)).to_bytes(32, "big")
            with pytest.raises(ProofInvalid):
                merkle.verify_inclusion(
                    index=index,
                    size=size,
                    leaf=leaves[index],
                    path=(*path[:place], bent, *path[place + 1 :]),
                    root=root,
                )


@pytest.mark.parametrize(("first", "second"), [(1, 8), (6, 8), (2, 5), (6, 7), (4, 8), (11, 13)])
def test_any_single_changed_bit_breaks_a_consistency_proof(first: int, second: int) -> None:
    leaves = numbered(second)
    path = merkle.consistency_proof(first, second, reader(leaves))
    for place, hashed in enumerate(path):
        for bit in range(256):
            bent = (int.from_bytes(hashed, "big") ^ (1 << bit)).to_bytes(32, "big")
            with pytest.raises(ProofInvalid):
                merkle.verify_consistency(
                    first=first,
                    second=second,
                    first_root=naive_root(leaves[:first]),
                    second_root=naive_root(leaves),
                    path=(*path[:place], bent, *path[place + 1 :]),
                )


@given(st.integers(1, 40), st.data())
def test_a_proof_proves_only_its_own_place(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = numbered(size)
    path = merkle.inclusion_proof(index, size, reader(leaves))
    root = naive_root(leaves)
    wrongs: list[dict[str, Any]] = [
        {"index": index + 1},
        {"index": index - 1},
        {"index": index ^ 2},
        {"size": size * 2},
        {"leaf": merkle.leaf_hash(b"another")},
        {"root": merkle.EMPTY_ROOT},
        {"path": (*path, root)},
        {"path": (root, *path)},
        {"path": (*path, b"")},
    ]
    if path:
        wrongs.append({"path": path[:-1]})
    for wrong in wrongs:
        right: dict[str, Any] = {
            "index": index,
            "size": size,
            "leaf": leaves[index],
            "path": path,
            "root": root,
        }
        with pytest.raises(ProofInvalid):
            merkle.verify_inclusion(**(right | wrong))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 0), (2, 1), (-1, 1)])
def test_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(EntryUnknown):
        merkle.inclusion_proof(index, size, reader(LEAVES))
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(
            index=index, size=size, leaf=LEAVES[0], path=(), root=merkle.EMPTY_ROOT
        )


def test_bytes_shifted_from_a_leaf_into_the_path_prove_nothing() -> None:
    left, right = LEAVES[:2]
    both = left + right  # what is hashed is the same; what it would claim is not
    for length in (0, 31, 33, 64):
        with pytest.raises(ProofInvalid):
            merkle.verify_inclusion(
                index=0, size=2, leaf=both[:length], path=(both[length:],), root=ROOTS[1]
            )


def test_a_tree_does_not_shrink() -> None:
    with pytest.raises(EntryUnknown):
        merkle.consistency_proof(5, 4, reader(LEAVES))
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(
            first=2, second=1, first_root=ROOTS[1], second_root=ROOTS[0], path=()
        )


@pytest.mark.parametrize(
    ("first", "second", "first_root", "second_root", "path"),
    [
        (1, 2, ROOTS[0], ROOTS[1], ()),
        (1, 1, ROOTS[0], ROOTS[1], ()),
        (1, 1, ROOTS[0], ROOTS[0], (ROOTS[0],)),
        (0, 1, merkle.EMPTY_ROOT, ROOTS[0], (ROOTS[0],)),
        (0, 1, ROOTS[3], ROOTS[0], ()),
    ],
)
def test_trivial_proofs_are_checked_too(
    first: int, second: int, first_root: bytes, second_root: bytes, path: tuple[bytes, ...]
) -> None:
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(
            first=first, second=second, first_root=first_root, second_root=second_root, path=path
        )
