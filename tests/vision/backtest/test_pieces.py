"""A long sitting is cut where nobody is there, and the pieces say what the whole says."""

from dataclasses import fields
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contracts.rules import RuleKind, RuleSettings
from tests.fakes.clock import START
from tests.fakes.street_life import EVERY_KIND, street
from tests.fakes.track_archives import archive_of, recorded
from vision.archive.columns import StoredTracks, merged
from vision.archive.port import DamagedFile
from vision.backtest.answer import BackTester, Outcome
from vision.backtest.pieces import Pieces, memory_s, quiet_frame, split

HOUR = timedelta(hours=1)
LATER = 10 * HOUR


def as_lists(tracks: StoredTracks) -> dict[str, object]:
    values = {one.name: getattr(tracks, one.name) for one in fields(tracks)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


def asked(frames: object, *, piece_points: int, most_points: int = 10**9) -> Outcome:
    archive = archive_of(frames)  # type: ignore[arg-type]  # the same frames in each test
    tester = BackTester(
        archive,
        close_after_s=10.0,
        time_zone=None,
        piece_points=piece_points,
        most_points=most_points,
    )
    answer = tester.ask("cam", [EVERY_KIND], start=START - HOUR, end=START + LATER)
    return answer.outcomes[0]


@settings(max_examples=8, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(seed=st.integers(0, 2**32 - 1))
def test_pieces_say_what_the_whole_says(seed: int) -> None:
    frames = street(seed, count=5, until_s=1500.0)

    assert asked(frames, piece_points=100) == asked(frames, piece_points=10**9)


def test_there_are_pieces_to_compare() -> None:
    archive = archive_of(street(1, count=5, until_s=1500.0, stalls=False))
    pieces = Pieces(shelf=archive, camera_id="cam", piece_points=100)

    assert len(list(pieces.read(start=START, end=START + HOUR))) > 1
    assert pieces.forced_cuts == 0


def test_who_never_leaves_is_cut_apart_and_that_is_counted() -> None:
    archive = archive_of(street(1, count=40, until_s=200.0, stalls=False))
    pieces = Pieces(shelf=archive, camera_id="cam", piece_points=100, most_points=1000)

    read = list(pieces.read(start=START, end=START + HOUR))

    assert pieces.forced_cuts >= 1
    assert sum(piece.points for piece in read) == sum(part.points for part in archive.parts)


def test_a_split_loses_nothing() -> None:
    whole = recorded(street(1, count=4, until_s=1500.0, stalls=False))
    frame = quiet_frame(whole, quiet_s=120.0)
    assert frame is not None

    assert as_lists(merged(split(whole, frame))) == as_lists(whole)


def test_nothing_is_quiet_while_somebody_is_there() -> None:
    whole = recorded(street(1, count=40, until_s=120.0, stalls=False))

    assert quiet_frame(whole, quiet_s=60.0) is None


def test_an_empty_street_is_quiet_after_a_while() -> None:
    whole = recorded(street(2, count=0, until_s=200.0, stalls=False))

    assert quiet_frame(whole, quiet_s=120.0) == whole.frames - 1
    assert quiet_frame(whole, quiet_s=300.0) is None


def test_damage_is_kept_in_mind_and_passed_over() -> None:
    archive = archive_of(street(1))
    archive.damage.append(DamagedFile(file="cam/x.tracks", reason="its checksum does not fit"))
    pieces = Pieces(shelf=archive, camera_id="cam")

    assert len(list(pieces.read(start=START, end=START + HOUR))) == 1
    assert pieces.damaged == archive.damage


@pytest.mark.parametrize(
    ("params", "wanted"), [({}, 120.0), ({"within_s": 600.0, "first": "a"}, 1200.0)]
)
def test_rules_are_given_twice_the_time_that_they_remember(
    params: dict[str, float | str], wanted: float
) -> None:
    rule = RuleSettings(rule_id="one", kind=RuleKind.SEQUENCE, params=params)

    assert memory_s([rule], close_after_s=10.0) == wanted
