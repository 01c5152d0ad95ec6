from dataclasses import replace

import pytest

from sayso.domain.event import Act, Notice
from sayso.domain.notice import KeptNotice, is_current, must_be_asked, require_current
from sayso.errors import NoticeStale

from .asked import TOLD, told
from .records import ADA, CLUB, day, event, only, record

NEWER = Notice("ef" * 32, "3", "en")
GERMAN = Notice("12" * 32, "3", "de")


def kept(notice: Notice, *, current: bool) -> KeptNotice:
    return KeptNotice(notice, f"words of {notice.version}", current, day(0))


OLD, NEW = kept(TOLD, current=False), kept(NEWER, current=True)


def test_whoever_was_told_by_an_old_notice_is_listed_with_what_rests_on_it() -> None:
    said = record(told(Act.GIVEN, "find", 0), told(Act.GIVEN, "publish:website", 0))
    [stale] = must_be_asked([said], [OLD, NEW], day(1))
    assert (stale.person, stale.told) == (ADA, TOLD)
    assert [str(grant) for grant in stale.grants] == ["find", "publish:website"]


def test_whoever_was_told_by_the_current_notice_is_not_listed() -> None:
    said = record(replace(told(Act.GIVEN, "find", 0), notice=NEWER))
    assert must_be_asked([said], [OLD, NEW], day(1)) == ()


def test_whoever_says_yes_again_with_the_new_notice_is_no_longer_listed() -> None:
    again = replace(told(Act.RENEWED, "find", 1), notice=NEWER)
    said = record(told(Act.GIVEN, "find", 0), again)
    assert must_be_asked([said], [OLD, NEW], day(2)) == ()


def test_a_yes_without_a_notice_must_be_asked_again() -> None:
    [stale] = must_be_asked([record(event(Act.GIVEN, "find", 0))], [NEW], day(1))
    assert stale.told is None


def test_what_is_no_longer_live_need_not_be_asked_again() -> None:
    ended = record(told(Act.GIVEN, "find", 0), told(Act.WITHDRAWN, "find", 1))
    expired = record(replace(told(Act.GIVEN, "find", 0), expires=day(1)))
    assert must_be_asked([ended, expired], [OLD, NEW], day(2)) == ()


def test_a_yes_for_one_collection_counts() -> None:
    said = record(replace(told(Act.GIVEN, "find", 0), scope=only(CLUB)))
    assert len(must_be_asked([said], [OLD, NEW], day(1))) == 1


def test_without_a_current_notice_nothing_is_stale() -> None:
    said = record(told(Act.GIVEN, "find", 0), event(Act.GIVEN, "publish:website", 0))
    assert must_be_asked([said], [], day(1)) == ()
    assert must_be_asked([said], [OLD], day(1)) == ()


def test_each_language_has_its_own_current_notice() -> None:
    both = [NEW, kept(GERMAN, current=True)]
    assert is_current(GERMAN, both)
    assert is_current(NEWER, both)
    assert not is_current(TOLD, both)


@pytest.mark.parametrize("notice", [TOLD, None])
def test_a_new_purpose_may_not_rest_on_an_old_notice(notice: Notice | None) -> None:
    require_current(NEWER, [OLD, NEW])
    require_current(notice, [OLD])
    with pytest.raises(NoticeStale, match=r"3 \(en\)") as refused:
        require_current(notice, [OLD, NEW])
    assert refused.value.reason_code == "notice_stale"
