"""Checkpoints: what the log looked like at one size, signed. Pure.

A checkpoint is the text of C2SP tlog-checkpoint (origin, size, root), inside a C2SP signed note
with Ed25519 signatures. Both are read strictly: one spelling, no control characters, canonical
base64; signatures by keys that are not trusted are skipped, and at least one by the trusted key
must verify. https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint

A key is published as the *vkey* that note tools exchange::

    <name>+<key id, 8 hex digits>+<base64(0x01 || 32-byte public key)>
    key id = SHA-256(name || 0x0A || 0x01 || public key)[:4]

The name of a log's key is the log's origin, so that a checkpoint of one log is never one of
another that happens to share the key.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from sayso.errors import CheckpointInvalid
from sayso.ledger.merkle import HASH_BYTES

NOTE_BYTES = 65536
"""The largest note that is read; room for far more than the 16 signatures that C2SP asks for."""
SIGNATURES = 100

_ED25519 = b"\x01"
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_DASH = "\N{EM DASH} "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under its name.

    Attributes:
        name: not empty, without spaces, control characters and plus; here the log's origin.
        public: 32 bytes, Ed25519 (RFC 8032).

    Raises:
        CheckpointInvalid: a name or key of another form.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or self.name.split() != [self.name]:
            raise _invalid("a key name without spaces or plus signs", "another name")
        if _CONTROL.search(self.name):
            raise _invalid("a key name without control characters", "one with them")
        if len(self.public) != _KEY_BYTES:
            raise _invalid(f"a public key of {_KEY_BYTES} bytes", f"{len(self.public)} bytes")

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key)."""
        hashed = hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public)
        return hashed.digest()[:_KEY_ID_BYTES]

    def encode(self) -> str:
        """The vkey."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        """The key that a vkey names.

        Raises:
            CheckpointInvalid: malformed, another algorithm, or an id that is not this key's.
        """
        name, _, rest = vkey.partition("+")
        _, _, encoded = rest.partition("+")
        decoded = decode_base64(encoded)
        if decoded[:1] != _ED25519:
            raise _invalid("an Ed25519 key (type 1)", "another type of key")
        key = cls(name, decoded[1:])
        if key.encode() != vkey:
            raise _invalid("the key's own id in lower-case hex", "another one")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key under its name; its seed is secret and is never shown.

    Attributes:
        name: the log's origin.
        private: an Ed25519 key.
    """

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> "SigningKey":
        """The key of a 32-byte secret seed (RFC 8032)."""
        if len(seed) != _KEY_BYTES:
            raise _invalid(f"a seed of {_KEY_BYTES} bytes", f"{len(seed)} bytes")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head.

    Attributes:
        origin: which log; not empty, one line.
        size: the number of leaves.
        root: the Merkle tree hash at that size, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text: three lines, no extension lines."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The checkpoint as a signed note, UTF-8.

    Raises:
        CheckpointInvalid: the key is another log's, or the checkpoint is malformed.
    """
    if checkpoint.origin != key.name:
        raise _invalid(f"a checkpoint of {key.name}", f"one of {checkpoint.origin}")
    _parse_text(checkpoint.text())
    return sign_note(checkpoint.text(), key)


def open_checkpoint(note: bytes, key: VerifierKey) -> Checkpoint:
    """The checkpoint in a note, once its signature by the log's key has verified.

    Raises:
        CheckpointInvalid: not signed by this key, another log's, or malformed.
    """
    checkpoint = _parse_text(open_note(note, key))
    if checkpoint.origin != key.name:
        raise _invalid(f"a checkpoint of {key.name}", "one of another log")
    return checkpoint


def signed_by(note: bytes, key: VerifierKey) -> Checkpoint | None:
    """The checkpoint in a note that this key signed; None: it did not."""
    try:
        return open_checkpoint(note, key)
    except CheckpointInvalid:
        return None


def sign_note(text: str, key: SigningKey) -> bytes:
    """A C2SP signed note over a text that ends in a newline."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise _invalid("text that ends in a newline, without control characters", "another text")
    verifier = key.verifier
    signature = encode_base64(verifier.key_id + key.private.sign(text.encode()))
    return f"{text}\n{_DASH}{key.name} {signature}\n".encode()


def open_note(note: bytes, key: VerifierKey) -> str:
    """The text of a note that this key signed; other keys' signatures are skipped.

    Raises:
        CheckpointInvalid: malformed, or no signature of the key, or one that does not verify.
    """
    text, lines = _split_note(note)
    public = Ed25519PublicKey.from_public_bytes(key.public)
    trusted = False
    for line in lines:
        name, key_id, signature = _parse_signature(line)
        if (name, key_id) != (key.name, key.key_id):
            continue
        try:
            public.verify(signature, text.encode())
        except InvalidSignature as error:
            raise _invalid(f"a valid signature by {key.name}", "one that is not") from error
        trusted = True
    if not trusted:
        raise _invalid(f"a signature by {key.name} with key id {key.key_id.hex()}", "none")
    return text


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, 4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """The inverse, for the one canonical spelling only.

    Raises:
        CheckpointInvalid: other characters, missing padding, or stray bits in the last one.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid("base64 (RFC 4648, section 4)", "something else") from error
    if encode_base64(data) != text:
        raise _invalid("canonical base64", "another spelling")
    return data


def _split_note(note: bytes) -> tuple[str, list[str]]:
    if len(note) > NOTE_BYTES:
        raise _invalid(f"a note of at most {NOTE_BYTES} bytes", f"{len(note)} bytes")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid("UTF-8", "other bytes") from error
    if _CONTROL.search(whole):
        raise _invalid("no control characters but newlines", "one")
    text, blank, signatures = whole.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise _invalid("a text, a blank line and signature lines, ended by a newline", "less")
    lines = signatures[:-1].split("\n")
    if len(lines) > SIGNATURES:
        raise _invalid(f"at most {SIGNATURES} signatures", f"{len(lines)}")
    return text + "\n", lines


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not name or "+" in name or name.split() != [name]:
        raise _invalid("an em dash, a key name and a signature in each line", "another line")
    decoded = decode_base64(encoded)
    if len(decoded) <= _KEY_ID_BYTES:
        raise _invalid("a key id and a signature", "too few bytes")
    return name, decoded[:_KEY_ID_BYTES], decoded[_KEY_ID_BYTES:]


def _parse_text(text: str) -> Checkpoint:
    """The three lines; extension lines are refused, as nobody could audit what they say."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:  # noqa: PLR2004 - three lines and their end
        raise _invalid("the three lines of a checkpoint", "others")
    if not _SIZE.fullmatch(lines[1]):
        raise _invalid("a tree size in decimal without leading zeroes", "another form")
    root = decode_base64(lines[2])
    if len(root) != HASH_BYTES:
        raise _invalid(f"a root of {HASH_BYTES} bytes", f"{len(root)} bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def _invalid(expected: str, found: str) -> CheckpointInvalid:
    return CheckpointInvalid(
        expected=expected,
        found=found,
        remedy="Get the checkpoint and the log's public key again, from whom you trust.",
    )
