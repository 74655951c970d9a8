"""Stories about things: left alone, taken away, and things that only seem so."""

from contracts.geometry import Box, Point
from contracts.rules import RuleKind
from moe_core.training.world.actors import Actor, Blind, Pose, Way
from moe_core.training.world.cue_script import CueScript
from moe_core.training.world.script import Light, Script

AWAY_M = 3.1
"""From so far a bag counts as left alone: 1.8 heights of a body."""
THRESHOLD_S = 5.0


def abandoned(script: Script, *, is_real: bool) -> None:
    """Somebody leaves a bag and goes away."""
    threshold_s = THRESHOLD_S
    if script.chance(0.3):
        threshold_s = round(script.between(4, 9), 1)
        script.rule(RuleKind.ABANDONED, params={"threshold_s": threshold_s})
    kind = (
        "left"
        if is_real
        else script.pick("near", "near", "hidden", "hidden", "back", "patch", "patch", "patch")
    )
    if kind == "patch":
        _patch(script, RuleKind.ABANDONED, at_s=script.between(3, 10), there_s=0.0)
        return
    place = script.anywhere()
    way = script.walk(at_s=script.between(0, 2)).to(place)
    put_s = way.now_s + 0.8
    pose = Pose(start_s=way.now_s, end_s=way.now_s + 0.8, height=0.65, width=1.2, fade_s=0.4)
    way.wait(script.between(1.5, 4))
    if kind == "left":
        way.to(_aside(script, place, script.between(4.5, 8)))
        away_s = way.now_s
        if script.chance(0.6):
            way.to(script.beyond())
        way.wait(threshold_s + 8)
    elif kind == "back":
        way.to(_aside(script, place, script.between(4, 6)))
        away_s = way.now_s
        way.wait(threshold_s * script.between(0.1, 0.6)).to(place).wait(12)
    else:
        beside = _aside(script, place, script.between(0.7, 2.4))
        way.to(beside)
        away_s = way.now_s
        if kind == "hidden":
            tall_m = script.between(1.0, 1.7)
            script.blinds.append(
                Blind(
                    x1_m=beside[0] - 0.7, x2_m=beside[0] + 0.7, z_m=beside[1] - 0.4, tall_m=tall_m
                )
            )
        way.wait(threshold_s + script.between(4, 12)).to(place).to(script.beyond())
    owner = script.add(way, poses=[pose])
    script.seconds = max(script.seconds, away_s + threshold_s + 5.0)
    bag = _bag(script, place, put_s, script.seconds + 1.0)
    script.cues.append(
        CueScript(
            kind=RuleKind.ABANDONED,
            is_real=is_real,
            start_s=put_s,
            end_s=script.seconds,
            object_ids=(owner.object_id, bag.object_id),
            what=kind,
        )
    )
    if is_real:
        script.expect(RuleKind.ABANDONED, bag, away_s + threshold_s + 1.0)


def removed(script: Script, *, is_real: bool) -> None:
    """Somebody takes a thing that is not his."""
    kind = "taken" if is_real else script.pick("owner", "owner", "patch", "patch", "covered")
    at_s = script.between(8, 14)
    if kind == "patch":
        _patch(script, RuleKind.REMOVED, at_s=at_s, there_s=script.between(6, 60))
        return
    place = script.anywhere()
    if kind == "owner":
        # He left it himself, was away for a while, and takes it back.
        way = script.walk(at_s=0.0).to(place).wait(script.between(1, 3))
        put_s = way.now_s - 0.5
        way.to(_aside(script, place, script.between(1.5, 4))).wait(script.between(6, 9))
        way.to(place).wait(0.8)
    else:
        put_s = -60.0
        way = script.walk(at_s=at_s - script.between(3, 6)).to(place).wait(0.8)
    gone_s = way.now_s
    stays = kind == "covered"
    if stays:
        way.wait(script.between(4, 10))
    taker = script.add(way.to(script.beyond()))
    script.seconds = max(script.seconds, gone_s + 8.0)
    bag = _bag(script, place, max(put_s, -1.0), script.seconds + 1 if stays else gone_s)
    script.cues.append(
        CueScript(
            kind=RuleKind.REMOVED,
            is_real=is_real,
            start_s=put_s,
            end_s=gone_s,
            object_ids=(taker.object_id, bag.object_id),
            what=kind,
        )
    )
    if is_real:
        script.expect(RuleKind.REMOVED, bag, gone_s + 1.0)


def _bag(script: Script, place: Point, put_s: float, until_s: float) -> Actor:
    way: Way = script.walk((place[0] + 0.35, place[1] - 0.1), at_s=put_s).wait(until_s - put_s)
    return script.add(way, label="bag", sway_m=0.0, shown=script.between(0.3, 1.0), doubt=0.5)


def _aside(script: Script, place: Point, far_m: float) -> Point:
    """Return a place so far away, to that side where there is more room."""
    side = -1.0 if place[0] > 0 else 1.0
    z = min(script.site.far_m, max(script.site.near_m, place[1] + script.between(-0.5, 1.0)))
    return (place[0] + side * far_m, z)


def _patch(script: Script, kind: RuleKind, *, at_s: float, there_s: float) -> None:
    """A patch of sun, a puddle or a moved curtain looks like a thing that came or went."""
    script.seconds = max(script.seconds, at_s + 14.0)
    u, v = script.site.view.foot(*script.anywhere())
    half, high = script.between(0.01, 0.05), script.between(0.02, 0.09)
    u, v = min(0.95, max(0.05, u)), min(0.97, max(0.15, v))
    box: Box = (u - half, v - high, u + half, v)
    if script.chance(0.4):
        script.lights.append(Light(at_s=at_s - 0.3, change=script.between(-0.25, 0.25)))
    for _ in range(int(script.rng.integers(0, 3))):
        z = script.between(script.site.near_m + 1, script.site.far_m)
        way = script.walk(script.beyond(z, side=-1), at_s=at_s - script.between(0, 6))
        script.add(way.to(script.beyond(z, side=1)))
    script.cues.append(
        CueScript(
            kind=kind, is_real=False, start_s=at_s, end_s=script.seconds, box=box,
            level=there_s, what="patch",
        )
    )  # fmt: skip
