"""The ledger through the program: what an auditor, and a person with a receipt, can do with it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sayso.services.scene import Scene

from .program import Desk, NewDesk, Program

FILES = ("contents", "tree", "checkpoint.0", "checkpoint.1")


def actions(desk: Desk) -> list[str]:
    return [entry["action"] for entry in desk("audit", "list")["entries"]]


def receipted(desk: Desk, tmp_path: Path, *arguments: str) -> tuple[Any, Path]:
    file = tmp_path / "receipt.txt"
    return desk(*arguments, "--receipt", file), file


def alone(program: Program, tmp_path: Path, *arguments: str | Path) -> tuple[int, Any]:
    """Run where there is nothing: an empty home, an empty folder, no workspace."""
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir(exist_ok=True)
    environment = {"HOME": str(nowhere), "SAYSO_WORKSPACE": str(nowhere / "none")}
    ran = program(*arguments, "--json", environment=environment, folder=nowhere)
    assert list(nowhere.iterdir()) == []
    return ran.status, ran.json


def test_what_was_done_is_listed_and_verified(story: Desk) -> None:
    entries = story("audit", "list")["entries"]
    assert [entry["sequence"] for entry in entries] == list(range(len(entries)))
    done = [entry["action"] for entry in entries]
    assert done[:5] == ["key", "consent", "enrolment", "consent", "enrolment"]
    assert {"collection", "scan"} <= set(done)
    assert {"action", "actor", "at", "details", "sequence", "stage", "subjects"} <= set(entries[0])
    text = json.dumps(entries)
    assert [word for word in ("Collins", "Hopper", "Kim", "0123", "IMG_") if word in text] == []
    told = story("audit", "verify")
    assert told["entries"] >= len(entries)
    assert (told["erased"], told["checkpoints"], len(told["root"])) == (0, 0, 64)
    last = story("audit", "list", "--since", str(len(entries) - 1))["entries"]
    assert [entry["sequence"] for entry in last] == [len(entries) - 1]


def test_a_receipt_is_checked_with_nothing_but_the_public_key(desk: Desk, tmp_path: Path) -> None:
    told, receipt = receipted(desk, tmp_path, "withdraw", "Eileen Collins")
    assert receipt.read_text() == told["receipt"]
    key = desk("audit", "key")["key"]
    shutil.rmtree(desk.workspace)
    status, checked = alone(desk.program, tmp_path, "audit", "check", receipt, "--key", key)
    assert status == 0
    assert checked["valid"] is True
    assert checked["log"] == key.split("+")[0]
    assert checked["size"] > checked["entry"]["sequence"]
    assert checked["entry"]["action"] == "withdrawal"
    assert checked["entry"]["subjects"] == [told["person"]]
    assert "find" in checked["entry"]["details"]["purposes"]


def test_a_proof_that_proves_nothing_is_a_matter_of_integrity(
    desk: Desk, new_desk: NewDesk, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.txt"
    told = desk("audit", "prove", "1", proof)
    key = told["key"]
    assert (told["entry"], told["proof"]) == (1, str(proof))
    whole = proof.read_bytes()
    other = new_desk()("audit", "key")["key"]
    lines = whole.splitlines(keepends=True)
    forged = lines[1][:40] + (b"A" if lines[1][40:41] != b"A" else b"B") + lines[1][41:]
    for data, public, code in (
        (whole, other, "checkpoint_invalid"),
        (whole, "no key", "checkpoint_invalid"),
        (whole[: len(whole) // 2], key, None),
        (b"", key, "proof_invalid"),
        (b"\xff\x00", key, "proof_invalid"),
        (lines[0] + forged + b"".join(lines[2:]), key, None),
    ):
        proof.write_bytes(data)
        status, failed = alone(desk.program, tmp_path, "audit", "check", proof, "--key", public)
        assert status == 3, data
        assert failed["error"]["code"] in ({code} if code else {"proof_invalid",
                                                                 "checkpoint_invalid"})  # fmt: skip
    missing = ("audit", "check", tmp_path / "none", "--key", key)
    status, failed = alone(desk.program, tmp_path, *missing)
    assert (status, failed["error"]["code"]) == (1, "file_missing")
    assert desk.refused("audit", "prove", "99999", proof) == "entry_unknown"


def signed_receipt(desk: Desk, file: Path) -> bytes:
    desk("receipt", "Grace Hopper", file, "--yes")
    return file.read_bytes()


def test_a_receipt_of_consents_is_checked_with_nothing_but_the_public_key(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    told = desk("receipt", "Grace Hopper", file)
    key = desk("audit", "key")["key"]
    shutil.rmtree(desk.workspace)
    status, checked = alone(desk.program, tmp_path, "audit", "check", file, "--key", key)
    assert (status, checked["valid"], checked["receipt"]) == (0, True, told["receipt"])
    assert (checked["person"], checked["lacks"]) == (told["person"], told["lacks"])
    assert checked["entry"] > 0
    assert [one["grant"] for one in checked["grants"]] == ["recognise", "find"]
    assert {one["state"] for one in checked["grants"]} == {"ConsentGiven"}
    text = desk.program("audit", "check", file, "--key", key)
    assert text.out.startswith("The receipt holds: issued ")
    assert f"It is about {told['person']}. Compare that with your own id" in " ".join(
        text.out.split()
    )


def test_another_persons_receipt_is_not_taken_for_ones_own(desk: Desk, tmp_path: Path) -> None:
    signed, file, key = tmp_path / "signed", tmp_path / "proof", desk("audit", "key")["key"]
    hopper = desk("receipt", "Grace Hopper", signed)["person"]
    collins = desk("withdraw", "Eileen Collins", "--receipt", file)["person"]
    erased = tmp_path / "erased"
    desk("erase", hopper, "--yes", "--receipt", erased)
    for receipt, own, other in ((signed, hopper, collins), (file, collins, hopper)):
        check = ("audit", "check", receipt, "--key", key)
        assert alone(desk.program, tmp_path, *check, "--person", own)[0] == 0
        status, failed = alone(desk.program, tmp_path, *check, "--person", other)
        assert (status, failed["error"]["code"]) == (3, "receipt_replayed")
    check = ("audit", "check", erased, "--key", key)  # a proof alone, of an erasure
    status, failed = alone(desk.program, tmp_path, *check, "--person", hopper)
    assert (status, failed["error"]["code"]) == (3, "receipt_replayed")  # it names nobody
    assert "names nobody" in desk.program(*check).out


def test_a_receipt_that_is_forged_replayed_or_of_another_log_is_refused(
    desk: Desk, new_desk: NewDesk, scene: Scene, tmp_path: Path
) -> None:
    file, key = tmp_path / "receipt.json", desk("audit", "key")["key"]
    first, second = signed_receipt(desk, file), signed_receipt(desk, file)
    envelope, later = json.loads(first), json.loads(second)
    foreign = new_desk()
    foreign("enrol", "Grace Hopper", scene.hopper, "--grant", "find")
    of_another = signed_receipt(foreign, file)
    other_key = foreign("audit", "key")["key"]
    document = {**envelope["document"], "dct:identifier": later["document"]["dct:identifier"]}
    integrity = {"receipt_forged", "receipt_replayed", "checkpoint_invalid", "proof_invalid"}
    for data, public in (
        (json.dumps({**envelope, "document": document}).encode(), key),  # a word changed
        (json.dumps({**envelope, "proof": later["proof"]}).encode(), key),  # another's entry
        (json.dumps({**later, "proof": envelope["proof"]}).encode(), key),
        (json.dumps({**envelope, "signed": later["signed"]}).encode(), key),
        (first, other_key),
        (of_another, key),
        (json.dumps({**envelope, "proof": json.loads(of_another)["proof"]}).encode(), key),
    ):
        assert data != first or public != key
        file.write_bytes(data)
        status, failed = alone(desk.program, tmp_path, "audit", "check", file, "--key", public)
        assert (status, failed["error"]["code"] in integrity) == (3, True), failed
    file.write_bytes(first[: len(first) // 2])
    status, failed = alone(desk.program, tmp_path, "audit", "check", file, "--key", key)
    assert status in {1, 3}
    assert failed["error"]["code"].startswith(("receipt_", "record_"))
    for data, public in ((first, key), (of_another, other_key)):  # each holds where it belongs
        file.write_bytes(data)
        assert alone(desk.program, tmp_path, "audit", "check", file, "--key", public)[0] == 0


def test_the_first_entry_says_with_which_key_it_began(desk: Desk) -> None:
    first = desk("audit", "list")["entries"][0]
    assert (first["action"], first["details"]["change"]) == ("key", "made")
    assert first["details"]["place"] == "file"
    before = first["details"]["key"]
    desk("key", "rotate")
    last = desk("audit", "list")["entries"][-1]["details"]
    assert (last["change"], last["before"]) == ("rotated", before)
    desk("screen", "space", "--channel", "website")
    assert desk("audit", "list")["entries"][-1]["action"] == "disclosure"


def test_a_clock_that_is_not_behind_needs_no_entry(desk: Desk) -> None:
    size = len(actions(desk))
    assert desk.refused("audit", "clock") == "not_confirmed"
    assert desk.refused("audit", "clock", "--yes") == "entry_forbidden"
    assert len(actions(desk)) == size
    assert desk("audit", "verify")["clock_set"] == []


@pytest.mark.parametrize("file", FILES)
def test_one_changed_byte_in_any_file_is_found(desk: Desk, file: str) -> None:
    desk("audit", "verify")
    path = desk.workspace / "ledger" / file
    whole = path.read_bytes()
    for place in (0, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        ran = desk.program("audit", "verify", "--json", "--workspace", desk.workspace)
        assert (ran.status, ran.code) in {(3, "ledger_tampered"), (3, "ledger_forked")}, place
        assert ran.code == "ledger_forked" or file in ran.json["error"]["reason"], place
        path.write_bytes(whole)
    assert desk("audit", "verify")["erased"] == 0


def test_a_change_is_told_with_its_entry(desk: Desk) -> None:
    contents = desk.workspace / "ledger" / "contents"
    whole = contents.read_bytes()
    place = whole.index(b'"action":"enrolment"')
    contents.write_bytes(whole[:place] + whole[place:].replace(b"enrolment", b"enrolmint", 1))
    ran = desk.program("audit", "verify", "--json", "--workspace", desk.workspace)
    assert (ran.status, ran.code) == (3, "ledger_tampered")
    assert "entry 2," in ran.json["error"]["reason"]


@pytest.mark.parametrize("gone", [*FILES, ""])
def test_a_removed_file_or_ledger_is_found(desk: Desk, gone: str) -> None:
    path = desk.workspace / "ledger" / gone
    path.rename(desk.workspace / "taken")
    assert desk.refused("audit", "verify", status=3) == "ledger_tampered"
    if gone not in {"checkpoint.0", "checkpoint.1"}:  # the other one stands for it until then
        assert desk.refused("find", "Eileen Collins", status=3) == "ledger_tampered"


def test_an_older_state_of_the_ledger_is_found_by_the_database(desk: Desk) -> None:
    ledger, old = desk.workspace / "ledger", desk.workspace / "old"
    shutil.copytree(ledger, old)
    desk("withdraw", "Eileen Collins")
    shutil.rmtree(ledger)
    old.rename(ledger)
    assert desk.refused("audit", "verify", status=3) == "ledger_forked"
    assert desk.refused("people", status=3) == "ledger_forked"


def test_a_rewritten_history_is_found_by_a_checkpoint_that_was_kept(
    desk: Desk, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(desk.workspace, whole)
    desk("withdraw", "Eileen Collins")
    mine = tmp_path / "checkpoint"
    told = desk("audit", "checkpoint", mine)
    assert mine.read_text() == told["checkpoint"]
    assert desk("audit", "verify", "--checkpoint", mine)["checkpoints"] == 1
    desk("find", "Grace Hopper")
    assert desk("audit", "verify", "--checkpoint", mine)["checkpoints"] == 1
    # Database and ledger go back together, and another history goes on from there.
    shutil.rmtree(desk.workspace)
    whole.rename(desk.workspace)
    assert desk.refused("audit", "verify", "--checkpoint", mine, status=3) == "ledger_forked"
    for _ in range(4):
        desk("find", "Grace Hopper")
    assert desk("audit", "verify")["entries"]  # by itself it is whole
    assert desk.refused("audit", "verify", "--checkpoint", mine, status=3) == "ledger_forked"
    mine.write_text("no checkpoint")
    assert desk.refused("audit", "verify", "--checkpoint", mine, status=3) == "checkpoint_invalid"


def test_the_copy_of_the_newest_checkpoint_is_a_setting(desk: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "disk" / "checkpoint"
    (desk.workspace / "sayso.toml").write_text(f"checkpoint_copy = '{copy}'\noperator = 'op-7'\n")
    assert desk.refused("audit", "verify") == "file_missing"
    assert desk.refused("find", "Eileen Collins") == "ledger_unwritable"
    copy.parent.mkdir()
    desk("find", "Eileen Collins")
    last = desk("audit", "list")["entries"][-1]
    assert (last["action"], last["actor"]) == ("access", "op-7")
    assert desk("audit", "verify")["checkpoints"] == 1
    assert copy.read_text() == desk("audit", "checkpoint")["checkpoint"]


def test_an_operator_is_an_id_and_no_name(story: Desk) -> None:
    arguments = ("people", "--json", "--workspace", story.workspace)
    for name in ("Jane Doe", "jane@example.org", "Zoë", "x" * 65):
        ran = story.program(*arguments, environment={"SAYSO_OPERATOR": name})
        assert (ran.status, ran.code) == (1, "setting_malformed")


def test_a_checkpoint_that_is_printed_is_one_to_the_byte(story: Desk, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    printed = story.program("audit", "checkpoint", file, "--workspace", story.workspace).out
    assert printed.encode() == file.read_bytes()
    file.write_text(printed, "utf-8")
    assert story("audit", "verify", "--checkpoint", file)["checkpoints"] == 1


def test_who_is_erased_leaves_numbers_and_a_receipt_that_holds(desk: Desk, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    desk("audit", "prove", "1", proof)
    key = desk("audit", "key")["key"]
    told, receipt = receipted(desk, tmp_path, "erase", "Eileen Collins", "--yes")
    assert receipt.read_text() == told["receipt"]
    for file, action in ((proof, "consent"), (receipt, "erasure")):
        status, checked = alone(desk.program, tmp_path, "audit", "check", file, "--key", key)
        assert (status, checked["entry"]["action"]) == (0, action)
    assert desk("audit", "verify")["erased"] >= 2
    assert desk.refused("audit", "prove", "1", proof) == "entry_unknown"
    assert told["erased"] not in json.dumps(desk("audit", "list"))
    assert actions(desk)[-1] == "erasure"


def test_a_certificate_of_erasure_is_signed_and_says_whose_it_is(
    desk: Desk, tmp_path: Path
) -> None:
    files = [tmp_path / "collins", tmp_path / "hopper"]
    names = ("Eileen Collins", "Grace Hopper")
    gone = [
        desk("erase", name, "--yes", "--certificate", file)
        for name, file in zip(names, files, strict=True)
    ]
    key, [own, other] = desk("audit", "key")["key"], [one["erased"] for one in gone]
    assert files[0].read_text("utf-8") == gone[0]["signed_certificate"]
    check = ("audit", "check", files[0], "--key", key)
    status, checked = alone(desk.program, tmp_path, *check, "--person", own)
    assert (status, checked["person"], checked["certificate"]) == (0, own, gone[0]["certificate"])
    assert f"It is about {own}. Compare" in " ".join(desk.program(*check).out.split())
    first, second = (json.loads(file.read_bytes()) for file in files)
    kept = {**first["certificate"], "kept": []}
    for forged, code in (
        (first, "receipt_replayed"),
        ({**first, "certificate": kept}, "receipt_forged"),
        ({**first, "signed": second["signed"]}, "receipt_forged"),
        ({**first, "signed": first["signed"].replace(own, other)}, "checkpoint_invalid"),
        ({**first, "proof": second["proof"]}, "receipt_replayed"),
        ({**first, "proof": ""}, "proof_invalid"),
        ({**first, "signed": desk("audit", "checkpoint")["checkpoint"]}, "receipt_forged"),
    ):
        files[0].write_text(json.dumps(forged), "utf-8")
        whose = other if forged is first else own
        status, failed = alone(desk.program, tmp_path, *check, "--person", whose)
        assert (status, failed["error"]["code"]) == (3, code), forged


def test_a_receipt_that_cannot_be_written_is_told_before_anything_is_done(
    desk: Desk, tmp_path: Path
) -> None:
    before = actions(desk), desk("people")
    for verb in (("withdraw", "Eileen Collins"), ("erase", "Eileen Collins", "--yes")):
        refused = desk.refused(*verb, "--receipt", tmp_path / "no" / "folder")
        assert refused == "file_missing"
        assert desk.refused(*verb, "--receipt", tmp_path) == "file_missing"
    assert (actions(desk), desk("people")) == ([*before[0], "disclosure"], before[1])


def test_a_ledger_that_cannot_be_written_stops_the_disclosure(desk: Desk) -> None:
    desk("audit", "verify")
    size = len(actions(desk))
    copy = desk.workspace / "no" / "place"
    ran = desk.program(
        "find", "Eileen Collins", "--json", "--workspace", desk.workspace,
        environment={"SAYSO_CHECKPOINT_COPY": str(copy)},
    )  # fmt: skip
    assert (ran.status, ran.code) == (1, "ledger_unwritable")
    assert "IMG_" not in ran.out + ran.err
    assert actions(desk)[size:] == ["access", "aborted"]


def test_text_says_how_to_check(story: Desk, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    ran = story.program("audit", "prove", "0", proof, "--workspace", story.workspace)
    assert ran.status == 0
    command = ran.out.splitlines()[-1].split()
    assert command[:4] == ["sayso", "audit", "check", str(proof)]
    checked = story.program(*command[1:])
    assert checked.status == 0
    assert checked.out.startswith("The proof holds: entry 0 is in sayso/")
    ran = story.program("audit", "verify", "--workspace", story.workspace)
    assert ran.out.startswith("The ledger is whole: ")
