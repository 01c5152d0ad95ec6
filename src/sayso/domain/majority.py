"""The age at which a person answers for themselves, as data, per jurisdiction.

Ages of majority by national or state law. A jurisdiction that is not listed takes the default,
the age of the Convention on the Rights of the Child (article 1): eighteen years. This is not
the younger age of GDPR article 8, which concerns online services offered to a child.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

DEFAULT_AGE_YEARS = 18

AGE_YEARS: Mapping[str, int] = MappingProxyType(
    {
        "BH": 21,
        "CA-BC": 19,
        "CA-NB": 19,
        "CA-NL": 19,
        "CA-NS": 19,
        "CA-NT": 19,
        "CA-NU": 19,
        "CA-YT": 19,
        "CM": 21,
        "DZ": 19,
        "EG": 21,
        "GB-SCT": 16,
        "HN": 21,
        "KR": 19,
        "KW": 21,
        "NZ": 20,
        "PR": 21,
        "SG": 21,
        "TH": 20,
        "US-AL": 19,
        "US-MS": 21,
        "US-NE": 19,
        "US-PR": 21,
    }
)
"""Where it is not eighteen, by ISO 3166 code."""


def comes_of_age(born: date, jurisdiction: str) -> date:
    """The first day on which the person answers for themselves.

    Somebody born on 29 February comes of age on 1 March of a year without that day.
    """
    code = jurisdiction.strip().upper().replace("_", "-")
    country = code.partition("-")[0]
    age = AGE_YEARS.get(code, AGE_YEARS.get(country, DEFAULT_AGE_YEARS))
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)
