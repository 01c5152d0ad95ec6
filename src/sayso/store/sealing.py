"""Sealing: templates under a data key per person, data keys under the workspace key.

AES-256-GCM throughout, a random 96-bit nonce for each seal, written before the ciphertext. The
associated data names what is sealed, for whom and in which row, so that a row that is moved to
another person, or a wrapped key put in another's place, does not open.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sayso.errors import KeyWrong, SealBroken

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_CHECK = b"sayso workspace key"


@dataclass(frozen=True, slots=True)
class WorkspaceKey:
    """The key that wraps every data key: 32 random bytes. Its repr does not show them."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise KeyWrong(
                expected=f"a key of {KEY_BYTES} bytes",
                found=f"{len(self.secret)} bytes",
                remedy="Put back the key that `sayso init` made.",
            )

    @classmethod
    def generate(cls) -> "WorkspaceKey":
        """A new random key."""
        return cls(os.urandom(KEY_BYTES))

    def check(self) -> str:
        """A value to keep with the workspace, by which `verify` knows this key again."""
        return _seal(self.secret, _CHECK, b"check").hex()

    def verify(self, check: str) -> None:
        """Raise unless ``check`` was made with this key.

        Raises:
            KeyWrong: it was not.
        """
        try:
            _open(self.secret, bytes.fromhex(check), b"check")
        except (SealBroken, ValueError):
            raise KeyWrong(
                expected="the key that this workspace was made with",
                found="another one",
                remedy="Put back the right key; without it the templates cannot be opened.",
            ) from None

    def token(self, *parts: str) -> str:
        """A keyed hash (HMAC-SHA-256, hex) of some words: comparable, not guessable."""
        message = b"\x00".join(part.encode() for part in parts)
        return hmac.new(self.secret, b"sayso token\x00" + message, hashlib.sha256).hexdigest()

    @property
    def key_id(self) -> str:
        """What this key is called, 16 hex digits: a keyed hash, which does not give it away."""
        return self.token("key id")[:16]

    def new_data_key(self, person_id: str) -> bytes:
        """A random data key for one person, wrapped."""
        return self.wrap(os.urandom(KEY_BYTES), "data key", person_id)

    def wrap(self, plain: bytes, *named: str) -> bytes:
        """Seal some bytes under this key; only the same ``named`` opens them."""
        return _seal(self.secret, plain, _named(*named))

    def unwrap(self, wrapped: bytes, *named: str) -> bytes:
        """Open what `wrap` sealed.

        Raises:
            SealBroken: changed, sealed with another key, or named otherwise.
        """
        return _open(self.secret, wrapped, _named(*named))

    def seal_template(
        self, wrapped: bytes, person_id: str, template_id: str, vector: bytes
    ) -> bytes:
        """Seal a template's bytes under the person's data key.

        Raises:
            SealBroken: the wrapped data key is not this person's.
        """
        key = _open(self.secret, wrapped, _named("data key", person_id))
        return _seal(key, vector, _named("template", person_id, template_id))

    def open_template(
        self, wrapped: bytes, person_id: str, template_id: str, sealed: bytes
    ) -> bytearray:
        """Open what `seal_template` sealed, into memory that the caller overwrites after use.

        Raises:
            SealBroken: key or row were changed, or belong to another person or row.
        """
        key = _open(self.secret, wrapped, _named("data key", person_id))
        opened = bytearray(max(len(sealed) - _NONCE_BYTES - _TAG_BYTES, 0))
        named = _named("template", person_id, template_id)
        try:
            AESGCM(key).decrypt_into(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], named, opened)
        except (InvalidTag, ValueError):
            raise _broken() from None
        return opened


def _named(*parts: str) -> bytes:
    return b"sayso v1\x00" + b"\x00".join(part.encode() for part in parts)


def _seal(key: bytes, plain: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated)


def _open(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError):
        raise _broken() from None


def _broken() -> SealBroken:
    return SealBroken(
        expected="a sealed row as it was written",
        found="one that does not open",
        remedy="Restore the workspace from a backup, or withdraw and enrol this person again.",
    )
