"""Stories about ways: lines that are crossed, wrong directions, paces; and look-alikes."""

import itertools
import math

from contracts.geometry import Line, Point, Zone, segment_distance
from contracts.rules import RuleKind
from moe_core.training.world.actors import Way
from moe_core.training.world.script import Script

BODY_M = 1.7
LEFT = "left"
RIGHT = "right"
BOTH = "both"


def line_cross(script: Script, *, is_real: bool) -> None:
    """Somebody crosses a line."""
    line = script.line()
    direction = script.pick(BOTH, LEFT, RIGHT)
    labels = ((), ("person",))[int(script.rng.integers(2))]
    script.rule(RuleKind.LINE_CROSS, line=line, labels=labels, params={"direction": direction})
    side = direction if direction != BOTH else script.pick(LEFT, RIGHT)
    if is_real:
        way, crosses_s = across(script, line, to=side, begins_s=script.between(1, 8))
        script.expect(RuleKind.LINE_CROSS, script.add(way), crosses_s)
        return
    kind = script.pick("along", "along", "touch", "touch", "ghost", "ghost", "back", "animal")
    if kind == "along":
        along(script, line)
    elif kind == "touch":
        touch(script, line, side=side)
    elif kind == "ghost":
        for _ in range(2):
            point = beside(line, script.between(0.2, 0.8), script.between(-0.01, 0.01))
            actor = script.ghost(place_of(script, point), at_s=script.between(0, 5), lasts_s=25)
            actor.sway_m = script.between(0.2, 0.9)
    elif kind == "back" and direction != BOTH:
        other = LEFT if side == RIGHT else RIGHT
        script.add(across(script, line, to=other, begins_s=script.between(1, 8))[0])
        along(script, line)
    elif labels and kind == "animal":
        way, _ = across(script, line, to=side, begins_s=script.between(1, 6))
        called = script.pick("person", "person", "dog")
        script.add(way, label="dog", called=called, size=script.between(1.0, 1.5))
    else:
        along(script, line)


def tailgate(script: Script, *, is_real: bool) -> None:
    """Somebody follows another over a line before it can close again."""
    line = script.line()
    within_s = round(script.between(1.0, 3.0), 1)
    script.rule(RuleKind.TAILGATE, line=line, labels=("person",), params={"within_s": within_s})
    side = script.pick(LEFT, RIGHT)
    pace = script.between(0.9, 1.4)
    way, crosses_s = across(script, line, to=side, begins_s=script.between(1, 6), pace=pace)
    script.add(way)
    kind = "" if is_real else script.pick("late", "late", "late", "shadow", "shadow", "turns")
    if kind in ("", "late"):
        share = script.between(0.25, 0.9) if is_real else script.between(1.06, 1.6)
        gap_s = within_s * share
        by = (script.between(-0.4, 0.4), script.between(-0.3, 0.3))
        second = script.add(way.shifted(by, later_s=gap_s))
        if is_real:
            script.expect(RuleKind.TAILGATE, second, crosses_s + gap_s)
    elif kind == "shadow":
        by = (script.between(0.5, 1.0) * (1 if script.chance(0.5) else -1), script.between(-0.5, 0))
        shadow = way.shifted(by, later_s=script.between(0, 0.4))
        script.add(
            shadow, called=script.pick("person", "object"), is_ghost=True, sway_m=0.08,
            shown=script.between(0.7, 1.0), doubt=script.between(0, 1.5), size=0.8,
        )  # fmt: skip
    else:
        touch(script, line, side=side)


def wrong_way(script: Script, *, is_real: bool) -> None:
    """Somebody goes against the direction that is allowed."""
    zone = script.zone(size=1.3) if script.chance(0.5) else None
    base = round(script.between(0.06, 0.12), 2)
    threshold = float(script.rng.choice([110, 120, 120, 135]))
    start, end = script.beyond(side=-1), script.beyond(side=1)
    if zone is not None:
        middle = script.inside(zone)
        start, end = (script.beyond(middle[1], side=side) for side in (-1, 1))
    if script.chance(0.5):
        start, end = end, start
    view = script.site.view
    allowed = _degrees(view.foot(*start), view.foot(*end), view.aspect)
    script.rule(
        RuleKind.WRONG_WAY, zone=zone, labels=script_labels(script),
        params={"direction": round(allowed, 1), "base": base, "threshold_deg": threshold},
    )  # fmt: skip
    label, pace = ("car", script.between(2, 7)) if script.chance(0.4) else ("person", 0.0)
    begins_s = script.between(1, 8)
    if is_real:
        way = script.walk(end, at_s=begins_s, pace=pace).to(start)
        actor = script.add(way, label=label)
        script.expect(RuleKind.WRONG_WAY, actor, begins_s + 2.0)
        return
    kind = script.pick("steps back", "steps back", "across", "ghost", "queue")
    if kind == "steps back":
        for _ in range(2):
            _stepping_back(script, start, end, begins_s)
            begins_s += script.between(2, 5)
    elif kind == "across":
        _going_across(script, zone, allowed, threshold)
    elif kind == "queue":
        way = script.walk(start, at_s=begins_s, pace=script.between(1.0, 1.4)).to(end)
        for number in range(1, 5):
            script.add(way.shifted((0.0, 0.2 * number), later_s=number * script.between(0.8, 1.6)))
    else:
        way = script.walk(end, at_s=begins_s, pace=script.between(0.6, 2)).to(start)
        script.add(
            way, called=script.pick("person", "object", "car"), is_ghost=True,
            sway_m=script.between(0.1, 0.6), shown=script.between(0.5, 0.9),
            doubt=script.between(0.5, 2), size=script.between(0.4, 1.0),
        )  # fmt: skip


def running(script: Script, *, is_real: bool) -> None:
    """Somebody runs."""
    zone = script.zone(size=1.8) if not is_real and script.chance(0.25) else None
    threshold = round(script.between(1.3, 1.9), 2)
    script.rule(RuleKind.RUNNING, zone=zone, params={"threshold": threshold})
    begins_s = script.between(1, 10)
    z = script.inside(zone)[1] if zone else _far_enough(script, crosses_m=6.5 * threshold * BODY_M)
    side = 1 if script.chance(0.5) else -1
    start, end = script.beyond(z, side=side), script.beyond(z + script.between(-2, 2), side=-side)
    fast = threshold * BODY_M
    if is_real:
        pace = fast * script.between(1.12, 1.9)
        way = script.walk(start, at_s=begins_s, pace=pace).to(end, spread=0.04)
        script.expect(RuleKind.RUNNING, script.add(way), begins_s + 1.5)
        return
    kind = script.pick("brisk", "brisk", "brisk", "bicycle", "dog", "passing", "ghost")
    if kind == "brisk":
        for _ in range(2):
            pace = fast * script.between(0.75, 0.95)
            script.add(script.walk(start, at_s=begins_s, pace=pace).to(end, spread=0.03))
            begins_s += script.between(2, 6)
            start, end = end, start
    elif kind in ("bicycle", "dog"):
        way = script.walk(start, at_s=begins_s, pace=script.between(3, 6)).to(end)
        called = "person" if script.chance(0.7) else kind
        script.add(way, label=kind, called=called, size=1.2 if kind == "dog" else 1.0)
    elif kind == "passing":
        way = script.walk(start, at_s=begins_s, pace=script.between(1.2, 1.6)).to(end)
        for number in range(1, 6):
            by = (script.between(-0.3, 0.3), script.between(-0.5, 0.5))
            script.add(way.shifted(by, later_s=number * script.between(0.5, 1.2)))
    else:
        way = script.walk(start, at_s=begins_s, pace=script.between(2.5, 6)).to(end)
        script.add(
            way, called="person", is_ghost=True, sway_m=script.between(0.1, 0.5),
            shown=script.between(0.6, 1), doubt=script.between(0, 1.5), size=script.between(0.4, 1),
        )  # fmt: skip


def speed(script: Script, *, is_real: bool) -> None:
    """A car is faster than is allowed; the site is calibrated."""
    threshold = round(script.between(4.0, 9.0), 2)
    labels = ((), ("vehicle",))[int(script.rng.integers(2))]
    z = _far_enough(script, crosses_m=4.0 * threshold)
    threshold = round(max(2.0, min(threshold, script.site.view.half_width_m(z) / 2)), 2)
    script.rule(RuleKind.SPEED, labels=labels, params={"threshold_mps": threshold})
    side = 1 if script.chance(0.5) else -1
    for _ in range(1 if is_real else 3):
        share = script.between(1.08, 1.7) if is_real else script.between(0.8, 0.97)
        begins_s = script.between(1, script.seconds - 10)
        start, end = script.beyond(z, side=side), script.beyond(z, side=-side)
        far = (start[0] * 1.5, z), (end[0] * 1.5, z)
        way = script.walk(far[0], at_s=begins_s, pace=threshold * share).to(far[1], spread=0.015)
        actor = script.add(way, label="car", sway_m=0.02)
        if is_real:
            script.expect(RuleKind.SPEED, actor, begins_s + 1.5)
        side = -side


# Ways beside lines.


def across(
    script: Script, line: Line, *, to: str, begins_s: float, pace: float = 0.0
) -> tuple[Way, float]:
    """Return a way over a line to one of its sides, and when it is on the line."""
    share = script.between(0.25, 0.75)
    far = script.between(0.1, 0.24)
    sign = 1.0 if to == RIGHT else -1.0
    before = place_of(script, beside(line, share + script.between(-0.1, 0.1), -sign * far))
    on = place_of(script, beside(line, share, 0.0))
    after = place_of(script, beside(line, share + script.between(-0.1, 0.1), sign * far))
    way = script.walk(before, at_s=begins_s, pace=pace).to(on)
    crosses_s = way.now_s
    return way.to(after).wait(script.between(0, 3)), crosses_s


def along(script: Script, line: Line) -> None:
    """Go along a line and stand there, without crossing it."""
    for sign in (1, -1):
        aside = sign * script.between(0.006, 0.022)
        first, second = (
            place_of(script, beside(line, 0.1, aside)),
            place_of(script, beside(line, 0.9, aside)),
        )
        if script.chance(0.5):
            first, second = second, first
        way = script.walk(first, at_s=script.between(0, 8)).wait(script.between(0, 5))
        way.to(second).wait(script.between(0, 5)).to(first)
        script.add(way)


def touch(script: Script, line: Line, *, side: str) -> None:
    """Come up to a line, stand there, and turn back."""
    sign = 1.0 if side == RIGHT else -1.0
    for _ in range(2):
        share = script.between(0.2, 0.8)
        away = place_of(script, beside(line, share, -sign * script.between(0.08, 0.16)))
        near = place_of(script, beside(line, share, -sign * script.between(0.001, 0.012)))
        way = script.walk(away, at_s=script.between(0, 8)).to(near)
        way.wait(script.between(0.3, 6)).to(away)
        script.add(way)


def beside(line: Line, share: float, aside: float) -> Point:
    """Return the point at a share of a line, so far to its right in the picture."""
    points = line.points
    lengths = [math.dist(a, b) for a, b in itertools.pairwise(points)]
    left = max(0.0, min(1.0, share)) * sum(lengths)
    for index, length in enumerate(lengths):
        if left <= length or index == len(lengths) - 1:
            part = min(1.0, left / length)
            (x1, y1), (x2, y2) = points[index], points[index + 1]
            along_x, along_y = (x2 - x1) / length, (y2 - y1) / length
            return (
                x1 + part * (x2 - x1) - aside * along_y,
                y1 + part * (y2 - y1) + aside * along_x,
            )
        left -= length
    return points[-1]


def place_of(script: Script, point: Point) -> Point:
    """Return the place of the ground at a point, kept where people can be seen."""
    row = max(script.site.view.foot(0.0, 1.2 * script.site.far_m)[1], min(0.99, point[1]))
    place = script.site.view.ground((min(0.99, max(0.01, point[0])), row))
    return place if place is not None else script.anywhere()


def distance_to(line: Line, point: Point) -> float:
    """Return how far a point is from a line."""
    pairs = zip(line.points, line.points[1:], strict=False)
    return min(segment_distance(point, first, second) for first, second in pairs)


def script_labels(script: Script) -> tuple[str, ...]:
    """Return whom a rule about anything that moves may be about."""
    return ((), ("person", "vehicle"))[int(script.rng.integers(2))]


def _stepping_back(script: Script, start: Point, end: Point, begins_s: float) -> None:
    """Go the allowed way, with a few steps back."""
    share = script.between(0.35, 0.7)
    turn = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
    length = math.dist(start, end)
    back = script.between(0.4, 1.4) / length
    behind = (turn[0] - back * (end[0] - start[0]), turn[1] - back * (end[1] - start[1]))
    way = script.walk(start, at_s=begins_s).to(turn).wait(0.5).to(behind).wait(1.0).to(end)
    script.add(way)


def _going_across(script: Script, zone: Zone | None, allowed: float, threshold: float) -> None:
    """Go slantwise, a little less against the allowed way than is asked."""
    view = script.site.view
    middle = script.inside(zone) if zone is not None else script.anywhere()
    foot = view.foot(*middle)
    for _ in range(2):
        sign = 1 if script.chance(0.5) else -1
        heading = math.radians(allowed + sign * (threshold - script.between(4, 25)))
        step = 0.25
        across, down = step * math.sin(heading) / view.aspect, -step * math.cos(heading)
        first = place_of(script, (foot[0] - across, foot[1] - down))
        second = place_of(script, (foot[0] + across, foot[1] + down))
        script.add(script.walk(first, at_s=script.between(0, 8)).to(second))


def _degrees(start: Point, end: Point, aspect: float) -> float:
    return math.degrees(math.atan2((end[0] - start[0]) * aspect, start[1] - end[1])) % 360


def _far_enough(script: Script, *, crosses_m: float) -> float:
    """Return a distance at which so much of the ground, if that can be, fits into the picture."""
    site = script.site
    for _ in range(20):
        z = script.between(site.near_m + 1, site.far_m)
        if 2 * site.view.half_width_m(z) >= crosses_m:
            return z
    return site.far_m
