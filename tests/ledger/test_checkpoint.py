"""Checkpoints and notes: the published vectors, and every way to misread one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import CheckpointInvalid
from sayso.ledger.checkpoint import (
    Checkpoint,
    SigningKey,
    VerifierKey,
    decode_base64,
    encode_base64,
    open_checkpoint,
    open_note,
    sign_checkpoint,
    sign_note,
)

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
TEXT: str = VECTORS["text"]
PETER, ENOCH = VECTORS["peter"], VECTORS["enoch"]
PETER_SEED = decode_base64(PETER["skey"].split("+", 4)[4])[1:]
SIGNED = f"{TEXT}\n{PETER['signature']}".encode()
KEY = SigningKey.from_seed("example.org/sayso", bytes(range(32)))


def test_the_published_note_is_made_byte_for_byte() -> None:
    key = SigningKey.from_seed("PeterNeumann", PETER_SEED)
    assert key.verifier.encode() == PETER["vkey"]
    assert sign_note(TEXT, key) == SIGNED


@pytest.mark.parametrize("signer", [PETER, ENOCH])
def test_the_published_notes_open_with_either_key(signer: dict[str, str]) -> None:
    both = f"{TEXT}\n{PETER['signature']}{ENOCH['signature']}".encode()
    assert open_note(both, VerifierKey.parse(signer["vkey"])) == TEXT


def test_a_note_signed_by_others_only_is_not_trusted() -> None:
    with pytest.raises(CheckpointInvalid, match="EnochRoot"):
        open_note(SIGNED, VerifierKey.parse(ENOCH["vkey"]))


def test_no_part_and_no_mangling_of_a_key_is_a_key() -> None:
    vkey = PETER["vkey"]
    for start in range(len(vkey)):
        for stop in range(start + 1, len(vkey) + 1):
            if (start, stop) != (0, len(vkey)):
                with pytest.raises(CheckpointInvalid):
                    VerifierKey.parse(vkey[start:stop])
    for place, character in enumerate(vkey):
        with pytest.raises(CheckpointInvalid):
            VerifierKey.parse(vkey[:place] + chr(ord(character) + 1) + vkey[place + 1 :])


@pytest.mark.parametrize("vkey", [*VECTORS["bad_vkeys"], "", "+", "++", PETER["vkey"] + "\n"])
def test_published_bad_keys_are_refused(vkey: str) -> None:
    with pytest.raises(CheckpointInvalid):
        VerifierKey.parse(vkey)


@pytest.mark.parametrize(
    "note",
    [
        TEXT.encode(),
        f"{TEXT}\n".encode(),
        SIGNED[:-1],
        b"\x01" + SIGNED,
        b"\xff" + SIGNED,
        SIGNED + b"Unexpected line.\n",
        SIGNED.replace(b"\n\n", b"\n"),
        SIGNED.replace("— ".encode(), b"- "),
        SIGNED.replace(b"x08g", b"x08 g"),
        SIGNED.replace(b"JnAM=", b"JnAN="),  # the same bytes, with a stray bit
        SIGNED.replace(b"JnAM=", b"JnAM"),
        f"{TEXT}\n{PETER['signature'] * 101}".encode(),
        f"{TEXT}\n— PeterNeumann x08go/Y=\n".encode(),
        b"",
    ],
)
def test_malformed_notes_are_refused(note: bytes) -> None:
    with pytest.raises(CheckpointInvalid):
        open_note(note, VerifierKey.parse(PETER["vkey"]))


def test_one_bad_signature_by_a_trusted_key_spoils_the_note() -> None:
    line = PETER["signature"]
    bent = line.replace("ZJku", "ZJkv")
    with pytest.raises(CheckpointInvalid, match="valid signature"):
        open_note(f"{TEXT}\n{line}{bent}".encode(), VerifierKey.parse(PETER["vkey"]))


@given(st.data())
def test_any_single_changed_bit_of_a_checkpoint_is_refused(data: st.DataObject) -> None:
    note = sign_checkpoint(Checkpoint(KEY.name, 7, bytes(range(32))), KEY)
    place = data.draw(st.integers(0, len(note) - 1))
    bent = bytearray(note)
    bent[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CheckpointInvalid):
        open_checkpoint(bytes(bent), KEY.verifier)


def test_the_checkpoint_of_the_specification_reads_as_it_says() -> None:
    vector = VECTORS["c2sp_checkpoint"]
    root = bytes.fromhex(vector["root"])
    assert Checkpoint(vector["origin"], vector["size"], root).text() == vector["text"]
    key = SigningKey.from_seed(vector["origin"], bytes(32))
    opened = open_checkpoint(sign_note(vector["text"], key), key.verifier)
    assert opened == Checkpoint(vector["origin"], 20852163, root)


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_what_is_signed_is_what_opens(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(KEY.name, size, root)
    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), KEY.verifier) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "example.org/sayso\n07\n{root}\n",
        "example.org/sayso\n-7\n{root}\n",
        "example.org/sayso\n\u0667\n{root}\n",
        "example.org/sayso\n7\n{root}\nextension\n",
        "example.org/sayso\n7\n",
        "example.org/sayso\n7\nAAAA\n",
        "example.org/sayso\n\n{root}\n",
        "example.org/another\n7\n{root}\n",
    ],
)
def test_a_signed_note_is_not_yet_a_checkpoint_of_this_log(text: str) -> None:
    note = sign_note(text.format(root=encode_base64(bytes(32))), KEY)
    with pytest.raises(CheckpointInvalid):
        open_checkpoint(note, KEY.verifier)


def test_a_log_signs_only_its_own_checkpoints() -> None:
    with pytest.raises(CheckpointInvalid):
        sign_checkpoint(Checkpoint("example.org/another", 1, bytes(32)), KEY)
    with pytest.raises(CheckpointInvalid):
        sign_checkpoint(Checkpoint(KEY.name, 1, bytes(31)), KEY)


def test_the_seed_is_never_shown() -> None:
    assert PETER_SEED.hex() not in repr(SigningKey.from_seed("PeterNeumann", PETER_SEED))
    with pytest.raises(CheckpointInvalid):
        SigningKey.from_seed("PeterNeumann", b"short")
