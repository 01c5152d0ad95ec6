"""The vault: the workspace key over the key store. Only it opens and seals templates."""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property

from sayso.errors import KeyWrong, SealBroken
from sayso.store.keystore import KeyStore, Pending
from sayso.store.sealing import KEY_BYTES, WorkspaceKey

CHECK = "key_check"
PLACE = "key_place"
RETIRED = "retired_place"
RENEWING = "renewing"
"""Set while the workspace begins anew with another key: what is still to be done."""
_TOKEN_KEY = "token_key"  # noqa: S105 - the name of a fact
_LEDGER_SEED = "ledger_seed"


class Vault:
    """Seals under data keys that lie in the key store, wrapped by the workspace key."""

    def __init__(self, key: WorkspaceKey, store: KeyStore) -> None:
        self._key = key
        self.store = store

    def token(self, *parts: str) -> str:
        """A keyed hash of some words, which only this workspace can make again."""
        return self._token_key.token(*parts)

    @property
    def key_id(self) -> str:
        """What the ledger calls the workspace key, 16 hex digits; nothing of the key is in it."""
        return self._key.key_id

    def erasure_token(self, person: str) -> str:
        """What is left of somebody who was erased: enough to know them again in a backup."""
        return self.token("person", person)

    def seal_template(self, person: str, template: str, vector: bytes) -> bytes:
        """Seal a template under the person's data key, which is made if they have none.

        The key is on disk before the row is: a template without its key never was acknowledged.
        """
        self.require_current()
        wrapped = self.store.wrapped(person)
        if wrapped is None:
            wrapped = self._key.new_data_key(person)
            self.store.keep(person, wrapped)
        return self._key.seal_template(wrapped, person, template, vector)

    def open_template(self, person: str, template: str, sealed: bytes) -> bytearray:
        """Open a template, into memory that the caller overwrites after use.

        Raises:
            SealBroken: the data key is gone, or key or row were changed.
        """
        wrapped = self.store.wrapped(person)
        if wrapped is None:
            raise SealBroken(
                expected=f"the data key of person {person}",
                found="none",
                remedy="The template can no longer be opened; withdraw and enrol them again.",
            )
        try:
            return self._key.open_template(wrapped, person, template, sealed)
        except SealBroken:
            self.require_current()
            raise

    def wrapped(self, person: str) -> bytes | None:
        """A person's wrapped data key, or None if they have none."""
        return self.store.wrapped(person)

    def destroy(self, people: Iterable[str]) -> None:
        """Destroy data keys."""
        self.store.destroy(people)

    def seal_traces(self, token: str, traces: bytes) -> bytes:
        """Seal what an erasure has still to look for, so that it is no trace itself."""
        return self._key.wrap(traces, "traces", token)

    def open_traces(self, token: str, sealed: bytes) -> bytes:
        """Open what `seal_traces` sealed."""
        return self._key.unwrap(sealed, "traces", token)

    def claim(self, place: str, workspace_id: str) -> None:
        """Say of a new workspace which key opens it and where that is kept."""
        self.store.set_facts({CHECK: self._key.check(), PLACE: place, "workspace_id": workspace_id})
        _ = self._token_key, self.ledger_seed

    def rotate(self, key: WorkspaceKey, place: str) -> int:
        """Wrap every data key under a new workspace key, in one transaction; gives how many.

        Templates are not touched. The old key opens everything until the transaction commits,
        the new one from then on.
        """
        rewrapped = {
            person: key.wrap(self._data_key(person), "data key", person)
            for person in sorted(self.store.holders())
        }
        before = self.store.fact(PLACE)
        facts: Mapping[str, str | None] = {
            CHECK: key.check(),
            PLACE: place,
            _TOKEN_KEY: key.wrap(self._token_key.secret, "token key").hex(),
            _LEDGER_SEED: key.wrap(self.ledger_seed, _LEDGER_SEED).hex(),
            RETIRED: before if before != place else None,
        }
        self.store.replace_keys(rewrapped, facts)
        self._key = key
        return len(rewrapped)

    def unopened(self) -> list[str]:
        """Everybody whose data key this workspace key does not unwrap."""
        broken = []
        for person in sorted(self.store.holders()):
            try:
                self._data_key(person)
            except SealBroken:
                broken.append(person)
        return broken

    def start_over(self, place: str, renewing: str, traces: bytes) -> None:
        """Make the key that this vault was opened with the workspace's, all others being lost.

        What the ledger was signed with is lost with them: a new ledger is to be begun.

        Args:
            place: where the key is kept.
            renewing: what is still to be done once this is, for whoever goes on with it.
            traces: what an erasure under way has still to look for, as far as is known.
        """
        secret, seed = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)
        facts = {
            CHECK: self._key.check(),
            PLACE: place,
            RETIRED: None,
            RENEWING: renewing,
            _TOKEN_KEY: self._key.wrap(secret, "token key").hex(),
            _LEDGER_SEED: self._key.wrap(seed, _LEDGER_SEED).hex(),
        }
        pending = []
        for one in self.store.pending_erasures():
            token = WorkspaceKey(secret).token("person", one.person)
            sealed = self.seal_traces(token, traces)
            pending.append(Pending(token, one.person, sealed, one.begun_at))
        self.store.start_over(facts, pending)

    def require_current(self) -> None:
        """Notice that another process changed the workspace key meanwhile.

        Raises:
            KeyWrong: it did.
        """
        check = self.store.fact(CHECK)
        if check is not None:
            self._key.verify(check)

    def _data_key(self, person: str) -> bytes:
        return self._key.unwrap(self.store.wrapped(person) or b"", "data key", person)

    @cached_property
    def ledger_seed(self) -> bytes:
        """What the ledger's signing key is made of, 32 bytes; it outlives the workspace key."""
        return self._secret(_LEDGER_SEED, _LEDGER_SEED)

    @cached_property
    def _token_key(self) -> WorkspaceKey:
        """A key of its own, so that tokens outlive the workspace key."""
        return WorkspaceKey(self._secret(_TOKEN_KEY, "token key"))

    def _secret(self, fact: str, context: str) -> bytes:
        """A secret that lies wrapped in the key store, where it is made if it is not there."""
        wrapped = self.store.fact(fact)
        if wrapped is not None:
            try:
                return self._key.unwrap(bytes.fromhex(wrapped), context)
            except (SealBroken, ValueError):
                raise KeyWrong(
                    expected="the workspace key that this key store was wrapped with",
                    found="another one",
                    remedy="Put back the key that goes with this key store.",
                ) from None
        secret = os.urandom(KEY_BYTES)
        self.store.set_facts({fact: self._key.wrap(secret, context).hex()})
        return secret
