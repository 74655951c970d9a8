"""What all rules share: strict parameters, each point once, names that repeat."""

from dataclasses import replace

import pytest

from contracts.errors import ConfigError
from contracts.geometry import Point
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import TrackState
from tests.fakes.tracks import followed, header_at, missed
from vision.rules.rule import Measured, NewPoints, Params, is_seen_now, state_event

HERE: Point = (0.5, 0.6)


def settings(**params: float | str) -> RuleSettings:
    return RuleSettings(rule_id="watch", kind=RuleKind.LOITER, zone_id="dock", params=params)


def measured(since_s: float) -> Measured:
    return Measured(
        since_s=since_s,
        since_at=header_at(since_s).captured_at,
        value=1.0,
        threshold=0.5,
        sigma=0.1,
        unit="s",
        detail={},
    )


def test_a_parameter_that_is_not_given_has_its_default() -> None:
    params = Params(settings(grace_s=3.0))

    assert params.number("threshold_s", 7.0) == 7.0
    assert params.number("grace_s", 2.0) == 3.0
    params.done()


def test_a_misspelt_parameter_is_named_with_those_that_are_known() -> None:
    params = Params(settings(grace=3.0))
    params.number("grace_s", 2.0)

    with pytest.raises(ConfigError, match=r"rule watch \(loiter\): .* grace; known are grace_s"):
        params.done()


def test_each_point_is_read_once() -> None:
    new = NewPoints(())
    feet = [(0.0, HERE), (0.2, HERE), (0.4, HERE)]

    first = [len(points) for _, points in new.read([followed(feet[:2])])]
    second = [len(points) for _, points in new.read([followed(feet)])]
    third = [len(points) for _, points in new.read([followed(feet)])]

    assert (first, second, third) == ([2], [1], [0])


def test_predicted_points_are_not_read() -> None:
    [(_, points)] = NewPoints(()).read([missed(followed([(0.0, HERE)]), 0.2)])

    assert [point.is_observed for point in points] == [True]


def test_tracks_of_other_labels_and_tentative_ones_are_not_read() -> None:
    car = followed([(0.0, HERE)], label="car")
    unsure = followed([(0.0, HERE)], track_id="t2", state=TrackState.TENTATIVE)

    assert list(NewPoints(("person",)).read([car, unsure])) == []
    assert len(list(NewPoints(("vehicle",)).read([car]))) == 1


def test_only_a_confirmed_track_with_a_detection_in_this_frame_is_seen_now() -> None:
    track = followed([(0.0, HERE)])

    assert is_seen_now(track, header_at(0.0))
    assert not is_seen_now(track, header_at(0.2))
    assert not is_seen_now(missed(track, 0.2), header_at(0.2))
    assert not is_seen_now(replace(track, state=TrackState.TENTATIVE), header_at(0.0))


def test_the_same_statement_has_the_same_id_and_another_beginning_another() -> None:
    track = followed([(0.0, HERE), (1.0, HERE)])

    def event_id(since_s: float, at_s: float, camera_id: str = "cam") -> str:
        header = header_at(at_s, camera_id=camera_id)
        return state_event(
            settings(), track=track, header=header, measured=measured(since_s)
        ).event_id

    assert event_id(0.0, 1.0) == event_id(0.0, 2.0)
    assert event_id(0.0, 1.0) != event_id(0.5, 1.0)
    assert event_id(0.0, 1.0) != event_id(0.0, 1.0, "yard")
