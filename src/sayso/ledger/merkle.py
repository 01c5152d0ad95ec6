"""The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, proofs. Pure: values in, values out.

A tree of ``size`` leaves is made of perfect subtrees. The node at ``level`` h and ``index`` i is
the root of the 2^h leaves from i * 2^h on; level 0 holds the leaf hashes. Whoever can read those
nodes (`ReadNode`) can have every root and proof in O(log n) reads.

All hashes are 32 bytes (SHA-256). Leaves are counted from 0, as in RFC 9162.
"""

import hashlib
from collections.abc import Callable, Sequence

from sayso.errors import EntryUnknown, ProofInvalid

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves (RFC 9162, 2.1.1)."""

ReadNode = Callable[[int, int], bytes]
"""``read(level, index)``: the hash of one perfect subtree, 32 bytes."""

_REMEDY = "Ask for a new proof, and keep both: one of the two parties does not say the truth."


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data): the hash of one leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): the hash of an inner node (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The few nodes from which a growing tree's root follows: one per set bit of its size.

    Args:
        peaks: the roots of the perfect subtrees, widest (leftmost) first.
        size: the number of leaves.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, peaks: Sequence[bytes] = (), size: int = 0) -> None:
        self._peaks = list(peaks)
        self.size = size

    @classmethod
    def read(cls, size: int, read: ReadNode) -> "CompactRange":
        """The compact range of a stored tree of ``size`` leaves; O(log n) reads."""
        return cls([read(level, index) for level, index in _peaks_between(0, size)], size)

    def copy(self) -> "CompactRange":
        """A range of its own with the same leaves."""
        return CompactRange(self._peaks, self.size)

    def append(self, leaf: bytes) -> tuple[bytes, ...]:
        """Add one leaf hash; the inner nodes that it completes, lowest level (1) first."""
        completed = []
        node, remaining = leaf, self.size
        while remaining & 1:
            node = node_hash(self._peaks.pop(), node)
            completed.append(node)
            remaining >>= 1
        self._peaks.append(node)
        self.size += 1
        return tuple(completed)

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far."""
        return _fold(self._peaks) if self._peaks else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: ReadNode) -> tuple[bytes, ...]:
    """PATH(index, D_size) of RFC 9162, 2.1.3.1: siblings from the leaf up, O(log n) of them.

    Raises:
        EntryUnknown: the tree of this size has no such leaf.
    """
    if not 0 <= index < size:
        raise EntryUnknown(
            expected=f"a sequence number from 0 to {size - 1}",
            found=str(index),
            remedy="Ask for an entry that the checkpoint covers.",
        )
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_subtree(middle, end, read))
            end = middle
        else:
            path.append(_subtree(begin, middle, read))
            begin = middle
    return tuple(reversed(path))


def consistency_proof(first: int, second: int, read: ReadNode) -> tuple[bytes, ...]:
    """PROOF(first, D_second) of RFC 9162, 2.1.4.1: that the larger tree continues the smaller.

    Empty where ``first`` is 0 or equals ``second``: nothing needs to be shown.

    Raises:
        EntryUnknown: not 0 <= first <= second.
    """
    if not 0 <= first <= second:
        raise EntryUnknown(
            expected=f"an earlier size from 0 to {second}",
            found=str(first),
            remedy="Give the older checkpoint first.",
        )
    if first in (0, second):
        return ()
    path: list[bytes] = []
    begin, end = 0, second
    while end != first:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(_subtree(middle, end, read))
            end = middle
        else:
            path.append(_subtree(begin, middle, read))
            begin = middle
    if begin > 0:  # the old tree is not itself a node of the new one, so its last part is told
        path.append(_subtree(begin, end, read))
    return tuple(reversed(path))


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Check an inclusion proof, step by step as in RFC 9162, 2.1.3.2.

    Args:
        index: of the leaf, from 0.
        size: of the tree.
        leaf: the leaf hash.
        path: the proof, from the leaf's sibling up.
        root: the trusted root of that tree.

    Raises:
        ProofInvalid: the leaf is not shown to be there.
    """
    _require_hashes(leaf, root, *path)
    # 1. Compare leaf_index from the inclusion_proof structure against tree_size.
    if not 0 <= index < size:
        raise _invalid(f"a leaf below tree size {size}", f"leaf {index}")
    # 2. Set fn to leaf_index and sn to tree_size - 1.
    fn, sn = index, size - 1
    # 3. Set r to hash.
    r = leaf
    # 4. For each value p in the inclusion_path array:
    for p in path:
        # a. If sn is 0, then stop the iteration and fail the proof verification.
        if sn == 0:
            raise _invalid("a path as long as the tree is high", "a longer one")
        # b. If LSB(fn) is set, or if fn is equal to sn, then:
        if fn & 1 or fn == sn:
            # i. Set r to HASH(0x01 || p || r).
            r = node_hash(p, r)
            # ii. If LSB(fn) is not set, right-shift fn and sn equally until it is or fn is 0.
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            # Otherwise: i. Set r to HASH(0x01 || r || p).
            r = node_hash(r, p)
        # c. Finally, right-shift both fn and sn one time.
        fn >>= 1
        sn >>= 1
    # 5. Compare sn to 0, and r against the root_hash.
    if sn != 0:
        raise _invalid("a path as long as the tree is high", "a shorter one")
    if r != root:
        raise _invalid("the signed root", "another root")


def verify_consistency(  # noqa: C901 - the RFC's steps, in its order, in one place
    *, first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> None:
    """Check a consistency proof, step by step as in RFC 9162, 2.1.4.2.

    The RFC covers 0 < first < second; here equal sizes need equal roots, and the empty tree is a
    prefix of every tree; both with an empty path.

    Raises:
        ProofInvalid: the second tree is not shown to continue the first.
    """
    _require_hashes(first_root, second_root, *path)
    if not 0 <= first <= second:
        raise _invalid("the older tree not to be larger", f"sizes {first} and {second}")
    if first in (0, second):
        _verify_trivial(first, second, first_root, second_root, path)
        return
    # 1. If consistency_path is an empty array, stop and fail the proof verification.
    if not path:
        raise _invalid("a consistency path", "an empty one")
    # 2. If first is an exact power of 2, then prepend first_hash to the path.
    hashes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    # 3. Set fn to first - 1 and sn to second - 1.
    fn, sn = first - 1, second - 1
    # 4. If LSB(fn) is set, then right-shift both equally until LSB(fn) is not set.
    while fn & 1:
        fn >>= 1
        sn >>= 1
    # 5. Set both fr and sr to the first value in the path.
    fr = sr = hashes[0]
    # 6. For each subsequent value c in the path:
    for c in hashes[1:]:
        # a. If sn is 0, then stop the iteration and fail the proof verification.
        if sn == 0:
            raise _invalid("a path as long as the tree is high", "a longer one")
        # b. If LSB(fn) is set, or if fn is equal to sn, then:
        if fn & 1 or fn == sn:
            # i. Set fr to HASH(0x01 || c || fr). ii. Set sr to HASH(0x01 || c || sr).
            fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            # iii. If LSB(fn) is not set, right-shift both equally until it is or fn is 0.
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            # Otherwise: i. Set sr to HASH(0x01 || sr || c).
            sr = node_hash(sr, c)
        # c. Finally, right-shift both fn and sn one time.
        fn >>= 1
        sn >>= 1
    # 7. Verify that fr equals first_hash, sr equals second_hash and sn is 0.
    if sn != 0:
        raise _invalid("a path as long as the tree is high", "a shorter one")
    if fr != first_root:
        raise _invalid("the older signed root", "another root")
    if sr != second_root:
        raise _invalid("the newer signed root", "another root")


def _verify_trivial(
    first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> None:
    if path:
        raise _invalid("an empty path between these sizes", f"{len(path)} hashes")
    if first == second and first_root != second_root:
        raise _invalid("equal roots of equal sizes", "different ones")
    if first == 0 and first_root != EMPTY_ROOT:
        raise _invalid("the empty tree's root at size 0", "another root")


def _require_hashes(*hashes: bytes) -> None:
    """A hash of another length could shift meaning between fields when concatenated."""
    if any(len(value) != HASH_BYTES for value in hashes):
        raise _invalid(f"hashes of {HASH_BYTES} bytes", "another length")


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (k in RFC 9162, 2.1.1); size > 1."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(begin: int, end: int, read: ReadNode) -> bytes:
    """MTH(D[begin:end]) where the range is a node, or the right edge, of the tree."""
    return _fold([read(level, index) for level, index in _peaks_between(begin, end)])


def _peaks_between(begin: int, end: int) -> list[tuple[int, int]]:
    """The (level, index) of the perfect subtrees of an aligned range, widest first."""
    peaks = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        peaks.append((level, begin >> level))
        begin += 1 << level
    return peaks


def _fold(peaks: Sequence[bytes]) -> bytes:
    """Join subtrees from the right: the root over all of them."""
    root = peaks[-1]
    for left in reversed(peaks[:-1]):
        root = node_hash(left, root)
    return root


def _invalid(expected: str, found: str) -> ProofInvalid:
    return ProofInvalid(expected=expected, found=found, remedy=_REMEDY)
