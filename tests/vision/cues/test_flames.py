"""The cue for flames and its rule together, on rendered pictures."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.frames import Frame
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import Track, TrackState
from tests.fakes.builders import header
from tests.fakes.fire_scenes import FIRE, Painter, flames, lamp, render, sunset, vest
from tests.fakes.tracks import followed
from vision.cues.flames import FlamesCue
from vision.cues.port import Cues, Glimpse
from vision.cues.seen import FlamesSeen
from vision.motion_gate import Motion
from vision.observation import Observation
from vision.rules.fire import FireRule

MOVING = Motion(share=0.01, light_change=0.0, is_moving=True)
SECOND_FIRE = (0.1, 0.5, 0.2, 0.75)


class Yard:
    """A cue and its rule before rendered pictures."""

    def __init__(self) -> None:
        self.cue = FlamesCue()
        self.rule = FireRule(RuleSettings(rule_id="fire", kind=RuleKind.FIRE), zone=None)
        self.random = np.random.default_rng(1)
        self.seen: list[FlamesSeen] = []
        self.events: list[RuleEvent] = []

    def show(
        self, painters: list[Painter], seqs: range, *, tracks: tuple[Track, ...] = ()
    ) -> list[RuleEvent]:
        for seq in seqs:
            pixels = render(painters, seq, self.random)
            self.look(Frame(header=header(seq), pixels_HW3=pixels), tracks=tracks)
        return self.events

    def look(self, frame: Frame, *, tracks: tuple[Track, ...] = ()) -> None:
        glimpse = Glimpse(small=frame, picture=None, motion=MOVING, detections=None, tracks=tracks)
        found = self.cue.look(glimpse)
        self.seen.append(found)
        seen = Observation(header=frame.header, tracks=tracks, cues=Cues(flames=found))
        self.events += self.rule.update(seen)


def test_a_fire_is_reported_once_where_it_burns() -> None:
    yard = Yard()
    yard.show([], range(15))

    [event] = yard.show([flames()], range(15, 65))

    assert event.since_s == pytest.approx(3.2, abs=0.8)
    assert event.value == pytest.approx(4.0, abs=0.21)
    [region] = yard.seen[-1].regions()
    assert region.label == "fire"
    assert region.last.box == pytest.approx(FIRE, abs=0.04)
    assert event.track_id == region.track_id


@pytest.mark.parametrize(
    "painters",
    [
        pytest.param([], id="an empty yard"),
        pytest.param([lamp()], id="a warm lamp"),
        pytest.param([lamp(every=1)], id="a lamp that blinks at every frame"),
        pytest.param([lamp(every=2)], id="a lamp that blinks at every other frame"),
        pytest.param([vest()], id="an orange vest"),
        pytest.param([sunset()], id="a sunset"),
    ],
)
def test_what_is_no_fire_is_not_reported(painters: list[Painter]) -> None:
    assert Yard().show(painters, range(100)) == []


def test_flames_at_somebody_who_is_followed_are_his_clothes() -> None:
    somebody = followed([(0.0, (0.5, 0.8))])
    covering = replace(somebody, points=(replace(somebody.last, box=(0.4, 0.4, 0.6, 0.8)),), hits=3)

    assert Yard().show([flames()], range(60), tracks=(covering,)) == []


def test_two_fires_are_two_events() -> None:
    yard = Yard()

    events = yard.show([flames(), flames(SECOND_FIRE)], range(60))

    assert len({event.track_id for event in events}) == len(events) == 2


def test_a_flash_is_no_fire() -> None:
    yard = Yard()
    yard.show([], range(10))
    yard.show([flames()], range(10, 20))

    assert yard.show([], range(20, 60)) == []
    assert list(yard.seen[-1].regions()) == []


def test_a_fire_that_goes_out_ends() -> None:
    yard = Yard()
    yard.show([flames()], range(40))
    yard.show([], range(40, 80))

    states = [region.state for seen in yard.seen for region in seen.regions()]

    assert states[-1] is TrackState.ENDED
    assert states.count(TrackState.ENDED) == 1
    assert yard.rule.present() == frozenset()


@pytest.mark.parametrize("size", [(1, 1), (3, 2)])
def test_tiny_pictures_do_not_burn(size: tuple[int, int]) -> None:
    yard = Yard()
    for seq in range(40):
        pixels = np.full((size[1], size[0], 3), (40, 120, 250), np.uint8)
        yard.look(Frame(header=header(seq), pixels_HW3=pixels))

    assert yard.events == []


def test_a_change_of_resolution_begins_anew() -> None:
    yard = Yard()
    yard.show([flames()], range(10))
    yard.look(Frame(header=header(11), pixels_HW3=np.full((90, 160, 3), 200, np.uint8)))
    yard.show([flames()], range(12, 16))

    assert yard.events == []


def test_frames_that_go_back_in_time_change_nothing() -> None:
    yard = Yard()
    yard.show([flames()], range(15))
    yard.look(Frame(header=header(99, at_s=1.0), pixels_HW3=np.zeros((180, 320, 3), np.uint8)))

    [event] = yard.show([flames()], range(15, 40))

    assert event.since_s < 1.5
