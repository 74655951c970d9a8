"""A rule replayed on what is stored says what it said live: same events, to the last bit."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contracts.detections import ANY_LABEL
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, SceneRules
from contracts.tracks import Track
from tests.fakes.street_life import EVERY_KIND, Frames, street
from tests.fakes.track_archives import recorded
from vision.archive.codec import encode_segment, read_segments
from vision.archive.columns import StoredTracks
from vision.backtest.plans import REPLAYED
from vision.backtest.replay import replay_rules
from vision.backtest.sitting import Sitting
from vision.grid import on_grid
from vision.observation import Observation
from vision.watch import Watch


def live(frames: Frames, scene: SceneRules, time_zone: tzinfo | None = UTC) -> list[RuleEvent]:
    watch = Watch(scene, time_zone=time_zone)
    return [
        event
        for header, tracks in frames
        for event in watch.look(Observation(header=header, tracks=tracks)).events
    ]


def replayed(frames: Frames, scene: SceneRules, time_zone: tzinfo | None = UTC) -> list[RuleEvent]:
    [stored] = read_segments(encode_segment(recorded(frames)))
    assert isinstance(stored, StoredTracks)
    replays = replay_rules(Sitting(stored), scene, time_zone=time_zone)
    said = [
        (one.frame, order, one.event) for order, each in enumerate(replays) for one in each.said
    ]
    return [event for _, _, event in sorted(said, key=lambda one: one[:2])]


def differences(first: Sequence[RuleEvent], second: Sequence[RuleEvent]) -> list[str]:
    return [
        f"{'live' if event in first else 'replay'} only: {event.rule_id} {event.track_id} "
        f"{event.monotonic_s:.3f} since {event.since_s:.3f} value {event.value}"
        for event in (*first, *second)
        if (event in first) is not (event in second)
    ]


def test_every_kind_that_is_replayed_is_compared() -> None:
    assert {rule.kind for rule in EVERY_KIND.rules} == REPLAYED


@pytest.mark.parametrize("seed", range(12))
def test_the_replay_says_what_was_said_live(seed: int) -> None:
    frames = street(seed, count=10, until_s=90.0)
    said = live(frames, EVERY_KIND)

    assert differences(said, replayed(frames, EVERY_KIND)) == []
    assert replayed(frames, EVERY_KIND) == said


@pytest.mark.parametrize("seed", range(4))
def test_what_nobody_could_name_is_replayed_too(seed: int) -> None:
    frames: Frames = [
        (header, [replace(track, label=ANY_LABEL) for track in tracks])
        for header, tracks in street(seed, count=10, until_s=90.0)
    ]
    said = live(frames, EVERY_KIND)

    assert differences(said, replayed(frames, EVERY_KIND)) == []
    assert {event.kind for event in said} >= {RuleKind.INTRUSION, RuleKind.LINE_CROSS}


def without_legs(track: Track, *, is_named: bool) -> Track:
    """The same, seen down to the waist only in two of three frames."""
    points = []
    for point in track.points:
        x1, y1, x2, y2 = point.box
        if zlib.crc32(f"{track.track_id} {point.seq}".encode()) % 3:
            point = replace(point, box=on_grid((x1, y1, x2, y1 + 0.5 * (y2 - y1))))
        points.append(point)
    label = track.label if is_named else ANY_LABEL
    return replace(track, label=label, points=tuple(points))


@pytest.mark.parametrize("is_named", [False, True], ids=["object", "named"])
@pytest.mark.parametrize("seed", range(4))
def test_whose_legs_come_and_go_is_replayed_too(seed: int, *, is_named: bool) -> None:
    frames: Frames = [
        (header, [without_legs(track, is_named=is_named) for track in tracks])
        for header, tracks in street(seed, count=10, until_s=60.0)
    ]
    said = live(frames, EVERY_KIND)

    assert differences(said, replayed(frames, EVERY_KIND)) == []


def test_each_kind_speaks_in_some_of_the_scenes() -> None:
    """Otherwise the comparison would compare silence with silence."""
    said = [event for seed in range(12) for event in live(street(seed, count=10), EVERY_KIND)]

    assert {event.kind for event in said} == REPLAYED


def varied(kind: RuleKind, *, factor: float, hours: tuple[str, ...]) -> SceneRules:
    """The rules of a kind, and those that it hears, with other times and hours."""
    wanted = {kind}
    if kind is RuleKind.SEQUENCE:
        wanted |= {RuleKind.ZONE_ENTRY, RuleKind.LINE_CROSS, RuleKind.LOITER}
    rules = tuple(
        replace(
            rule,
            schedule=hours,
            params={
                name: factor * value
                if name.endswith(("_s", "_mps")) and not isinstance(value, str)
                else value
                for name, value in rule.params.items()
            },
        )
        for rule in EVERY_KIND.rules
        if rule.kind in wanted
    )
    return replace(EVERY_KIND, rules=rules)


# A seed does not shrink to anything simpler.
@pytest.mark.parametrize("kind", sorted(REPLAYED))
@settings(max_examples=4, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 14),
    factor=st.floats(0.25, 4.0),
    hours=st.sampled_from([(), ("00:00-12:01",), ("12:01-12:02", "12:03-24:00")]),
)
def test_whatever_moves_and_whenever_the_rule_is_at_work(
    kind: RuleKind, seed: int, count: int, factor: float, hours: tuple[str, ...]
) -> None:
    frames = street(seed, count=count, until_s=150.0)
    scene = varied(kind, factor=factor, hours=hours)
    said = live(frames, scene)

    again = replayed(frames, scene)
    assert differences(said, again) == []
    assert again == said


def test_long_stays_are_read_though_tracks_forget() -> None:
    """A track remembers three minutes; whoever loiters for ten was there at their beginning."""
    frames = street(5, count=6, until_s=900.0, stalls=False)
    scene = replace(
        EVERY_KIND,
        rules=(
            replace(EVERY_KIND.rules[3], params={"threshold_s": 300.0, "grace_s": 200.0}),
            *EVERY_KIND.rules[7:10],
        ),
    )

    assert differences(live(frames, scene), replayed(frames, scene)) == []
