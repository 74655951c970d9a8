"""A camera's rules together: sequences, quiet rules, hours, and what nobody can foresee."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.frames import FrameHeader
from contracts.geometry import Line, Point, Zone
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings, SceneRules
from contracts.tracks import Track
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.tracks import followed, header_at, missed, observed, straight
from tests.vision.rules.test_registry import NEEDED, SQUARE
from vision.rules.registry import RULES
from vision.watch import Watch

DOCK = Zone(zone_id="dock", polygon=RIGHT_HALF)
GATE = Line(line_id="gate", points=((0.3, 0.9), (0.3, 0.3)))
ACROSS = straight((0.1, 0.6), (0.9, 0.6), until_s=4.0)
"""Over the gate at 1 s, into the dock at 2 s."""
CROSS = RuleSettings(rule_id="over", kind=RuleKind.LINE_CROSS, line_id="gate")
ENTER = RuleSettings(rule_id="into", kind=RuleKind.ZONE_ENTRY, zone_id="dock")
BOTH = RuleSettings(
    rule_id="both",
    kind=RuleKind.SEQUENCE,
    params={"first": "over", "then": "into", "within_s": 5.0},
)


def scene(*rules: RuleSettings) -> SceneRules:
    return SceneRules(zones=(DOCK,), lines=(GATE,), rules=rules, calibration=SQUARE)


def watched(
    watch: Watch,
    ways: dict[str, list[tuple[float, Point]]],
    *,
    began: datetime | None = None,
) -> list[RuleEvent]:
    """Show all frames of the tracks, which may begin at some time of day; all it says."""
    events: list[RuleEvent] = []
    for now_s in sorted({at_s for way in ways.values() for at_s, _ in way}):
        header = header_at(now_s)
        if began is not None:
            header = replace(header, captured_at=began + timedelta(seconds=now_s))
        tracks = [
            followed([(at, foot) for at, foot in way if at <= now_s], track_id=name)
            for name, way in ways.items()
            if way[0][0] <= now_s <= way[-1][0]
        ]
        events += watch.look(observed(tracks, header)).events
    return events


def kinds(events: Sequence[RuleEvent]) -> list[str]:
    return [event.rule_id for event in events]


def test_a_sequence_is_what_its_rules_say_in_order_and_in_time() -> None:
    events = watched(Watch(scene(BOTH, CROSS, ENTER)), {"t1": ACROSS})

    assert kinds(events) == ["over", "into", "both"]
    both = events[-1]
    assert both.value == pytest.approx(1.0, abs=0.2)
    assert both.threshold == 5.0
    assert both.margin == pytest.approx(4.0, abs=0.2)
    assert both.since_s == pytest.approx(1.0, abs=0.01)
    assert both.detail == {"first": "over", "then": "into"}


def test_the_other_way_round_or_too_late_it_is_none() -> None:
    back = list(zip([at for at, _ in ACROSS], [foot for _, foot in ACROSS[::-1]], strict=True))
    slow = [(at * 8, foot) for at, foot in ACROSS]

    assert "both" not in kinds(watched(Watch(scene(BOTH, CROSS, ENTER)), {"t1": back}))
    assert "both" not in kinds(watched(Watch(scene(BOTH, CROSS, ENTER)), {"t1": slow}))


def test_a_sequence_is_of_one_track_unless_anybody_counts() -> None:
    over = straight((0.1, 0.5), (0.45, 0.5), until_s=2.0)
    into = straight((0.4, 0.8), (0.9, 0.8), from_s=1.0, until_s=3.0)
    anybody = replace(BOTH, params={**BOTH.params, "who": "any"})

    assert "both" not in kinds(watched(Watch(scene(BOTH, CROSS, ENTER)), {"t1": over, "t2": into}))
    events = watched(Watch(scene(anybody, CROSS, ENTER)), {"t1": over, "t2": into})
    assert (events[-1].track_id, events[-1].other_track_ids) == ("t2", ("t1",))


def test_a_sequence_in_a_zone_needs_both_to_stand_in_it() -> None:
    narrowed = replace(BOTH, zone_id="dock")

    assert "both" not in kinds(watched(Watch(scene(narrowed, CROSS, ENTER)), {"t1": ACROSS}))


def test_quiet_rules_are_heard_by_sequences_alone() -> None:
    quiet = [replace(CROSS, is_quiet=True), replace(ENTER, is_quiet=True)]

    assert kinds(watched(Watch(scene(BOTH, *quiet)), {"t1": ACROSS})) == ["both"]


NIGHT = replace(ENTER, schedule=("22:00-06:00",))


@pytest.mark.parametrize(
    ("hour", "said"), [(12, []), (23, ["into"]), (3, ["into"])], ids=["noon", "evening", "night"]
)
def test_outside_its_hours_a_rule_sees_nothing(hour: int, said: list[str]) -> None:
    began = datetime(2026, 3, 2, hour, tzinfo=UTC)

    assert kinds(watched(Watch(scene(NIGHT)), {"t1": ACROSS}, began=began)) == said


def test_what_was_over_before_its_hours_is_no_news_and_what_goes_on_is() -> None:
    stays = [*ACROSS, *[(round(4.2 + 0.2 * step, 6), (0.9, 0.6)) for step in range(20)]]
    guard = RuleSettings(
        rule_id="guard", kind=RuleKind.INTRUSION, zone_id="dock", schedule=NIGHT.schedule
    )
    over = replace(CROSS, schedule=NIGHT.schedule)
    began = datetime(2026, 3, 2, 21, 59, 54, tzinfo=UTC)

    events = watched(Watch(scene(NIGHT, guard, over)), {"t1": stays}, began=began)

    assert kinds(events) == ["guard"]
    assert events[0].monotonic_s == pytest.approx(6.0)
    assert events[0].since_s == pytest.approx(2.0)


def test_where_its_hours_end_nobody_is_present_any_more() -> None:
    day = Watch(scene(replace(ENTER, schedule=("06:00-22:00",))))
    track = followed([(0.0, (0.8, 0.6))])
    late = replace(header_at(0.0), captured_at=datetime(2026, 3, 2, 23, tzinfo=UTC))

    assert day.look(observed([track], late)).present == {"into": frozenset()}


def every_kind() -> Watch:
    rules = tuple(
        RuleSettings(
            rule_id=kind.value,
            kind=kind,
            zone_id="dock" if kind.place == "zone" else "",
            line_id="gate" if kind.place == "line" else "",
            params=NEEDED.get(kind, {}),
        )
        for kind in RULES
    )
    return Watch(scene(*rules))


def test_a_box_that_is_no_number_is_nowhere() -> None:
    """Clamped into the picture it would stand in its corner, and have crossed everything."""
    watch = every_kind()
    track = followed(ACROSS)
    broken = tuple(
        replace(point, box=(math.nan,) * 4) if index % 3 == 1 else point
        for index, point in enumerate(track.points)
    )
    all_broken = tuple(replace(point, box=(math.nan,) * 4) for point in track.points)
    said: list[RuleEvent] = []
    for count in range(1, len(broken) + 1):
        tracks = [
            replace(track, points=broken[:count]),
            replace(track, track_id="t2", points=all_broken[:count]),
        ]
        at_s = broken[count - 1].monotonic_s
        said += watch.look(observed(tracks, header_at(at_s))).events

    assert {event.track_id for event in said} == {"t1"}
    assert [event.kind for event in said].count(RuleKind.LINE_CROSS) == 1
    assert all(math.isfinite(event.value) for event in said)


def test_time_that_stands_still_stops_nothing() -> None:
    watch = every_kind()
    track = followed(ACROSS)
    frozen = tuple(replace(point, monotonic_s=1.0) for point in track.points)

    for count in range(1, len(frozen) + 1):
        header = replace(header_at(1.0), seq=frozen[count - 1].seq)
        for event in watch.look(observed([replace(track, points=frozen[:count])], header)).events:
            assert math.isfinite(event.value)


def test_five_hundred_objects_are_each_judged() -> None:
    watch = every_kind()
    ways = {
        f"t{n}": [(at, (x, 0.31 + 0.001 * n)) for at, (x, _) in ACROSS[::2]] for n in range(500)
    }

    events = watched(watch, ways)

    entered = {event.track_id for event in events if event.kind is RuleKind.ZONE_ENTRY}
    assert len(entered) == 500
    assert sum(event.kind is RuleKind.CROWD for event in events) == 1


Seen = tuple[float, float, bool]


@settings(deadline=None, max_examples=60)
@given(
    ways=st.lists(
        st.lists(
            st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=30
        ),
        min_size=1,
        max_size=4,
    ),
    sizes=st.lists(st.sampled_from([(640, 360), (320, 240), (1, 1)]), min_size=1, max_size=3),
    steps=st.lists(st.sampled_from([0.0, 0.2, 0.2, 0.2, 1.0, 30.0]), min_size=30, max_size=30),
)
def test_whatever_moves_however_rules_say_finite_things_about_those_who_are_there(
    ways: list[list[Seen]], sizes: list[tuple[int, int]], steps: list[float]
) -> None:
    """Time stands still and jumps, pictures change their size, tracks are missed and come back."""
    watch = every_kind()
    times = [sum(steps[:index]) for index in range(30)]
    tracks: dict[str, Track] = {}
    for index in range(30):
        header = _header(times[index], index, sizes)
        for number, way in enumerate(ways):
            if index < len(way):
                name = f"t{number}"
                tracks[name] = _grown(tracks.get(name), name, way[index], header)
        look = watch.look(observed(list(tracks.values()), header))
        for event in look.events:
            assert event.track_id in tracks
            assert math.isfinite(event.value)
            assert math.isfinite(event.sigma)
            assert event.sigma >= 0
            assert event.margin >= -1e-6
            assert event.since_s <= event.monotonic_s + 1e-6
        assert all(names <= tracks.keys() for names in look.present.values())


def _header(at_s: float, index: int, sizes: list[tuple[int, int]]) -> FrameHeader:
    width, height = sizes[index % len(sizes)]
    return replace(header_at(at_s, seq=index), width=width, height=height)


def _grown(track: Track | None, name: str, seen: Seen, header: FrameHeader) -> Track:
    x, y, is_seen = seen
    if track is not None and not is_seen:
        gone = missed(track, header.monotonic_s)
        last = replace(gone.last, seq=header.seq, captured_at=header.captured_at)
        return replace(gone, points=(*gone.points[:-1], last))
    fresh = followed([(header.monotonic_s, (x, y))], track_id=name)
    point = replace(fresh.last, seq=header.seq, captured_at=header.captured_at)
    before = () if track is None else track.points
    first = fresh if track is None else track
    return replace(
        fresh,
        points=(*before, point),
        hits=len(before) + 1,
        first_seen_s=first.first_seen_s,
        first_seen_at=first.first_seen_at,
    )
