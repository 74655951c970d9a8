"""Stories about zones: who goes in, stays or leaves, and what only looks like it."""

import math
from collections.abc import Callable, Sequence

from contracts.geometry import Point, Zone
from contracts.rules import RuleKind
from moe_core.training.world.actors import Blind, Way
from moe_core.training.world.script import Light, Script

PEOPLE = ("person",)


def intrusion(script: Script, *, is_real: bool) -> None:
    """Somebody is where nobody may be."""
    zone = script.zone()
    threshold_s = round(script.between(0.3, 3.0), 1)
    labels = ((), PEOPLE, PEOPLE, ("person", "vehicle"))[int(script.rng.integers(4))]
    script.rule(RuleKind.INTRUSION, zone=zone, labels=labels, params={"threshold_s": threshold_s})
    if not is_real:
        _look_alike(script, zone, labels, (edge, edge, ghost_inside, ghost_inside, animal, wall))
        return
    begins_s = script.between(1, 0.3 * script.seconds)
    stays_s = threshold_s + script.between(0.4, 12)
    if "vehicle" in labels and script.chance(0.4):
        way = script.walk(at_s=begins_s, pace=script.between(2, 6)).to(script.inside(zone))
        came_s = way.now_s
        actor = script.add(way.wait(stays_s).to(script.beyond()), label="car")
    else:
        way, came_s = visit(script, zone, begins_s=begins_s, stays_s=stays_s)
        actor = script.add(way)
    script.expect(RuleKind.INTRUSION, actor, came_s)
    if script.chance(0.2):
        friend = script.add(way.shifted((0.8, 0.3), later_s=0.4))
        script.expect(RuleKind.INTRUSION, friend, came_s)


def zone_entry(script: Script, *, is_real: bool) -> None:
    """Somebody comes into a zone."""
    zone = script.zone()
    labels = ((), PEOPLE)[int(script.rng.integers(2))]
    script.rule(RuleKind.ZONE_ENTRY, zone=zone, labels=labels)
    if not is_real:
        _look_alike(script, zone, labels, (edge, edge, ghost_inside, animal, wall))
        return
    way, came_s = visit(script, zone, begins_s=script.between(1, 8), stays_s=script.between(0.5, 8))
    script.expect(RuleKind.ZONE_ENTRY, script.add(way), came_s)


def zone_exit(script: Script, *, is_real: bool) -> None:
    """Somebody leaves a zone."""
    zone = script.zone()
    script.rule(RuleKind.ZONE_EXIT, zone=zone, labels=PEOPLE)
    start = script.inside(zone)
    if is_real:
        way = script.walk(start, at_s=script.between(0, 3)).wait(script.between(3, 10))
        left_s = way.now_s
        way.to(script.anywhere(avoid=[zone])).wait(script.between(1.5, 6)).to(script.beyond())
        script.expect(RuleKind.ZONE_EXIT, script.add(way), left_s)
        return
    for _ in range(2):
        way = script.walk(start, at_s=0.0)
        for _ in range(int(script.rng.integers(2, 5))):
            way.wait(script.between(1, 3)).to(script.depth_in(zone, -0.006, 0.012))
            way.wait(script.between(0.5, 4)).to(script.inside(zone))
        script.add(way.wait(script.seconds))
        start = script.depth_in(zone, -0.005, 0.015)
    ghost_inside(script, zone)


def loiter(script: Script, *, is_real: bool) -> None:
    """Somebody stays in a zone for longer than it takes to pass."""
    zone = script.zone()
    threshold_s = round(script.between(4, 14), 1)
    labels = ((), PEOPLE, PEOPLE)[int(script.rng.integers(3))]
    script.rule(RuleKind.LOITER, zone=zone, labels=labels, params={"threshold_s": threshold_s})
    if is_real:
        stays_s = threshold_s + script.between(0.5, 10)
        way, came_s = visit(script, zone, begins_s=script.between(0.5, 6), stays_s=stays_s)
        script.expect(RuleKind.LOITER, script.add(way), came_s + threshold_s)
        return
    kind = script.pick("short", "relay", "relay", "edge", "ghost", "ghost", "animal", "queue")
    if kind == "short":
        stays_s = max(1.0, threshold_s * script.between(0.6, 0.95) - 1.5)
        script.add(visit(script, zone, begins_s=script.between(0.5, 6), stays_s=stays_s)[0])
    elif kind in ("relay", "queue"):
        _relay(script, zone, threshold_s, count=2 if kind == "relay" else 4)
    elif kind == "edge":
        edge(script, zone)
    elif kind == "ghost":
        ghost_inside(script, zone)
    else:
        animal(script, zone)
    _lights(script)


def visit(script: Script, zone: Zone, *, begins_s: float, stays_s: float) -> tuple[Way, float]:
    """Return a way into a zone, about in it for so long, and out again; and when it is in."""
    way = script.walk(at_s=begins_s).to(script.inside(zone))
    came_s = way.now_s
    over_s = came_s + stays_s
    while way.now_s < over_s:
        way.wait(min(over_s - way.now_s, script.between(0.5, 6)))
        step = script.inside(zone)
        pace = script.between(0.4, 1.0)
        if script.chance(0.6) and way.now_s + math.dist(way.at, step) / pace < over_s:
            way.to(step, pace=pace)
    way.to(script.beyond())
    return way, came_s


def edge(script: Script, zone: Zone) -> None:
    """People go along the edge of a zone, or stand there, without coming in."""
    for _ in range(int(script.rng.integers(1, 4))):
        near = script.depth_in(zone, -0.03, -0.003)
        way = script.walk(clear_of(script, zone, near), at_s=script.between(0, 6)).to(near)
        for _ in range(int(script.rng.integers(1, 4))):
            way.wait(script.between(0.5, 9))
            near = script.depth_in(zone, -0.025, -0.003)
            if not script.leads_through(way.at, near, [smaller(zone)]):
                way.to(near, pace=script.between(0.4, 1.2))
        script.add(way.to(clear_of(script, zone, way.at)))


def clear_of(script: Script, zone: Zone, place: Point) -> Point:
    """Return a place out of the picture from which the way to another leads past a zone."""
    inner = smaller(zone)
    for _ in range(12):
        start = script.beyond()
        if not script.leads_through(start, place, [inner]):
            return start
    return place


def ghost_inside(script: Script, zone: Zone) -> None:
    """A branch, a shadow or a reflection in a zone looks like somebody."""
    begins_s = script.between(0, 8)
    script.ghost(
        script.inside(zone), at_s=begins_s, lasts_s=script.between(4, script.seconds - begins_s)
    )
    _lights(script)


def animal(script: Script, zone: Zone) -> None:
    """A dog or a cat in a zone, taken for a person for part of the time."""
    label = script.pick("dog", "dog", "cat")
    way, _ = visit(script, zone, begins_s=script.between(0, 6), stays_s=script.between(3, 14))
    called = "person" if script.chance(0.6) else label
    script.add(way, label=label, called=called, size=script.between(0.9, 1.4))


def wall(script: Script, zone: Zone) -> None:
    """Somebody nearer than the zone, behind a low wall: what is seen of him seems to be in it."""
    view = script.site.view
    for _ in range(20):
        tall_m = script.between(0.8, 1.3)
        inside = view.foot(*script.inside(zone))
        place = view.ground(inside, height_m=tall_m)
        if place is None or place[1] < script.site.near_m * 0.8:
            continue
        foot = view.foot(*place)
        if zone.depth(foot) < -0.02 and foot[1] < 1.1:
            break
    else:
        edge(script, zone)
        return
    script.blinds.append(
        Blind(x1_m=place[0] - 2.5, x2_m=place[0] + 2.5, z_m=place[1] - 0.4, tall_m=tall_m)
    )
    side = 1 if script.chance(0.5) else -1
    way = script.walk(script.beyond(place[1], side=side), at_s=script.between(0, 5))
    script.add(
        way.to((place[0], place[1]))
        .wait(script.between(1, 10))
        .to(script.beyond(place[1], side=-side))
    )


def smaller(zone: Zone) -> Zone:
    """Return a zone a little within another."""
    middle = [sum(values) / len(zone.polygon) for values in zip(*zone.polygon, strict=True)]
    polygon: list[Point] = [
        (middle[0] + 0.85 * (x - middle[0]), middle[1] + 0.85 * (y - middle[1]))
        for x, y in zone.polygon
    ]
    return Zone(zone_id=zone.zone_id, polygon=tuple(polygon))


def _relay(script: Script, zone: Zone, threshold_s: float, *, count: int) -> None:
    """One leaves when the next one comes, to the same place: nobody stays for long."""
    place, at_s = script.inside(zone), script.between(0, 3)
    side = 1 if script.chance(0.5) else -1
    for _ in range(count):
        near = (place[0] + script.between(-0.4, 0.4), place[1] + script.between(-0.4, 0.4))
        start, out = script.depth_in(zone, -0.06, -0.02), script.depth_in(zone, -0.08, -0.03)
        way = script.walk(start, at_s=at_s, pace=1.3).to(near)
        # The ways in and out are within the zone, too.
        ways_s = (way.now_s - at_s) + math.dist(near, out) / 1.3
        way.wait(max(0.5, threshold_s * script.between(0.6, 0.9) - ways_s))
        at_s = way.now_s - script.between(0.5, 2.0)
        script.add(way.to(out).to(script.beyond(side=side)))
        side = -side


def _look_alike(
    script: Script,
    zone: Zone,
    labels: Sequence[str],
    ways: Sequence[Callable[[Script, Zone], None]],
) -> None:
    """Do one of them; an animal only where the rule is not about animals as well."""
    allowed = [way for way in ways if labels or way is not animal]
    allowed[int(script.rng.integers(len(allowed)))](script, zone)


def _lights(script: Script) -> None:
    """Now and then the light changes as well."""
    if script.chance(0.3):
        script.lights.append(Light(at_s=script.between(0, 10), change=script.between(-0.3, 0.3)))
