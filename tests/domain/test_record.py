import copy
import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from sayso.domain import dpv
from sayso.domain.consent import Consents
from sayso.domain.controller import Controller, placeholder
from sayso.domain.event import Act
from sayso.domain.grant import Purpose
from sayso.domain.person import PersonId
from sayso.domain.record import CONTEXT, consent_records, graph, receipt, subjects
from sayso.domain.record_check import (
    receipt_defects,
    record_defects,
    require_receipt,
    require_record,
    terms,
)
from sayso.domain.record_fields import RECEIPT_FIELDS, RECORD_FIELDS, Field
from sayso.domain.record_process import ACTIVITIES
from sayso.errors import RecordMalformed

from .asked import NOW, SCHOOL, TOLD, everything, recognise_record, records_of, told
from .records import (
    ADULT_ALL_ALONG,
    FATHER,
    MOTHER,
    collection,
    day,
    event,
    only,
    record,
)

NODE = dict[str, Any]


def receipt_of(consents: Consents) -> NODE:
    return receipt(records_of(consents), SCHOOL, identifier=UUID(int=7), created=day(NOW))


def without(node: object, path: tuple[str, ...]) -> None:
    """Take what a path leads to out of every branch."""
    if isinstance(node, list):
        for one in node:
            without(one, path)
    elif isinstance(node, dict):
        if len(path) == 1:
            node.pop(path[0], None)
        else:
            without(node.get(path[0]), path[1:])


def overwritten(node: object, path: tuple[str, ...], value: object) -> None:
    if isinstance(node, list):
        for one in node:
            overwritten(one, path, value)
    elif isinstance(node, dict):
        if len(path) == 1:
            node[path[0]] = value
        else:
            overwritten(node.get(path[0]), path[1:], value)


def states(node: NODE) -> list[str]:
    return [status["@type"][0] for status in node["dpv:hasConsentStatus"]]


def test_records_of_everything_lack_nothing() -> None:
    for node in records_of(everything()):
        require_record(node)
    require_receipt(receipt_of(everything()))


def test_there_is_a_record_for_each_grant_that_was_ever_spoken_of() -> None:
    made = [node["dpv:hasProcess"][0]["dpv:hasPurpose"] for node in records_of(everything())]
    assert [purpose["dct:identifier"] for purpose in made] == [
        "recognise",
        "find",
        "name:group:parents",
        "name:staff",
        "publish:website",
        "publish:x-wall",
    ]


@pytest.mark.parametrize("field", RECORD_FIELDS, ids=lambda field: field.name)
def test_a_record_without_a_field_is_refused_by_its_name(field: Field) -> None:
    node = copy.deepcopy(recognise_record())
    without(node, field.path)
    assert field.name in {defect.field for defect in record_defects(node)}
    with pytest.raises(RecordMalformed) as refused:
        require_record(node)
    assert refused.value.reason_code == "record_malformed"


@pytest.mark.parametrize("value", ["", [], {}])
@pytest.mark.parametrize("field", RECORD_FIELDS, ids=lambda field: field.name)
def test_a_field_that_is_empty_is_found(field: Field, value: object) -> None:
    node = copy.deepcopy(recognise_record())
    overwritten(node, field.path, value)
    assert field.name in {defect.field for defect in record_defects(node)}


@pytest.mark.parametrize("field", RECEIPT_FIELDS, ids=lambda field: field.name)
def test_a_receipt_without_a_field_is_refused_by_its_name(field: Field) -> None:
    node = receipt_of(everything())
    without(node, field.path)
    with pytest.raises(RecordMalformed, match=field.name):
        require_receipt(node)


def test_a_receipt_with_a_broken_record_is_refused() -> None:
    node = copy.deepcopy(receipt_of(everything()))
    without(node, ("dpv:hasRecordOfActivity", "dpv:hasJurisdiction"))
    assert {defect.field for defect in receipt_defects(node)} == {"jurisdiction"}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("dpv:StorageLocation", "storage_locations"),
        ("dpv:StorageDuration", "retention_period"),
    ],
)
def test_where_and_how_long_it_is_stored_must_be_said(kind: str, field: str) -> None:
    node = copy.deepcopy(recognise_record())
    held = node["dpv:hasProcess"][0]["dpv:hasStorageCondition"]
    held[:] = [one for one in held if one["@type"] != kind]
    assert field in {defect.field for defect in record_defects(node)}


def test_a_yes_to_recognise_without_the_hash_of_its_evidence_is_refused() -> None:
    node = copy.deepcopy(recognise_record())
    without(node, ("dpv:hasConsentStatus", "dct:source"))
    assert {defect.field for defect in record_defects(node)} == {"evidence_hash"}


def test_a_template_must_be_named_as_data_of_a_special_category() -> None:
    node = copy.deepcopy(recognise_record())
    data = node["dpv:hasProcess"][0]["dpv:hasPersonalData"]
    assert ("pd:FacialPrint", "dpv:SpecialCategoryPersonalData") in {
        (one["skos:broader"], one["@type"]) for one in data
    }
    data[:] = [one for one in data if one["skos:broader"] != "pd:FacialPrint"]
    assert {defect.field for defect in record_defects(node)} == {"biometric_template"}


def test_recognise_rests_on_explicit_consent_and_the_rest_on_consent() -> None:
    bases = {
        node["dpv:hasProcess"][0]["dpv:hasPurpose"]["dct:identifier"]: node["dpv:hasProcess"][0][
            "dpv:hasLegalBasis"
        ][0]
        for node in records_of(everything())
    }
    assert bases.pop("recognise") == "eu-gdpr:A9-2-a"
    assert set(bases.values()) == {"eu-gdpr:A6-1-a"}


def test_a_guardian_is_a_relation_and_how_it_was_checked_never_a_name() -> None:
    node = recognise_record()
    givers = [status["dpv:isIndicatedBy"] for status in node["dpv:hasConsentStatus"]]
    assert [giver["@id"] for giver in givers] == ["_:guardian-1", "_:guardian-2"]
    assert givers[0]["@type"] == "dpv:ParentOfDataSubject"
    assert givers[0]["dpv:hasRelationWithDataSubject"] == "mother"
    assert "school register" in givers[0]["dpv:hasJustification"]
    text = json.dumps(receipt_of(everything()))
    assert MOTHER.name not in text
    assert FATHER.name not in text


@pytest.mark.parametrize("key", ["dpv:hasRelationWithDataSubject", "dpv:hasJustification"])
def test_a_guardian_without_relation_or_check_is_refused(key: str) -> None:
    node = copy.deepcopy(recognise_record())
    without(node, ("dpv:hasConsentStatus", "dpv:isIndicatedBy", key))
    assert {defect.field for defect in record_defects(node)} == {"guardian"}


def test_a_notice_is_bound_by_hash_version_and_language() -> None:
    [notice] = recognise_record()["dpv:hasNotice"]
    assert notice["spdx:checksum"]["spdx:checksumValue"] == TOLD.sha256
    assert (notice["schema:version"], notice["dct:language"]) == (TOLD.version, TOLD.language)


def test_a_consent_without_a_notice_is_written_and_said_to_lack_it() -> None:
    [node] = records_of(record(event(Act.GIVEN, "find", 0)))
    found = {defect.field for defect in record_defects(node)}
    assert found == {"privacy_notice", "language", "notice_version", "notice_hash"}


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ("name", "party_name"),
        ("contact", "withdrawal_method"),
        ("address", "party_postal_address"),
        ("officer", "party_contact"),
        ("authority", "rights_exercise"),
        ("jurisdiction", "jurisdiction"),
        ("storage", "storage_locations"),
    ],
)
def test_a_controller_that_was_never_set_shows(setting: str, field: str) -> None:
    lacking: Controller = replace(SCHOOL, **{setting: placeholder(f"controller_{setting}")})  # type: ignore[arg-type] # one text field
    assert lacking.missing == (f"controller_{setting}",)
    for node in consent_records(everything(), lacking, [collection()], day(NOW)):
        assert field in {defect.field for defect in record_defects(node)}


def test_the_states_are_told_in_order() -> None:
    by_grant = dict(zip(map(str, subjects(everything())), records_of(everything()), strict=True))
    assert states(by_grant["find"]) == [
        "dpv:ConsentGiven",
        "dpv:ConsentGiven",
        "dpv:RenewedConsentGiven",
        "dpv:ConsentExpired",
    ]
    assert states(by_grant["name:staff"])[-1] == "dpv:ConsentStatusInvalidForProcessing"
    assert states(by_grant["publish:website"])[-1] == "dpv:ConsentWithdrawn"


def test_a_no_before_any_yes_is_a_refusal() -> None:
    [node] = records_of(record(told(Act.WITHDRAWN, "publish", 0)))
    assert states(node) == ["dpv:ConsentRefused"]
    require_record(node)


def test_a_no_to_everything_belongs_to_each_grant_and_to_no_other_record() -> None:
    said = record(told(Act.GIVEN, "publish:website", 0), told(Act.WITHDRAWN, "publish", 1))
    [node] = records_of(said)
    assert states(node) == ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]


def test_a_yes_that_has_ended_by_itself_is_followed_by_its_end() -> None:
    said = record(replace(told(Act.GIVEN, "find", 0), expires=day(3)))
    [before], [after] = records_of(said, 2.9), records_of(said, 3)
    assert states(before) == ["dpv:ConsentGiven"]
    assert states(after) == ["dpv:ConsentGiven", "dpv:ConsentExpired"]
    status = after["dpv:hasConsentStatus"]
    assert status[0]["dpv:hasDuration"]["rdf:value"] == "2026-01-04T00:00:00Z"
    assert status[1]["dpv:isIndicatedAtTime"] == "2026-01-04T00:00:00Z"


def test_a_yes_taken_back_before_its_end_does_not_end_twice() -> None:
    yes = replace(told(Act.GIVEN, "find", 0), expires=day(3))
    [node] = records_of(record(yes, told(Act.WITHDRAWN, "find", 1)))
    assert states(node) == ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]


def test_a_guardians_yes_ends_when_the_child_comes_of_age() -> None:
    said = Consents(
        PersonId("ada"), date(2008, 1, 4), "GB", (told(Act.GIVEN, "find", 0, guardian=MOTHER),)
    )
    [node] = records_of(said)
    assert states(node) == ["dpv:ConsentGiven", "dpv:ConsentExpired"]
    assert node["dpv:hasConsentStatus"][1]["dpv:isIndicatedAtTime"] == "2026-01-04T00:00:00Z"


def test_a_guardians_yes_for_an_unknown_age_ends_after_a_year() -> None:
    said = record(told(Act.GIVEN, "find", 0, guardian=MOTHER), born=None)
    [node] = records_of(said, 365)
    assert states(node) == ["dpv:ConsentGiven", "dpv:ConsentExpired"]


def test_a_scope_names_its_collections() -> None:
    said = record(
        replace(told(Act.GIVEN, "find", 0), scope=only(collection().id)), born=ADULT_ALL_ALONG
    )
    [node] = records_of(said)
    assert node["dpv:hasConsentStatus"][0]["dpv:hasScope"] == ["collection club"]


def test_every_term_is_of_dpv_2_3_and_every_prefix_in_the_context() -> None:
    written = set(terms(receipt_of(everything())))
    assert written <= dpv.DEFINED_IN.keys()
    assert not written & dpv.LACKING
    assert all(term.partition(":")[0] in CONTEXT for term in written)
    assert "dpv:hasConsentStatus" in written


def test_no_pinned_term_is_idle_but_countries_and_data_types() -> None:
    written = set(terms(receipt_of(everything())))
    written |= set(terms(records_of(record(told(Act.WITHDRAWN, "find", 0)))))
    written |= {term for term in json.dumps(dict(CONTEXT)).split('"') if term in dpv.DEFINED_IN}
    for code in ("IE", "GB"):
        there = replace(SCHOOL, jurisdiction=code)
        written |= set(terms(consent_records(everything(), there, [collection()], day(NOW))))
    unused = set(dpv.DEFINED_IN) - written
    assert {term for term in unused if not term.startswith(("loc:", "xsd:"))} == set()


def test_terms_that_the_guide_has_and_dpv_2_3_lacks_are_refused() -> None:
    node = copy.deepcopy(recognise_record())
    node["dpv:hasConsentStatus"][0]["@type"].append("dpv:ConsentTerminated")
    assert [defect.where for defect in record_defects(node)] == ["dpv:ConsentTerminated"]
    with pytest.raises(KeyError):
        dpv.iri("dpv:ConsentTerminated")
    assert dpv.iri("pd:FacialPrint") == "https://w3id.org/dpv/pd#FacialPrint"


def test_a_document_needs_nothing_from_outside() -> None:
    document = graph(records_of(everything()))
    assert isinstance(document["@context"], dict)
    assert all("@context" not in node for node in document["@graph"])


@pytest.mark.parametrize(
    ("code", "law", "place"),
    [
        ("IE", ["legal-eu:law-GDPR"], {"@id": "loc:IE"}),
        ("gb-sct", ["legal-gb:law-GDPR"], "GB-SCT"),
        ("US-AL", [], "US-AL"),
    ],
)
def test_the_law_follows_from_the_jurisdiction(code: str, law: list[str], place: object) -> None:
    [node] = consent_records(
        record(told(Act.GIVEN, "find", 0)), replace(SCHOOL, jurisdiction=code), [], day(1)
    )
    assert node["dpv:hasApplicableLaw"] == law
    where = node["dpv:hasJurisdiction"]
    assert where == place or where["dct:identifier"] == place
    require_record(node)


def test_ids_stay_and_differ_by_person_and_grant() -> None:
    once = [node["dct:identifier"] for node in records_of(everything())]
    again = [node["dct:identifier"] for node in records_of(everything(), NOW + 9)]
    ben = PersonId("ben")
    moved = tuple(replace(said, person=ben) for said in everything().events)
    other = replace(everything(), person=ben, events=moved)
    assert once == again
    assert len(set(once)) == len(once)
    assert not set(once) & {node["dct:identifier"] for node in records_of(other)}


def test_every_purpose_is_described() -> None:
    assert set(ACTIVITIES) == set(Purpose)


ODD_SHAPES: list[NODE] = [
    {},
    {"dpv:hasProcess": "text", "dpv:hasConsentStatus": [5, None, [[]]]},
    {"dpv:hasProcess": [{"dpv:hasStorageCondition": "x", "dpv:hasPurpose": []}]},
    {"dpv:hasRecordOfActivity": [None, 5, "x"], "@type": ["dpv:ConsentReceipt"]},
]


@pytest.mark.parametrize("node", ODD_SHAPES)
def test_whatever_comes_is_refused_with_a_reason(node: NODE) -> None:
    with pytest.raises(RecordMalformed):
        require_record(node)
    with pytest.raises(RecordMalformed):
        require_receipt(node)
