"""The processing that a grant permits, for its consent record: what, with what, where, how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sayso.domain import dpv
from sayso.domain.controller import Controller
from sayso.domain.grant import CHANNELS, Channel, Purpose
from sayso.domain.photo import Collection
from sayso.domain.record_terms import Node, Subject, controller_iri, place


@dataclass(frozen=True, slots=True)
class Activity:
    """One purpose in plain words and in DPV's.

    Attributes:
        words: what is done, said to the person.
        category: the purpose's DPV category.
        data: personal data: DPV category to what it is here.
        operations: DPV processing operations.
        automation, involvement: how far a machine decides, and where a human does.
        logic: how it comes to its result (GDPR art. 15(1)(h)).
        consequence: what follows for the person.
        basis: the legal bases.
    """

    words: str
    category: str
    data: Mapping[str, str]
    operations: tuple[str, ...]
    automation: str
    involvement: str
    logic: str
    consequence: str
    basis: tuple[str, ...]


_PLAIN = ("eu-gdpr:A6-1-a", "dpv:ExpressedConsent")
_PHOTOGRAPHS = "the photographs that the person is in"

ACTIVITIES: Mapping[Purpose, Activity] = MappingProxyType(
    {
        Purpose.RECOGNISE: Activity(
            words="compare my face with the faces in the collections that I agreed to",
            category="dpv:SearchFunctionalities",
            data={
                "pd:FacialPrint": "a biometric template: numbers computed from the reference "
                "images that the person gave, sealed; and how alike each matching face is to it",
                "pd:Picture": "the reference images, opened once to compute the template and not "
                "kept; " + _PHOTOGRAPHS,
            },
            operations=(
                "dpv:Collect",
                "dpv:Derive",
                "dpv:Store",
                "dpv:Match",
                "dpv:Retrieve",
                "dpv:Erase",
            ),
            automation="dpv:PartialAutomation",
            involvement="dpv:HumanInvolvementForVerification",
            logic="A network computes numbers from a face; the cosine of the angle between two "
            "faces' numbers is their similarity. At or above a threshold the face is taken to be "
            "the person's; a little below it a human is asked; else nothing is kept of it.",
            consequence="The person's photographs are found. A mistake would show them as "
            "somebody else's, or somebody else's as theirs.",
            basis=("eu-gdpr:A9-2-a", "dpv:ExplicitlyExpressedConsent"),
        ),
        Purpose.FIND: Activity(
            words="let me see the photographs that I am in",
            category="dpv:RequestedServiceProvision",
            data={"pd:Picture": _PHOTOGRAPHS},
            operations=("dpv:Query", "dpv:Retrieve", "dpv:Disclose"),
            automation="dpv:FullAutomation",
            involvement="dpv:HumanInvolvementForVerification",
            logic="Photographs in which a face was matched with, or marked by a human as, the "
            "person are listed.",
            consequence="The person sees their own photographs.",
            basis=_PLAIN,
        ),
        Purpose.NAME: Activity(
            words="show my name, and the profile fields that I listed, beside my face",
            category="dpv:CommunicationManagement",
            data={
                "pd:Name": "the name as the person wants it shown",
                "pd:Profile": "the profile fields that the consent lists",
            },
            operations=("dpv:Store", "dpv:Disclose"),
            automation="dpv:FullAutomation",
            involvement="dpv:HumanInvolvementForVerification",
            logic="Where a face was matched with, or marked by a human as, the person, the name "
            "is told to exactly this audience.",
            consequence="The audience learns who the person is.",
            basis=_PLAIN,
        ),
        Purpose.PUBLISH: Activity(
            words="show my face uncovered in one channel",
            category="dpv:PublicRelations",
            data={"pd:Picture": _PHOTOGRAPHS},
            operations=("dpv:Use", "dpv:MakeAvailable", "dpv:Disseminate"),
            automation="dpv:PartialAutomation",
            involvement="dpv:HumanInvolvementForDecision",
            logic="A face is left uncovered only with a live consent for exactly this channel; "
            "every other face is covered.",
            consequence="Whoever sees the channel sees the person's face.",
            basis=_PLAIN,
        ),
    }
)
"""What each purpose means; tests hold that every purpose is here."""

RIGHTS: Mapping[str, str] = MappingProxyType(
    {
        "eu-gdpr:A7-3": "withdraw this consent, as easily as it was given",
        "eu-gdpr:A15": "have access to the data, and a copy",
        "eu-gdpr:A16": "have what is wrong put right",
        "eu-gdpr:A17": "have it erased",
        "eu-gdpr:A18": "have its use restricted",
        "eu-gdpr:A20": "have it in a form that machines read",
        "eu-gdpr:A21": "object",
        "eu-gdpr:A77": "complain to the supervisory authority",
    }
)
"""Rights of the person by article, in words that follow "You may"."""


def process(subject: Subject, controller: Controller, collections: Sequence[Collection]) -> Node:
    """The processing that one grant permits.

    Args:
        subject: the purpose with its target.
        controller: who answers for it.
        collections: those with a written basis give the impact assessments.
    """
    activity = ACTIVITIES[subject.purpose]
    where = [place(controller.storage)]
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "dct:identifier": str(subject),
            "dct:description": activity.words,
            "skos:broader": activity.category,
        },
        "dpv:hasService": {"@type": "dpv:Service", "dct:title": "photographs by consent (Sayso)"},
        "dpv:hasPersonalData": [_datum(*pair) for pair in activity.data.items()],
        "dpv:hasProcessing": list(activity.operations),
        "dpv:hasAutomationLevel": activity.automation,
        "dpv:hasHumanInvolvement": activity.involvement,
        "dpv:hasAlgorithmicLogic": _described("dpv:AlgorithmicLogic", activity.logic),
        "dpv:hasConsequence": _described("dpv:Consequence", activity.consequence),
        "dpv:hasDataSource": _sources(subject.purpose),
        "dpv:hasStorageCondition": _storage(controller, where),
        "dpv:hasProcessingCondition": {"@type": "dpv:ProcessingLocation", "dpv:hasLocation": where},
        "dpv:hasRule": {
            "@type": "dpv:Obligation",
            "dpv:hasProcessing": "dpv:Store",
            "dpv:hasLocation": where,
            "dct:description": "kept and processed in this place and nowhere else",
        },
        "dpv:hasLegalBasis": list(activity.basis),
        "dpv:hasRecipient": recipients(subject, controller),
        "dpv:hasImpactAssessment": _assessments(subject.purpose, collections),
    }


def recipients(subject: Subject, controller: Controller) -> list[Node]:
    """Who gets to see the data under this grant: categories (GDPR art. 13(1)(e))."""
    own: Node = {
        "@id": controller_iri(controller),
        "@type": ["dpv:Recipient", "dpv:DataController"],
        "dct:description": "the controller's own staff; nobody else",
    }
    if subject.purpose is Purpose.RECOGNISE:
        return [own]
    kind = "dpv:DataSubject" if subject.purpose is Purpose.FIND else "dpv:Recipient"
    return [own, _recipient(str(subject), recipient_words(subject), kind)]


def recipient_words(subject: Subject) -> str:
    """Who gets to see the data under a grant, in plain words."""
    target = subject.target
    if subject.purpose is Purpose.RECOGNISE:
        return "the controller's own staff; nobody else"
    if subject.purpose is Purpose.FIND:
        return "the person themself"
    if target is None:
        return "whichever audience or channel was asked about"
    if subject.purpose is Purpose.PUBLISH:
        return CHANNELS.get(Channel(target), f"the controller's own channel {target}")
    group = target.removeprefix("group:")
    words = {"staff": "the controller's staff", "public": "everybody"}
    return words.get(target, f"the group {group}")


def _recipient(identifier: str, words: str, kind: str) -> Node:
    return {
        "@type": sorted({"dpv:Recipient", kind}),
        "dct:identifier": identifier,
        "dct:description": words,
    }


def _datum(category: str, words: str) -> Node:
    special = category == "pd:FacialPrint"
    return {
        "@type": "dpv:SpecialCategoryPersonalData" if special else "dpv:PersonalData",
        "skos:broader": category,
        "dct:description": words,
        "dpv:hasNecessity": "dpv:Optional" if category == "pd:Profile" else "dpv:Required",
    }


def _described(kind: str, words: str) -> Node:
    return {"@type": kind, "dct:description": words}


def _sources(purpose: Purpose) -> list[Node]:
    given = _described("dpv:DataSubjectDataSource", "given by the person, with the consent")
    held = _described("dpv:DataControllerDataSource", "photographs that the controller holds")
    return [given] if purpose is Purpose.NAME else [given, held]


def _storage(controller: Controller, where: list[Node]) -> list[Node]:
    longest = {"@type": "dpv:TemporalDuration", "rdf:value": f"P{controller.retention_days}D"}
    return [
        {"@type": "dpv:StorageLocation", "dpv:hasLocation": where},
        {
            "@type": "dpv:StorageDuration",
            "dpv:hasDuration": [
                {"@type": "dpv:UntilEventDuration", "rdf:value": "the end of this consent"},
                longest,
            ],
            "dct:description": "until this consent ends, and at the latest so long after the last "
            "interaction; whichever is first",
        },
        {
            "@type": "dpv:StorageDeletion",
            "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": "PT0S"},
            "dct:description": "erased at once when that time is over",
        },
    ]


def _assessments(purpose: Purpose, collections: Sequence[Collection]) -> list[Node]:
    if purpose is not Purpose.RECOGNISE:
        return []
    bases = dict.fromkeys(one.basis for one in collections if one.basis)
    return [{"@type": "dpv:DPIA", "dct:title": basis} for basis in bases]


def applicable_law(code: str) -> list[str]:
    """The GDPR of the European Union or of the United Kingdom, where it applies."""
    country = dpv.country(code)
    if country == "GB":
        return ["legal-gb:law-GDPR"]
    return ["legal-eu:law-GDPR"] if country in dpv.EEA else []
