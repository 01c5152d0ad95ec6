"""Faces of several photographs are compared in groups of just so many."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sayso.domain.face import Box, Face, Landmarks, Point
from sayso.domain.matching import Likeness
from sayso.domain.person import PersonId
from sayso.errors import PhotographUnreadable
from sayso.services.examine import Examined, Outcome, crops, in_pieces, whole
from sayso.services.pipeline import in_batches
from sayso.services.recognition import CutOut
from sayso.services.scope import Candidate
from sayso.sources.source import SourceFile

MOST = 16
MARKS = Landmarks(*(Point(place / 10, place / 10) for place in range(5)))


def photograph(number: int, landmarks: list[bool] | None) -> Outcome:
    """One whose faces have landmarks or none; each crop is filled with its face's number."""
    file = SourceFile(f"{number}.jpg", 1, 1)
    if landmarks is None:
        error = PhotographUnreadable(expected="a photograph", found="none", remedy="Look.")
        return file, error
    faces = tuple(
        Face(Box(0, 0, 1, 1), MARKS if one else None, 0.9, 100.0 + place)
        for place, one in enumerate(landmarks)
    )
    with_landmarks = np.flatnonzero(landmarks).astype(np.uint8)
    cut = np.broadcast_to(with_landmarks[:, None, None, None], (len(with_landmarks), 2, 2, 3))
    return file, Examined(file, str(number), None, None, CutOut(faces, cut))


def compared(outcome: Outcome) -> Outcome:
    """Each face is "somebody" as similar as it is high; crops must be those of the faces."""
    file, found = outcome
    if isinstance(found, PhotographUnreadable):
        return outcome
    assert isinstance(found, Examined)
    assert found.faces is not None
    heights = [face.height_px for face in found.faces.faces if face.landmarks]
    assert [100 + crop[0, 0, 0] for crop in found.faces.crops] == heights
    candidates = tuple(
        (Candidate(PersonId(file.path), face.height_px, Likeness.REVIEW),)
        for face in found.faces.faces
    )
    return file, replace(found, faces=None, candidates=candidates)


@given(st.lists(st.none() | st.lists(st.booleans(), max_size=40), max_size=12))
def test_groups_are_full_and_every_face_comes_back_in_its_place(
    landmarks: list[list[bool] | None],
) -> None:
    outcomes = [photograph(number, one) for number, one in enumerate(landmarks)]
    groups = list(in_batches(in_pieces(outcomes, MOST), weigh=crops, most=MOST))
    sizes = [sum(crops(one) for one in group) for group in groups]
    assert all(size <= MOST for size in sizes)
    done = list(whole(compared(one) for group in groups for one in group))
    assert [file.path for file, _ in done] == [file.path for file, _ in outcomes]
    for (file, found), one in zip(done, landmarks, strict=True):
        if one is None:
            assert isinstance(found, PhotographUnreadable)
            continue
        assert isinstance(found, Examined)
        assert not found.goes_on
        assert [row[0].similarity for row in found.candidates] == [
            100.0 + place for place in range(len(one))
        ]
        assert {row[0].person for row in found.candidates} <= {file.path}


def test_crowds_fill_each_group_but_the_last() -> None:
    outcomes = [photograph(number, [True] * 7) for number in range(11)]
    groups = in_batches(in_pieces(outcomes, MOST), weigh=crops, most=MOST)
    assert [sum(crops(one) for one in group) for group in groups] == [16, 16, 16, 16, 13]


def test_a_photograph_of_which_pieces_are_missing_is_left_out() -> None:
    pieces = list(in_pieces([photograph(0, [True] * 5), photograph(1, [True] * 20)], MOST))
    assert [file.path for file, _ in whole(compared(one) for one in pieces[:2])] == ["0.jpg"]
