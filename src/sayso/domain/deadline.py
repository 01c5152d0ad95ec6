"""When an answer to a person is due."""

import calendar
from datetime import date


def one_month_after(received: date) -> date:
    """The last day on which a request that was received on a day may be answered.

    GDPR article 12(3) gives one month from receipt. By Regulation (EEC, Euratom) 1182/71,
    article 3, a period of months ends with the same date of the last month, or with the last day
    of that month if it has no such date. Its extension over public holidays is not taken.
    """
    year, month = divmod(received.year * 12 + received.month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(received.day, last))
