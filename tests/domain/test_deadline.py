from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.deadline import one_month_after


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 9, 3), date(2026, 10, 3)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 11, 30), date(2026, 12, 30)),
    ],
)
def test_an_answer_is_due_a_month_after_the_request(received: date, due: date) -> None:
    assert one_month_after(received) == due


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_month_is_never_more_than_31_days_nor_less_than_28(received: date) -> None:
    assert timedelta(28) <= one_month_after(received) - received <= timedelta(31)
