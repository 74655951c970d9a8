"""The cue and the rules for things together, on rendered scenes."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.frames import Frame
from contracts.rules import RuleKind
from contracts.tracks import TrackState
from tests.fakes.builders import header
from tests.fakes.thing_scenes import Placed, Scene, Walker, Watcher
from tests.fakes.thing_stories import BAG, COMES_BACK, LEAVES, STORIES, Story
from vision.cues.port import Glimpse
from vision.cues.things import ThingsCue
from vision.motion_gate import Motion

STILL = Motion(share=0.0, light_change=0.0, is_moving=False)
SELDOM: dict[str, float | str] = {"threshold_s": 60.0}
QUICK = [story for story in STORIES if story.scene.seconds <= 26]
LONG = [story for story in STORIES if story.scene.seconds > 26]


def check(story: Story) -> None:
    events = Watcher(story.scene).watch()

    assert [event.kind for event in events] == [told.kind for told in story.told]
    for event, told in zip(events, story.told, strict=True):
        assert event.since_s == pytest.approx(told.since_s, abs=0.7)
        assert event.monotonic_s == pytest.approx(told.fired_s, abs=1.5)
        assert event.other_track_ids == ((told.by,) if told.by else ())


@pytest.mark.parametrize("story", QUICK, ids=lambda story: story.scene.name)
def test_a_story_is_told_as_it_was(story: Story) -> None:
    check(story)


@pytest.mark.slow
@pytest.mark.parametrize("story", LONG, ids=lambda story: story.scene.name)
def test_a_long_story_is_told_as_it_was(story: Story) -> None:
    check(story)


def test_a_thing_begins_when_it_appeared_and_stays_where_it_is() -> None:
    watcher = Watcher(Scene(name="bag", things=(Placed(at=BAG, from_s=5),), seconds=10))
    watcher.watch()

    [region] = watcher.cues[-1].regions()

    assert region.is_region
    assert region.track_id.startswith("r")
    assert region.first_seen_s == pytest.approx(5.0, abs=0.21)
    assert region.state is TrackState.CONFIRMED
    x1, y1, x2, y2 = region.last.box
    assert (x1, y1, x2, y2) == pytest.approx((0.465, 0.66, 0.535, 0.8), abs=0.03)
    assert region.hits == len(region.points)


def test_an_alert_ends_when_the_thing_is_taken_back() -> None:
    watcher = Watcher(
        Scene(
            name="back after the alert",
            walkers=(LEAVES, replace(COMES_BACK, way=tuple(
                (at_s + 6, x, y) for at_s, x, y in COMES_BACK.way
            ))),
            things=(Placed(at=BAG, from_s=6, to_s=23),),
            seconds=26,
        )
    )  # fmt: skip

    events = watcher.watch()

    assert [event.kind for event in events] == [RuleKind.ABANDONED]
    assert watcher.present[20 * 5]
    assert not watcher.present[-1]


def test_who_was_not_seen_while_he_stood_still_is_not_removed_when_he_goes() -> None:
    waits = Walker(
        way=((2, -0.1, 0.8), (5, 0.5, 0.8), (15, 0.5, 0.8), (18, 1.1, 0.8)), unseen=(4.4, 15.0)
    )
    watcher = Watcher(
        Scene(name="waits", walkers=(waits,), seconds=22, params={RuleKind.ABANDONED: SELDOM})
    )

    assert watcher.watch() == []
    assert any(cues.things.things for cues in watcher.cues)


def test_things_that_go_in_one_frame_are_two_regions() -> None:
    both = (Placed(at=(0.3, 0.8), from_s=4, to_s=14), Placed(at=BAG, from_s=4, to_s=14, seed=9))
    watcher = Watcher(Scene(name="two bags", things=both, seconds=22))
    watcher.watch()

    removed = {event.track_id for event in watcher.events if event.kind is RuleKind.REMOVED}
    places = {
        removal.track.track_id: removal.track.last.box
        for cues in watcher.cues
        for removal in cues.things.removals
    }

    assert len(removed) == 2
    assert removed <= places.keys()
    assert len(set(places.values())) == 2


def test_cameras_do_not_share_what_they_know() -> None:
    scene = Scene(name="bag", things=(Placed(at=BAG, from_s=5),), seconds=12)
    first, second = Watcher(scene, camera_id="a"), Watcher(scene, camera_id="b", seed=8)

    told = {event.event_id for event in (*first.watch(), *second.watch())}

    assert len(told) == 2


def glimpse(seq: int, *, size: tuple[int, int] = (320, 180), at_s: float | None = None) -> Glimpse:
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    frame = Frame(header=header(seq, at_s=at_s), pixels_HW3=pixels)
    return Glimpse(small=frame, picture=None, motion=STILL, detections=None, tracks=())


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 40), (7, 5)])
def test_tiny_pictures_hold_no_things(size: tuple[int, int]) -> None:
    cue = ThingsCue()

    assert [
        thing for seq in range(20) for thing in cue.look(glimpse(seq, size=size)).regions()
    ] == []


def test_frames_that_go_back_in_time_change_nothing() -> None:
    watcher = Watcher(Scene(name="bag", things=(Placed(at=BAG, from_s=5),), seconds=10))
    for seq in range(40):
        watcher.look(header(seq))
    [before] = watcher.cues[-1].regions()
    watcher.look(header(41, at_s=3.0))
    watcher.look(header(42, at_s=8.4))

    [after] = watcher.cues[-1].regions()

    assert after.track_id == before.track_id


def test_a_change_of_resolution_ends_what_was_followed() -> None:
    watcher = Watcher(Scene(name="bag", things=(Placed(at=BAG, from_s=5),), seconds=9))
    watcher.watch()
    cue = watcher._readers._things

    ended = list(cue.look(glimpse(45, size=(160, 90))).regions())

    assert [region.state for region in ended] == [TrackState.ENDED]
    assert list(cue.look(glimpse(46, size=(160, 90))).regions()) == []


def test_a_region_is_hidden_by_somebody_who_stands_in_front_of_it() -> None:
    walker = replace(COMES_BACK, way=((10, 1.1, 0.9), (12, 0.5, 0.9), (16, 0.5, 0.9),
                                      (18, -0.1, 0.9)))  # fmt: skip
    watcher = Watcher(
        Scene(name="hidden", walkers=(walker,), things=(Placed(at=BAG, from_s=4),), seconds=22)
    )
    watcher.watch()
    states = {
        index / 5: region.state
        for index, cues in enumerate(watcher.cues)
        for region in cues.regions()
    }

    assert states[14.0] is TrackState.LOST
    assert states[21.0] is TrackState.CONFIRMED
    assert len({region.track_id for cues in watcher.cues for region in cues.regions()}) == 1
