from functools import cache

import pytest

from contracts.geometry import Point, segment_distance, standing_point
from contracts.rules import RuleKind
from ingest.sources.scenes.yard_plan import PERIOD_S
from ingest.sources.scenes.yard_truth import (
    BAY,
    GATE,
    LOITER_S,
    ROLLER_DOOR,
    YARD_EVENTS,
    YARD_RULES,
    TrueEvent,
    TrueObject,
    demo_camera,
    yard_truth,
)

STEP_S = 0.1


@cache
def loop() -> tuple[tuple[float, tuple[TrueObject, ...]], ...]:
    times = [round(index * STEP_S, 3) for index in range(round(PERIOD_S / STEP_S))]
    return tuple((t_s, yard_truth(t_s)) for t_s in times)


def stays(zone_id: str) -> list[tuple[str, float, float]]:
    """Object, first and last time of each stay in a zone."""
    zone = YARD_RULES.zone(zone_id)
    found: list[tuple[str, float, float]] = []
    for t_s, seen in loop():
        for thing in seen:
            if zone.contains(standing_point(thing.box)):
                if found and found[-1][0] == thing.object_id and t_s - found[-1][2] < 1.0:
                    found[-1] = (thing.object_id, found[-1][1], t_s)
                else:
                    found.append((thing.object_id, t_s, t_s))
    return found


def side(point: Point) -> bool:
    (x1, y1), (x2, y2) = YARD_RULES.line(GATE).points
    return (x2 - x1) * (point[1] - y1) > (y2 - y1) * (point[0] - x1)


def crossings() -> list[tuple[str, float]]:
    line = YARD_RULES.line(GATE)
    found, sides = [], dict[str, bool]()
    for t_s, seen in loop():
        for thing in seen:
            now = side(thing.foot)
            is_near = segment_distance(thing.foot, *line.points) < 0.05
            if is_near and sides.get(thing.object_id, now) != now:
                found.append((thing.object_id, t_s))
            sides[thing.object_id] = now
    return found


def events(kind: RuleKind) -> list[TrueEvent]:
    return [event for event in YARD_EVENTS if event.kind is kind]


def test_the_yard_is_empty_at_first() -> None:
    assert all(seen == () for t_s, seen in loop() if t_s < 4.0)


def test_only_the_intruder_enters_the_restricted_area_and_soon() -> None:
    [event] = events(RuleKind.INTRUSION)
    [(object_id, start_s, end_s)] = stays(ROLLER_DOOR)
    assert (object_id, start_s, end_s) == pytest.approx(
        (event.object_id, event.start_s, event.end_s), abs=0.11
    )
    assert start_s < 15.0


def test_only_the_loiterer_stays_long_in_the_bay() -> None:
    [event] = events(RuleKind.LOITER)
    long_stays = [stay for stay in stays(BAY) if stay[2] - stay[1] >= LOITER_S]
    assert len(long_stays) == 1
    assert long_stays[0] == pytest.approx((event.object_id, event.start_s, event.end_s), abs=0.11)


def test_others_leave_the_bay_well_before_they_loiter() -> None:
    shorter = [stay for stay in stays(BAY) if stay[0] != "loiterer"]
    assert {stay[0] for stay in shorter} == {"passer_by", "car"}
    assert all(end_s - start_s < LOITER_S - 2.0 for _, start_s, end_s in shorter)


def test_only_the_car_passes_the_gate_in_and_out() -> None:
    expected = [(event.object_id, event.start_s) for event in events(RuleKind.LINE_CROSS)]
    found = crossings()
    assert [object_id for object_id, _ in found] == [object_id for object_id, _ in expected]
    assert [at_s for _, at_s in found] == pytest.approx([at_s for _, at_s in expected], abs=0.11)


def test_every_event_is_about_a_configured_rule() -> None:
    places = {(rule.kind, rule.zone_id or rule.line_id) for rule in YARD_RULES.rules}
    assert {(event.kind, event.place_id) for event in YARD_EVENTS} == places


def test_the_bag_stays_when_its_owner_is_gone() -> None:
    last = [thing.object_id for thing in loop()[-1][1]]
    assert last == ["bag"]


def test_boxes_lie_in_the_picture_and_ids_are_unique() -> None:
    for _, seen in loop():
        assert len({thing.object_id for thing in seen}) == len(seen)
        for thing in seen:
            left, top, right, bottom = thing.box
            assert 0.0 <= left < right <= 1.0
            assert 0.0 <= top < bottom <= 1.0
            assert thing.label in ("person", "car", "bag")


def test_the_demo_camera_watches_the_yard() -> None:
    camera = demo_camera()
    assert (camera.camera_id, camera.name, camera.scene) == ("yard", "Demo yard", YARD_RULES)
