from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.majority import AGE_YEARS, comes_of_age


@pytest.mark.parametrize(
    ("born", "jurisdiction", "day"),
    [
        (date(2008, 5, 17), "GB", date(2026, 5, 17)),
        (date(2008, 5, 17), "GB-SCT", date(2024, 5, 17)),
        (date(2008, 5, 17), "US", date(2026, 5, 17)),
        (date(2008, 5, 17), "US-AL", date(2027, 5, 17)),
        (date(2008, 5, 17), "us-al", date(2027, 5, 17)),
        (date(2008, 5, 17), " us_al\n", date(2027, 5, 17)),
        (date(2008, 5, 17), "gb_sct ", date(2024, 5, 17)),
        (date(2008, 5, 17), "nz_auk", date(2028, 5, 17)),
        (date(2008, 5, 17), "EG-C", date(2029, 5, 17)),
        (date(2008, 5, 17), "US-MS", date(2029, 5, 17)),
        (date(2008, 5, 17), "US-CA", date(2026, 5, 17)),
        (date(2008, 5, 17), "NZ", date(2028, 5, 17)),
        (date(2008, 5, 17), "NZ-AUK", date(2028, 5, 17)),
        (date(2008, 2, 29), "GB", date(2026, 3, 1)),
        (date(2008, 2, 29), "NZ", date(2028, 2, 29)),
        (date(2008, 2, 29), "US-NE", date(2027, 3, 1)),
    ],
)
def test_the_day_on_which_somebody_answers_for_themselves(
    born: date, jurisdiction: str, day: date
) -> None:
    assert comes_of_age(born, jurisdiction) == day


@pytest.mark.parametrize("country", ["BH", "CM", "EG", "HN", "KW", "PR", "SG", "US-MS", "US-PR"])
def test_where_majority_is_at_twenty_one_nobody_answers_for_themselves_at_eighteen(
    country: str,
) -> None:
    assert comes_of_age(date(2008, 5, 17), country) == date(2029, 5, 17)


@pytest.mark.parametrize("country", ["DZ", "KR"])
def test_where_majority_is_at_nineteen(country: str) -> None:
    assert comes_of_age(date(2008, 5, 17), country) == date(2027, 5, 17)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from(["GB", "XX", "", *AGE_YEARS]))
def test_nobody_comes_of_age_before_sixteen_or_after_twenty_one(
    born: date, jurisdiction: str
) -> None:
    assert 16 <= comes_of_age(born, jurisdiction).year - born.year <= 21


@given(st.sampled_from(["GB", "XX", *AGE_YEARS]), st.sampled_from(["", " ", "\t", "\n"]))
def test_a_jurisdiction_is_the_same_however_it_was_typed(code: str, blank: str) -> None:
    born = date(2008, 5, 17)
    typed = [code.lower(), f"{blank}{code}{blank}", code.replace("-", "_")]
    assert {comes_of_age(born, each) for each in typed} == {comes_of_age(born, code)}
