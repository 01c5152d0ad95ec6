"""Where the workspace key is kept: a file of its owner's, the keyring, or the environment."""

import base64
import binascii
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sayso.domain.key import KeyPlace
from sayso.errors import KeyExposed, KeyMissing, KeyWrong, SettingMalformed
from sayso.store.sealing import WorkspaceKey

_KEYRING_SERVICE = "sayso"
VARIABLE = "SAYSO_KEY"
NEW_VARIABLE = "SAYSO_NEW_KEY"
"""Where `sayso key rotate` finds the next key of a workspace whose key is in the environment."""


def put(place: KeyPlace, key: WorkspaceKey, *, file: Path, workspace_id: str) -> None:
    """Keep a new key; with `KeyPlace.ENVIRONMENT` there is nothing to do.

    Raises:
        SettingMalformed: the keyring was asked for and is not installed.
        KeyMissing: it is locked, or there is none on this machine.
    """
    if place is KeyPlace.FILE:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(base64.b64encode(key.secret) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    elif place is KeyPlace.KEYRING:
        text = base64.b64encode(key.secret).decode()
        _keyring().set_password(_KEYRING_SERVICE, workspace_id, text)


def get(place: KeyPlace, *, file: Path, workspace_id: str, variable: str | None) -> WorkspaceKey:
    """The key of a workspace.

    Args:
        place: where to look.
        file: the key file.
        workspace_id: the name of the keyring's entry.
        variable: the value of the environment variable ``SAYSO_KEY``, if set.

    Raises:
        KeyMissing: nothing there, or a keyring that is locked.
        KeyExposed: a file that others may read.
        KeyWrong: something that is no key.
    """
    if place is KeyPlace.FILE:
        return from_text(_read(file))
    if place is KeyPlace.KEYRING:
        text = _keyring().get_password(_KEYRING_SERVICE, workspace_id)
        return from_text(_present(text, f"the keyring's entry sayso/{workspace_id}"))
    return from_text(_present(variable, f"the environment variable {VARIABLE}"))


def beside(file: Path, workspace_id: str) -> tuple[Path, str]:
    """Where the next key waits while the present one is being replaced: its file, its entry."""
    return file.with_name(f"{file.name}.new"), f"{workspace_id}.new"


def promote(place: KeyPlace, *, file: Path, workspace_id: str) -> None:
    """Put the waiting key in the present one's place, which is overwritten first."""
    new_file, new_id = beside(file, workspace_id)
    if place is KeyPlace.FILE:
        _overwrite(file)
        new_file.replace(file)
    elif place is KeyPlace.KEYRING:
        text = _present(_keyring().get_password(_KEYRING_SERVICE, new_id), "the keyring")
        _keyring().set_password(_KEYRING_SERVICE, workspace_id, text)
        _keyring().delete_password(_KEYRING_SERVICE, new_id)


def discard(place: KeyPlace, *, file: Path, workspace_id: str) -> None:
    """Destroy a key; nothing is done where there is none, or where it came from elsewhere."""
    if place is KeyPlace.FILE:
        _overwrite(file)
        file.unlink(missing_ok=True)
    elif place is KeyPlace.KEYRING and (
        _keyring().get_password(_KEYRING_SERVICE, workspace_id) is not None
    ):
        _keyring().delete_password(_KEYRING_SERVICE, workspace_id)


def _overwrite(file: Path) -> None:
    try:
        with file.open("r+b") as stream:
            stream.write(bytes(file.stat().st_size))
            stream.flush()
            os.fsync(stream.fileno())
    except FileNotFoundError:
        return


def from_text(text: str) -> WorkspaceKey:
    """Read a key from base64.

    Raises:
        KeyWrong: it is not base64 of 32 bytes.
    """
    try:
        return WorkspaceKey(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise KeyWrong(
            expected="32 bytes in base64",
            found="something else",
            remedy="Put back the key that `sayso init` made, as it was.",
        ) from None


def _read(file: Path) -> str:
    try:
        mode = file.stat().st_mode
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise KeyExposed(
                expected=f"a key file that only its owner may read: {file}",
                found=f"mode {stat.S_IMODE(mode):04o}",
                remedy=f"Run `chmod 600 {file}`, and think about who may have read it.",
            )
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        _present(None, str(file))
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise KeyWrong(
            expected=f"a readable key at {file}",
            found=str(error),
            remedy="Give this account the right to read it, or put the key back.",
        ) from error


def _present(text: str | None, where: str) -> str:
    if not text:
        raise KeyMissing(
            expected=f"the workspace key in {where}",
            found="nothing",
            remedy="Put the key back from your safe copy. If it is lost for good, run `sayso key "
            "renew`: people, consents, marks, objections and publications remain; templates "
            "cannot be recovered by anybody, so those people must be enrolled again.",
        )
    return text


def _keyring() -> "_Keyring":
    try:
        import keyring  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise SettingMalformed(
            expected="the extra `keyring` for a key in the keyring",
            found="it is not installed",
            remedy="Install sayso[keyring], or keep the key in a file.",
        ) from None
    return _Keyring(keyring.get_keyring(), keyring.errors.KeyringError)


class _Backend(Protocol):
    """What is used of a keyring backend."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class _Keyring:
    """The account's keyring; one that does not answer is told as such, not as a lost key."""

    def __init__(self, backend: _Backend, fault: type[Exception]) -> None:
        self._backend = backend
        self._fault = fault

    def get_password(self, service: str, username: str) -> str | None:
        """An entry, or None if it is not there."""
        with self._answering():
            return self._backend.get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Set an entry."""
        with self._answering():
            self._backend.set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        """Remove an entry."""
        with self._answering():
            self._backend.delete_password(service, username)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except self._fault as error:
            raise KeyMissing(
                expected="a keyring that can be opened by this account",
                found=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                remedy="Unlock it, or log in to the desktop that it belongs to, and run this "
                "again: the key is not lost. On a machine without a keyring keep the key in a file "
                "or in SAYSO_KEY.",
            ) from error
