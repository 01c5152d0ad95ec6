"""The terms of the Data Privacy Vocabulary that Sayso writes, pinned to DPV 2.3.

Each is listed with the concept scheme of DPV 2.3 in which it is defined (``skos:inScheme``), so
that a reader finds it, and so that nothing is written which only examples use. The DPVCG guide
for ISO/IEC TS 27560 (15 February 2026) itself uses terms that DPV 2.3 lacks; they are listed in
`LACKING`. Source: https://github.com/w3c/dpv, folder 2.3, 28 February 2026.
"""

from collections.abc import Mapping
from types import MappingProxyType

NAMESPACES: Mapping[str, str] = MappingProxyType(
    {
        "dpv": "https://w3id.org/dpv#",
        "pd": "https://w3id.org/dpv/pd#",
        "loc": "https://w3id.org/dpv/loc#",
        "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
        "legal-eu": "https://w3id.org/dpv/legal/eu#",
        "legal-gb": "https://w3id.org/dpv/legal/gb#",
        "dct": "http://purl.org/dc/terms/",
        "schema": "https://schema.org/",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "spdx": "http://spdx.org/rdf/terms#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }
)
"""Prefixes, as in the guide; spdx for checksums, as in DCAT 3 which the guide recommends."""

RECORD_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
RECEIPT_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"

_SCHEMES = {
    "dpv organisational-measures-classes": "ConsentRecord ConsentReceipt",
    "dpv notice-classes": "ConsentNotice",
    "dpv entities-datasubject-classes": "DataSubject ParentOfDataSubject GuardianOfDataSubject",
    "dpv entities-legalrole-classes": "DataController DataProtectionOfficer Recipient",
    "dpv entities-authority-classes": "DataProtectionAuthority",
    "dpv process-classes": "Process Service",
    "dpv purposes-classes": (
        "Purpose RequestedServiceProvision SearchFunctionalities "
        "CommunicationManagement PublicRelations"
    ),
    "dpv personal-data-classes": "PersonalData SpecialCategoryPersonalData",
    "dpv jurisdiction-classes": "Location",
    "dpv rules-classes": "Obligation",
    "dpv processing-context-classes": (
        "AlgorithmicLogic FullAutomation PartialAutomation "
        "HumanInvolvementForVerification HumanInvolvementForDecision "
        "DataSubjectDataSource DataControllerDataSource StorageLocation StorageDuration "
        "StorageDeletion ProcessingLocation"
    ),
    "dpv risk-classes": "Consequence DPIA",
    "dpv processing-classes": (
        "Match Collect Derive Store Erase Query MakeAvailable Disclose Disseminate Use Retrieve"
    ),
    "dpv context-classes": (
        "Required Optional TemporalDuration UntilTimeDuration UntilEventDuration"
    ),
    "dpv consent-controls-classes": "WithdrawConsent",
    "dpv rights-classes": "DataSubjectRight",
    "dpv consent-types-classes": "ExpressedConsent ExplicitlyExpressedConsent",
    "dpv consent-status-classes": (
        "ConsentGiven RenewedConsentGiven ConsentRefused ConsentWithdrawn "
        "ConsentExpired ConsentStatusInvalidForProcessing"
    ),
    "dpv context-properties": "hasIdentifier hasNecessity hasDuration hasScope hasJustification",
    "dpv entities-datasubject-properties": "hasDataSubject hasRelationWithDataSubject",
    "dpv notice-properties": "hasNotice",
    "dpv process-properties": "hasProcess hasService",
    "dpv purposes-properties": "hasPurpose",
    "dpv personal-data-properties": "hasPersonalData",
    "dpv processing-properties": "hasProcessing",
    "dpv processing-context-properties": (
        "hasAutomationLevel hasHumanInvolvement hasAlgorithmicLogic hasDataSource "
        "hasStorageCondition hasProcessingCondition"
    ),
    "dpv risk-properties": "hasConsequence hasImpactAssessment",
    "dpv jurisdiction-properties": "hasLocation hasJurisdiction hasApplicableLaw",
    "dpv rules-properties": "hasRule",
    "dpv entities-legalrole-properties": "hasDataController hasDataProtectionOfficer hasRecipient",
    "dpv legal-basis-properties": (
        "hasLegalBasis isIndicatedAtTime isIndicatedBy hasIndicationMethod"
    ),
    "dpv consent-properties": "hasConsentControl hasConsentStatus",
    "dpv rights-properties": "isExercisedAt hasRight",
    "dpv entities-authority-properties": "hasAuthority",
    "dpv entities-properties": "hasEntity hasName hasAddress hasContact",
    "dpv TOM-properties": "hasRecordOfActivity",
    "pd extended-classes": "FacialPrint Picture Name",
    "pd core-classes": "Profile",
    "eu-gdpr legal-basis-classes": "A6-1-a",
    "eu-gdpr legal-basis-special-classes": "A9-2-a",
    "eu-gdpr rights-classes": "A7-3 A15 A16 A17 A18 A20 A21 A77",
    "legal-eu eu-classes": "law-GDPR",
    "legal-gb gb-classes": "law-GDPR",
    "dct terms": (
        "conformsTo created description identifier language publisher references source title"
    ),
    "schema vocabulary": (
        "ContactPoint PostalAddress contactPoint address description recipient streetAddress "
        "version"
    ),
    "skos core": "broader",
    "spdx terms": "Checksum algorithm checksum checksumAlgorithm_sha256 checksumValue",
    "rdf syntax": "value",
    "xsd datatypes": "anyURI dateTime duration hexBinary",
}

# The two-letter codes of ISO 3166-1 that DPV 2.3's LOC extension defines.
_COUNTRY_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO "
    "BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ "
    "DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP "
    "GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG "
    "KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML "
    "MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE "
    "PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL "
    "SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM "
    "US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
_COUNTRIES = frozenset(_COUNTRY_CODES.split())

_EEA_CODES = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
)
EEA = frozenset(_EEA_CODES.split())
"""Countries in which the GDPR applies directly: the European Union and the three of the EEA."""

DEFINED_IN: Mapping[str, str] = MappingProxyType(
    {
        f"{key.partition(' ')[0]}:{name}": key.partition(" ")[2]
        for key, names in _SCHEMES.items()
        for name in names.split()
    }
    | {f"loc:{code}": "locations-classes" for code in sorted(_COUNTRIES)}
)
"""Every term that may be written, as a compact IRI, to the scheme that defines it."""

LACKING = frozenset(
    {
        "dpv:ConsentTerminated",
        "dpv:ConsentType",
        "dpv:JointDataController",
        "dpv:WithdrawingFromActivity",
        "dpv:hasLegalName",
        "dpv:hasProcessingAutomation",
        "dpv:isImplementedBy",
        "eu-gdpr:GDPR",
        "pd:Email",
    }
)
"""Some that the guide uses and DPV 2.3 does not define; none is ever written."""


def iri(term: str) -> str:
    """The whole IRI of a pinned term.

    Raises:
        KeyError: the term is not pinned.
    """
    DEFINED_IN[term]
    prefix, _, name = term.partition(":")
    return NAMESPACES[prefix] + name


def country(code: str) -> str | None:
    """The country of an ISO 3166 code (``GB-SCT`` is in ``GB``); None if DPV names none such."""
    first = code.strip().upper().replace("_", "-").partition("-")[0]
    return first if first in _COUNTRIES else None
