import copy
import json
from typing import Any

import pytest

from sayso.domain.event import Notice
from sayso.domain.grant import Purpose
from sayso.domain.person import PersonId
from sayso.errors import (
    DiskFull,
    PersonUnknown,
    ReceiptForged,
    ReceiptReplayed,
    RecordMalformed,
    SaysoError,
)
from sayso.services.envelope import seal
from sayso.services.receipt import Receipts, check_receipt

from .drawing import ADA, BEN
from .logged import SCHOOL, SmallLog
from .world import World

TOLD = Notice("cd" * 32, "2", "en")


@pytest.fixture
def log() -> SmallLog:
    return SmallLog(first=40)


@pytest.fixture
def asked(world: World) -> World:
    """Two people who said yes."""
    world.collection()
    world.enrol("Ada", ADA, "recognise find publish:website", notice=TOLD)
    world.enrol("Ben", BEN, "recognise find", notice=TOLD)
    return world


def receipt(world: World, log: SmallLog | None, name: str = "Ada") -> bytes:
    return Receipts(world.repository, world.clock, SCHOOL, log, log)(name).data


def person(world: World, name: str) -> PersonId:
    with world.repository.reading() as unit:
        return unit.people.get(name).id


def changed(data: bytes, **parts: object) -> bytes:
    return json.dumps(json.loads(data) | parts).encode()


def test_a_receipt_tells_what_was_agreed_to_and_checks_with_the_key_alone(
    asked: World, log: SmallLog
) -> None:
    checked, defects = check_receipt(receipt(asked, log), log)
    assert checked.person == person(asked, "Ada")
    assert (checked.entry, checked.issued) == (40, "2026-06-01T12:00:00Z")
    assert defects == ()
    records = checked.document["dpv:hasRecordOfActivity"]
    purposes = [one["dpv:hasProcess"][0]["dpv:hasPurpose"]["dct:identifier"] for one in records]
    assert purposes == ["recognise", "find", "publish:website"]


def test_the_log_is_told_the_hash_and_the_person_and_nothing_else(
    asked: World, log: SmallLog
) -> None:
    receipt(asked, log)
    [issue] = log.entries
    assert issue.person == person(asked, "Ada")
    assert len(issue.sha256) == 64


def test_a_receipt_whose_entry_cannot_be_written_is_not_given(asked: World, log: SmallLog) -> None:
    log.full = True
    with pytest.raises(DiskFull):
        receipt(asked, log)


def test_a_receipt_after_a_withdrawal_tells_it(asked: World, log: SmallLog) -> None:
    asked.clock.forward(days=1)
    asked.rights.withdraw("Ada", Purpose.FIND)
    checked, _ = check_receipt(receipt(asked, log), log)
    find = checked.document["dpv:hasRecordOfActivity"][1]
    assert find["dpv:hasConsentStatus"][-1]["@type"][0] == "dpv:ConsentWithdrawn"


def test_a_receipt_names_nobody(asked: World, log: SmallLog) -> None:
    data = receipt(asked, log)
    assert b"Ada" not in data
    assert b"Ben" not in data


def leaves(node: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(node, dict):
        return [leaf for key, value in node.items() for leaf in leaves(value, (*path, key))]
    if isinstance(node, list):
        return [leaf for i, value in enumerate(node) for leaf in leaves(value, (*path, i))]
    return [path]


def test_a_receipt_that_was_changed_anywhere_is_refused(asked: World, log: SmallLog) -> None:
    envelope = json.loads(receipt(asked, log))
    for path in leaves(envelope):
        forged = copy.deepcopy(envelope)
        node = forged
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = 7 if isinstance(node[path[-1]], int) else f"{node[path[-1]]}."
        with pytest.raises(SaysoError):
            check_receipt(json.dumps(forged).encode(), log)


def test_a_receipt_with_something_added_is_refused(asked: World, log: SmallLog) -> None:
    data = receipt(asked, log)
    document = json.loads(data)["document"] | {"dct:title": "and press"}
    with pytest.raises(ReceiptForged):
        check_receipt(changed(data, document=document), log)


def test_a_receipt_signed_by_another_key_is_refused(asked: World, log: SmallLog) -> None:
    with pytest.raises(ReceiptForged):
        check_receipt(receipt(asked, SmallLog()), log)


def test_a_receipt_without_signature_is_refused(asked: World, log: SmallLog) -> None:
    with pytest.raises(ReceiptForged, match="a signature"):
        check_receipt(receipt(asked, None), log)
    with pytest.raises(ReceiptForged):
        check_receipt(changed(receipt(asked, log), signed=None), log)


def test_a_receipt_without_its_proof_is_refused(asked: World, log: SmallLog) -> None:
    with pytest.raises(ReceiptForged, match="proof of entry 40"):
        check_receipt(changed(receipt(asked, log), proof=None), log)


def test_the_signature_of_another_receipt_does_not_fit(asked: World, log: SmallLog) -> None:
    first, second = receipt(asked, log), receipt(asked, log)
    with pytest.raises(ReceiptForged):
        check_receipt(changed(first, signed=json.loads(second)["signed"]), log)


def test_the_proof_of_another_receipt_does_not_fit(asked: World, log: SmallLog) -> None:
    first, second = receipt(asked, log), receipt(asked, log, "Ben")
    with pytest.raises(ReceiptReplayed):
        check_receipt(changed(first, proof=json.loads(second)["proof"]), log)


def test_the_proof_of_the_same_entry_of_a_forked_log_does_not_fit(
    asked: World, log: SmallLog
) -> None:
    first = receipt(asked, log)
    log.entries.clear()
    second = receipt(asked, log)
    with pytest.raises(ReceiptReplayed):
        check_receipt(changed(first, proof=json.loads(second)["proof"]), log)


def test_a_proof_beside_a_receipt_that_was_signed_without_one_is_refused(
    asked: World, log: SmallLog
) -> None:
    alone = Receipts(asked.repository, asked.clock, SCHOOL, log, None)("Ada").data
    assert check_receipt(alone, log)[0].entry is None
    with pytest.raises(ReceiptReplayed):
        check_receipt(changed(alone, proof=json.loads(receipt(asked, log))["proof"]), log)


def test_another_persons_receipt_is_refused(asked: World, log: SmallLog) -> None:
    data = receipt(asked, log)
    assert check_receipt(data, log, person=person(asked, "Ada"))
    with pytest.raises(ReceiptReplayed, match="another person's"):
        check_receipt(data, log, person=person(asked, "Ben"))


def test_a_receipt_from_before_the_last_change_is_refused(asked: World, log: SmallLog) -> None:
    data = receipt(asked, log)
    assert check_receipt(data, log, not_before=40)
    with pytest.raises(ReceiptReplayed, match="out of date"):
        check_receipt(data, log, not_before=41)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"document": 1, "signed": "", "proof": null}',
        b'{"document": {}, "document": {}, "signed": "", "proof": null}',
        b"\xff\xfe",
        b" " * 9_000_000,
    ],
)
def test_what_is_no_receipt_is_refused(data: bytes, log: SmallLog) -> None:
    with pytest.raises(RecordMalformed):
        check_receipt(data, log)


def test_a_signed_document_of_another_kind_is_no_receipt(asked: World, log: SmallLog) -> None:
    envelope = json.loads(receipt(asked, log))
    document = envelope["document"]["dpv:hasRecordOfActivity"][0]
    data = seal(document, person(asked, "Ada"), asked.clock(), signer=log, prover=log)
    with pytest.raises(RecordMalformed, match="receipt"):
        check_receipt(data, log)


def test_a_receipt_says_what_the_controller_has_still_to_put_right(
    world: World, log: SmallLog
) -> None:
    world.enrol("Ada", ADA, "find")
    given = Receipts(world.repository, world.clock, SCHOOL, log, log)("Ada")
    assert {defect.field for defect in given.defects} == {
        "privacy_notice",
        "language",
        "notice_version",
        "notice_hash",
    }
    _, defects = check_receipt(given.data, log)
    assert defects == given.defects


def test_nobody_gets_the_receipt_of_somebody_unknown(world: World, log: SmallLog) -> None:
    with pytest.raises(PersonUnknown):
        receipt(world, log)
