"""Stories about many: crowds and groups that are none, and traffic in which nothing happens."""

from contracts.geometry import Zone
from contracts.rules import RuleKind
from moe_core.training.world.actors import Actor, Blind
from moe_core.training.world.script import Light, Script

QUIET_KINDS = (
    RuleKind.INTRUSION,
    RuleKind.LOITER,
    RuleKind.ZONE_ENTRY,
    RuleKind.ZONE_EXIT,
    RuleKind.RUNNING,
)


def crowd(script: Script, *, is_real: bool) -> None:
    """More people come together than a place is meant for."""
    zone = script.zone(size=1.5)
    threshold = int(script.rng.integers(3, 6))
    hold_s = round(script.between(1.5, 4.0), 1)
    script.rule(RuleKind.CROWD, zone=zone, params={"threshold": threshold, "hold_s": hold_s})
    begins_s, meets_s = script.between(0, 3), script.between(6, 9)
    kind = "" if is_real else script.pick("one less", "one less", "ghost", "dog", "some beside")
    count = threshold + int(script.rng.integers(0, 3)) if is_real else threshold - 1
    ends_s = meets_s + hold_s + script.between(4, 12)
    first = None
    for _ in range(count):
        actor = _joins(script, zone, begins_s=begins_s, meets_s=meets_s, ends_s=ends_s)
        first = first or actor
    if is_real and first is not None:
        script.expect(RuleKind.CROWD, first, meets_s + hold_s)
    elif kind == "ghost":
        for _ in range(2):
            script.ghost(
                script.inside(zone), at_s=begins_s, lasts_s=ends_s - begins_s, called="person"
            )
    elif kind == "dog":
        way = script.walk(script.inside(zone), at_s=begins_s).wait(ends_s - begins_s)
        script.add(way, label="dog", called="person", size=1.3)
    elif kind == "some beside":
        for _ in range(2):
            beside = script.depth_in(zone, -0.03, -0.004)
            script.add(script.walk(beside, at_s=begins_s).wait(ends_s - begins_s))


def normal(script: Script, *, is_real: bool) -> None:
    """People and cars go their ways; whatever rules make of it."""
    del is_real
    kind = QUIET_KINDS[int(script.rng.integers(len(QUIET_KINDS)))]
    extra_rule(script, kind)
    for _ in range(int(script.rng.integers(2, 6))):
        way = script.walk(at_s=script.between(0, 0.6 * script.seconds))
        for _ in range(int(script.rng.integers(0, 3))):
            way.to(script.anywhere()).wait(script.between(0, 5))
        script.add(way.to(script.beyond()))
    if script.chance(0.6):
        place = script.anywhere()
        script.ghost(place, at_s=script.between(0, 5), lasts_s=script.between(5, script.seconds))


def extra_rule(script: Script, kind: RuleKind) -> None:
    """Add a rule of a kind with a zone of its own."""
    if kind is RuleKind.RUNNING:
        script.rule(kind, params={"threshold": round(script.between(1.3, 1.9), 2)})
        return
    zone = script.zone()
    params = {}
    if kind is RuleKind.INTRUSION:
        params = {"threshold_s": round(script.between(0.3, 2), 1)}
    if kind is RuleKind.LOITER:
        params = {"threshold_s": round(script.between(4, 10), 1)}
    script.rule(kind, zone=zone, labels=("person",) if script.chance(0.5) else (), params=params)


def bystanders(script: Script) -> None:
    """Add what is always there: others on their way, clear of all zones, and things in between."""
    for _ in range(int(script.rng.poisson(0.9))):
        start, end = script.beyond(side=-1), script.beyond(side=1)
        if script.chance(0.5):
            start, end = end, start
        if script.leads_through(start, end, script.zones):
            continue
        is_car = script.site.place == "street" and script.chance(0.5)
        pace = script.between(3, 7) if is_car else 0.0
        way = script.walk(start, at_s=script.between(0, 0.7 * script.seconds), pace=pace)
        script.add(way.to(end), label="car" if is_car else "person")
    if script.site.place != "lobby" and script.chance(0.2):
        place = script.anywhere(avoid=script.zones)
        script.add(script.walk(place, at_s=-5.0).wait(script.seconds + 10), label="car", sway_m=0.0)
    for _ in range(int(script.rng.poisson(0.5))):
        x, z = script.anywhere()
        half = script.between(0.2, 1.5)
        tall = script.between(0.8, 3.0)
        script.blinds.append(Blind(x1_m=x - half, x2_m=x + half, z_m=z, tall_m=tall))
    if script.chance(0.1):
        script.lights.append(
            Light(at_s=script.between(0, script.seconds), change=script.between(-0.4, 0.4))
        )


def _joins(script: Script, zone: Zone, *, begins_s: float, meets_s: float, ends_s: float) -> Actor:
    """Let somebody come into the zone in time, and leave with the others."""
    place = script.inside(zone)
    arrives_s = script.between(begins_s, meets_s - 0.5)
    start = script.depth_in(zone, -0.15, -0.05)
    way = script.walk(start, at_s=0.0).to(place)
    late_s = max(0.0, arrives_s - way.now_s)
    way = way.shifted((0.0, 0.0), later_s=late_s)
    while way.now_s < ends_s:
        way.wait(script.between(2, 6))
        if script.chance(0.4):
            way.to(script.inside(zone), pace=0.7)
    return script.add(way.to(script.depth_in(zone, -0.15, -0.05)))
