"""The cue for smoke and its rule together, on rendered pictures."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from contracts.frames import BgrImage, Frame
from contracts.incidents import RuleEvent
from contracts.tracks import Track, TrackState
from tests.fakes.builders import header
from tests.fakes.smoke_scenes import (
    DARK,
    FPS,
    CloudShadow,
    Defocus,
    Flag,
    FogBank,
    Lamp,
    Painter,
    Plume,
    Rain,
    Tremble,
    Walker,
    WetLens,
    render,
)
from tests.fakes.smoke_watch import SmokeWatch
from tests.fakes.tracks import followed
from vision.cues.veils import read_size


class Yard(SmokeWatch):
    """Rendered pictures, and who watches them."""

    def __init__(self, *, where: str = "street") -> None:
        super().__init__()
        self.random = np.random.default_rng(1)
        self.where = where
        self.seq = 0

    def show(
        self, painters: Sequence[Painter], *, until_s: float, tracks: tuple[Track, ...] = ()
    ) -> list[RuleEvent]:
        while self.seq < until_s * FPS:
            pixels = render(painters, self.seq / FPS, self.random, where=self.where)
            self.look(Frame(header=header(self.seq), pixels_HW3=pixels), tracks=tracks)
            self.seq += 1
        return self.events

    def regions(self) -> list[Track]:
        return [region for seen in self.seen for region in seen.regions()]


@pytest.mark.parametrize(
    ("plume", "where"),
    [
        pytest.param(Plume(), "street", id="light"),
        pytest.param(Plume(), "lobby", id="light, indoors"),
        pytest.param(Plume(colour=DARK), "wall", id="dark"),
        pytest.param(Plume(thickness=0.6), "yard", id="thin"),
        pytest.param(Plume(wind=0.08), "street", id="in the wind"),
        pytest.param(Plume(thickness=3, rise=0.12, wide=0.07), "yard", id="much of it"),
    ],
)
def test_smoke_is_reported_once_where_it_rises(plume: Plume, where: str) -> None:
    yard = Yard(where=where)

    [event] = yard.show([plume], until_s=18)

    assert plume.starts_s <= event.since_s <= plume.starts_s + 5
    assert event.monotonic_s <= plume.starts_s + 12
    assert event.value >= event.threshold
    region = next(one for one in yard.seen[-1].regions() if one.track_id == event.track_id)
    assert region.label == "smoke"
    left, top, right, bottom = region.last.box
    assert left - 0.03 < plume.foot[0] < right + 0.03
    assert top < 0.4
    assert bottom == pytest.approx(plume.foot[1], abs=0.12)


@pytest.mark.parametrize(
    "painter",
    [
        pytest.param(FogBank(), id="fog over all of it"),
        pytest.param(FogBank(within_s=20, most=0.8), id="fog that comes slowly"),
        pytest.param(CloudShadow(), id="the shadow of a cloud"),
        pytest.param(CloudShadow(stops_s=10), id="a shadow that stays"),
        pytest.param(Walker(way=[(4, -0.1, 0.8), (14, 1.1, 0.8)]), id="a walker in grey"),
        pytest.param(
            Walker(way=[(4, -0.1, 0.8), (8, 0.5, 0.8), (24, 0.5, 0.8)]), id="somebody who stands"
        ),
        pytest.param(Plume(ends_s=6), id="a puff"),
        pytest.param(Flag(), id="a flag"),
        pytest.param(Lamp(), id="a lamp that goes on"),
        pytest.param(Lamp(gain=0.4), id="a lamp that goes out"),
        pytest.param(Lamp(every_s=2), id="a lamp that blinks slowly"),
        pytest.param(Defocus(), id="a lens out of focus"),
        pytest.param(WetLens(), id="a drop on the lens"),
        pytest.param(Rain(), id="rain"),
        pytest.param(Tremble(), id="a camera that trembles"),
        pytest.param(Tremble(sigma_px=0.2, turns_px=2), id="a camera that turns"),
    ],
)
def test_what_is_no_smoke_is_not_reported(painter: Painter) -> None:
    assert Yard().show([painter], until_s=24) == []


def test_steam_is_told_as_smoke() -> None:
    """Nothing tells them apart from afar; the words say so."""
    steam = Plume(colour=(235.0, 235.0, 235.0), rise=0.12, spread=0.03)

    assert len(Yard().show([steam], until_s=20)) == 1


def test_smoke_before_which_somebody_walks_is_still_reported() -> None:
    walker = Walker(way=[(9, -0.1, 0.8), (15, 1.1, 0.8)])

    assert len(Yard().show([Plume(), walker], until_s=24)) == 1


def test_a_veil_where_somebody_is_followed_is_his() -> None:
    somebody = followed([(0.0, (0.5, 0.9))])
    covering = replace(somebody, points=(replace(somebody.last, box=(0.2, 0.0, 0.8, 0.9)),), hits=3)

    assert Yard().show([Plume()], until_s=20, tracks=(covering,)) == []


def test_what_nobody_could_name_does_not_hide_smoke() -> None:
    thing = followed([(0.0, (0.5, 0.9))], label="object")
    around = replace(thing, points=(replace(thing.last, box=(0.2, 0.0, 0.8, 0.9)),), hits=3)

    assert len(Yard().show([Plume()], until_s=20, tracks=(around,))) == 1


def test_two_plumes_are_two_events() -> None:
    two = [Plume(foot=(0.2, 0.75)), Plume(foot=(0.8, 0.75), seed=2)]

    events = Yard().show(two, until_s=20)

    assert len({event.track_id for event in events}) == len(events) == 2


def test_smoke_that_is_over_ends() -> None:
    yard = Yard()
    yard.show([Plume(ends_s=15)], until_s=45)

    states = [region.state for region in yard.regions()]

    assert states[-1] is TrackState.ENDED
    assert yard.rule.present() == frozenset()


def test_a_still_scene_is_read_once_a_second_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def counted(pixels_HW3: BgrImage) -> BgrImage:
        sizes.append(pixels_HW3.size)
        return read_size(pixels_HW3)

    monkeypatch.setattr("vision.cues.smoke.read_size", counted)

    Yard().show([], until_s=20)

    assert len(sizes) <= 32


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (9, 7)])
def test_tiny_pictures_do_not_smoke(size: tuple[int, int]) -> None:
    yard = Yard()
    for seq in range(40):
        pixels = np.full((size[1], size[0], 3), 40 + 4 * seq, np.uint8)
        yard.look(Frame(header=header(seq), pixels_HW3=pixels))

    assert yard.regions() == []


def test_a_change_of_resolution_begins_anew() -> None:
    yard = Yard()
    yard.show([Plume()], until_s=9)
    yard.look(Frame(header=header(yard.seq), pixels_HW3=np.full((96, 160, 3), 200, np.uint8)))
    yard.seq += 1

    assert yard.show([Plume()], until_s=12) == []


def test_frames_that_go_back_in_time_change_nothing() -> None:
    yard = Yard()
    yard.show([Plume()], until_s=8)
    yard.look(Frame(header=header(99, at_s=1.0), pixels_HW3=np.zeros((180, 320, 3), np.uint8)))

    [event] = yard.show([Plume()], until_s=20)

    assert event.since_s < 10
