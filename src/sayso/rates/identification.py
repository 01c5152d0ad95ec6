"""1:N: how often a search of a gallery names a stranger, and how often it misses who is there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.domain.matching import GallerySize
from sayso.rates.interval import Rate, of_trials, rate, resamples

TARGETS = (1e-1, 1e-2, 1e-3)
_SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000)
_SEARCHES = 100_000
"""About so many searches of strangers are made at each size, by drawing galleries anew."""
_DRAWS = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The similarities at which the product decides in a gallery of some size."""

    match: float
    review: float


LimitsOf = Callable[[GallerySize], Limits]
"""From the size of a gallery to the limits that keep the promise there."""


@dataclass(frozen=True, slots=True)
class Searches:
    """Probes compared with every enrolled person.

    Attributes:
        best: (P, E) similarity of each probe to each enrolled person, their references fused.
        person: (P,) which of them each probe shows; -1: none of them.
        subject: (P,) identity of each probe, enrolled or not, for resampling.
        references: (E,) how many references each person has.
    """

    best: NDArray[np.float32]
    person: NDArray[np.intp]
    subject: NDArray[np.intp]
    references: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Missed:
    """What a false positive identification rate costs in this gallery.

    Attributes:
        false_positive_rate: FPIR asked for.
        threshold: the similarity at which it is reached.
        false_negative_rate: FNIR: share of mated searches in which the person was not the first,
            or not at or above the threshold.
        supported: whether there were enough searches of strangers to say so.
    """

    false_positive_rate: float
    threshold: float
    false_negative_rate: Rate
    supported: bool


@dataclass(frozen=True, slots=True)
class Promised:
    """What the product's own thresholds do, against what was promised.

    Attributes:
        match, review: the thresholds in a gallery of this size.
        false_names: share of strangers' searches in which somebody is named.
        false_reviews: share of them that a human is asked to look at, or that name somebody.
        missed: share of mated searches that do not name the person.
        missed_by_review: share of them in which even the review does not offer the person.
        wrong_names: share of mated searches that name somebody else.
    """

    match: float
    review: float
    false_names: Rate
    false_reviews: Rate
    missed: Rate
    missed_by_review: Rate
    wrong_names: Rate


@dataclass(frozen=True, slots=True)
class InGallery:
    """Error rates in galleries of one size.

    Attributes:
        persons, references: in the gallery; the references are a mean over the draws.
        draws: how many galleries of this size were drawn.
        mated, non_mated: searches made in all of them.
        rank_one: share of mated searches whose best person is the right one.
        at: what FPIR 10 %, 1 % and 0.1 % cost.
        promised: what the product's own thresholds do.
    """

    persons: int
    references: float
    draws: int
    mated: int
    non_mated: int
    rank_one: float
    at: tuple[Missed, ...]
    promised: Promised


def identification(searches: Searches, limits: LimitsOf, *, seed: int = 0) -> tuple[InGallery, ...]:
    """Error rates by gallery size, smallest first; the last has everybody in it.

    Smaller galleries are drawn at random from the enrolled; the others' probes are strangers to
    them, which is why small galleries have many searches of strangers.
    """
    enrolled = searches.best.shape[1]
    sizes = [size for size in _SIZES if size < enrolled]
    return tuple(
        _of_size(searches, limits, size, np.random.default_rng((seed, size)))
        for size in (*sizes, enrolled)
        if size
    )


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Searches of several galleries of one size, joined.

    Attributes:
        own: (M,) similarity of mated searches to the right person.
        other: (M,) the best of the others.
        mated_subject: (M,) identity searched for.
        stranger: (S,) best similarity of non-mated searches.
        stranger_subject: (S,) whose.
    """

    own: NDArray[np.float32]
    other: NDArray[np.float32]
    mated_subject: NDArray[np.intp]
    stranger: NDArray[np.float32]
    stranger_subject: NDArray[np.intp]


def _of_size(
    searches: Searches, limits: LimitsOf, size: int, random: np.random.Generator
) -> InGallery:
    enrolled = searches.best.shape[1]
    draws = 1
    if size < enrolled:
        draws = int(np.clip(_SEARCHES // max(len(searches.best), 1), 1, _DRAWS))
    chosen = [np.sort(random.permutation(enrolled)[:size]) for _ in range(draws)]
    references = float(np.mean([searches.references[people].sum() for people in chosen]))
    found = _joined([_searched(searches, people) for people in chosen])
    hits = found.own > found.other
    return InGallery(
        persons=size,
        references=references,
        draws=draws,
        mated=len(found.own),
        non_mated=len(found.stranger),
        rank_one=float(hits.mean()) if len(hits) else 0.0,
        at=tuple(_missed(found, target) for target in TARGETS),
        promised=_promised(found, limits(GallerySize(size, round(references)))),
    )


def _searched(searches: Searches, people: NDArray[np.intp]) -> _Outcomes:
    best = searches.best[:, people]
    column = np.full(searches.best.shape[1] + 1, -1, np.intp)  # the last is for nobody, -1
    column[people] = np.arange(len(people))
    place = column[searches.person]
    mated = np.nonzero(place >= 0)[0]
    strangers = np.nonzero(place < 0)[0]
    own = best[mated, place[mated]]
    others = best[mated].copy()
    others[np.arange(len(mated)), place[mated]] = -1
    return _Outcomes(
        own,
        others.max(axis=1, initial=-1),
        searches.subject[mated],
        best[strangers].max(axis=1, initial=-1),
        searches.subject[strangers],
    )


def _joined(parts: Sequence[_Outcomes]) -> _Outcomes:
    return _Outcomes(
        np.concatenate([part.own for part in parts]),
        np.concatenate([part.other for part in parts]),
        np.concatenate([part.mated_subject for part in parts]),
        np.concatenate([part.stranger for part in parts]),
        np.concatenate([part.stranger_subject for part in parts]),
    )


def _missed(found: _Outcomes, target: float) -> Missed:
    ordered = np.sort(found.stranger)[::-1]
    allowed = int(target * len(ordered))
    threshold = 1.0
    if allowed < len(ordered):
        threshold = float(np.nextafter(ordered[allowed], np.float32(2)))
    hit = (found.own >= threshold) & (found.own > found.other)
    return Missed(
        target,
        threshold,
        _share(~hit, found.mated_subject),
        len(ordered) * target >= 10,  # noqa: PLR2004 - fewer errors than these say little
    )


def _promised(found: _Outcomes, limits: Limits) -> Promised:
    mated = found.mated_subject
    named = (found.own >= limits.match) & (found.other < limits.match)
    wrong = (found.other >= limits.match) & (found.own < limits.match)
    return Promised(
        limits.match,
        limits.review,
        _share(found.stranger >= limits.match, found.stranger_subject),
        _share(found.stranger >= limits.review, found.stranger_subject),
        _share(~named, mated),
        _share(found.own < limits.review, mated),
        _share(wrong, mated),
    )


def _share(events: NDArray[np.bool_], subject: NDArray[np.intp]) -> Rate:
    """How often something happened, with the interval over the subjects.

    Several draws search for the same probes again, so that only the resampling of subjects says
    how much is known; where it has no event to vary, the subjects count as trials.
    """
    if not len(events):
        return Rate(0.0, 0.0, 1.0)
    names, place = np.unique(subject, return_inverse=True)
    if not events.any():
        return of_trials(0, len(names))
    happened = np.bincount(place, weights=events).astype(np.float64)
    trials = np.bincount(place).astype(np.float64)
    return rate(float(events.mean()), list(_ratios(happened, trials, len(names))))


def _ratios(
    happened: NDArray[np.float64], trials: NDArray[np.float64], names: int
) -> Iterator[float]:
    for weights in resamples(names):
        yield float((weights * happened).sum() / max((weights * trials).sum(), 1))
