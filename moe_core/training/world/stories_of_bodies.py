"""Stories about bodies: who falls or fights, and who only sits, bends, hugs or dances."""

from contracts.rules import RuleKind
from moe_core.training.world.actors import Actor, Pose, Way
from moe_core.training.world.cue_script import CueScript
from moe_core.training.world.script import Script

LYING = (0.25, 0.55)
"""Height of a body on the ground over that of one who stands, as cameras see it."""


def fall(script: Script, *, is_real: bool) -> None:
    """Somebody falls and stays down."""
    kind = (
        "fall"
        if is_real
        else script.pick(
            "crouch", "crouch", "sit", "lie down", "lie down", "play", "play", "hidden"
        )
    )
    if script.chance(0.2):
        script.rule(RuleKind.FALL, params={"threshold": round(script.between(0.5, 0.65), 2)})
    way = script.walk(at_s=script.between(0, 3)).to(script.anywhere())
    down_s = way.now_s + script.between(0, 2)
    pose = _pose(script, kind, down_s)
    way.wait(pose.end_s - way.now_s + 1.0)
    if kind != "fall" or script.chance(0.3):
        way.to(script.beyond())
    actor = script.add(way, poses=[pose], sway_m=0.05)
    if kind == "hidden":
        # Something comes before his head: the box comes down, he does not.
        script.ghost(way.places[-2], at_s=down_s, lasts_s=3.0)
    script.seconds = max(script.seconds, down_s + 8.0)
    end_s = min(pose.end_s, script.seconds)
    script.cues.append(
        CueScript(
            kind=RuleKind.FALL,
            is_real=is_real,
            start_s=down_s,
            end_s=end_s + 2.0,
            object_ids=(actor.object_id,),
            what=kind,
        )
    )
    if is_real:
        script.expect(RuleKind.FALL, actor, down_s + 1.0)


def fight(script: Script, *, is_real: bool) -> None:
    """Two or more people fight."""
    kind = (
        "fight"
        if is_real
        else script.pick("hugging", "dancing", "play", "play", "passing", "passing", "foliage")
    )
    if script.chance(0.2):
        script.rule(RuleKind.FIGHT, params={"threshold": round(script.between(0.4, 0.6), 2)})
    middle = script.anywhere()
    begins_s, lasts_s = script.between(4, 9), script.between(4, 12)
    # As measured on clips: four of five are told right by the likelihood alone.
    level = script.between(-0.2, 2.6) if is_real else script.between(-2.2, 0.9)
    people: list[Actor] = []
    if kind == "foliage":
        u, v = script.site.view.foot(*middle)
        script.cues.append(
            CueScript(
                kind=RuleKind.FIGHT, is_real=False, start_s=begins_s, end_s=begins_s + lasts_s,
                box=(max(0.0, u - 0.08), max(0.0, v - 0.3), min(1.0, u + 0.08), min(1.0, v)),
                level=level, what=kind,
            )
        )  # fmt: skip
        return
    if kind == "passing":
        ends = script.beyond(middle[1], side=-1), script.beyond(middle[1], side=1)
        for number in range(int(script.rng.integers(4, 8))):
            start, end = ends if number % 2 else ends[::-1]
            way = script.walk(start, at_s=begins_s - 3 + script.between(0, 3))
            people.append(
                script.add(way.to((middle[0], middle[1] + script.between(-1, 1))).to(end))
            )
    else:
        for number in range(3 if script.chance(0.25) else 2):
            people.append(_close_by(script, kind, middle, number, begins_s, lasts_s))
    script.cues.append(
        CueScript(
            kind=RuleKind.FIGHT,
            is_real=is_real,
            start_s=begins_s,
            end_s=begins_s + lasts_s,
            object_ids=tuple(actor.object_id for actor in people),
            level=level,
            what=kind,
        )
    )
    if is_real:
        script.expect(RuleKind.FIGHT, people[0], begins_s + 1.0)


def _pose(script: Script, kind: str, down_s: float) -> Pose:
    """Return how the body changes its form, and for how long."""
    if kind == "fall":
        return Pose(
            start_s=down_s, end_s=down_s + script.between(5, 30),
            height=script.between(*LYING), width=script.between(1.0, 2.6),
            fade_s=script.between(0.5, 1.3),
        )  # fmt: skip
    if kind == "lie down":
        return Pose(
            start_s=down_s, end_s=down_s + script.between(5, 30),
            height=script.between(*LYING), width=script.between(1.2, 2.6),
            fade_s=script.between(1.2, 3.5),
        )  # fmt: skip
    if kind == "play":
        return Pose(
            start_s=down_s, end_s=down_s + script.between(1.5, 3.5),
            height=script.between(0.3, 0.6), width=script.between(1.1, 2.2),
            fade_s=script.between(0.4, 1.2),
        )  # fmt: skip
    if kind == "sit":
        return Pose(
            start_s=down_s, end_s=down_s + script.between(4, 20),
            height=script.between(0.5, 0.72), width=script.between(1.0, 1.4),
            fade_s=script.between(0.6, 1.6),
        )  # fmt: skip
    if kind == "hidden":
        return Pose(start_s=down_s, end_s=down_s + 4, height=0.97, width=1.0)
    return Pose(
        start_s=down_s, end_s=down_s + script.between(1.5, 8),
        height=script.between(0.45, 0.65), width=script.between(1.1, 1.6),
        fade_s=script.between(0.4, 1.0),
    )  # fmt: skip


def _close_by(
    script: Script,
    kind: str,
    middle: tuple[float, float],
    number: int,
    begins_s: float,
    lasts_s: float,
) -> Actor:
    """Let somebody come to the others, be close to them for a while, and go."""
    sway = {"fight": 0.3, "dancing": 0.25, "play": 0.28}.get(kind, 0.06)
    place = (middle[0] + 0.55 * (number - 0.5), middle[1] + script.between(-0.2, 0.2))
    way = script.walk(script.beyond(middle[1]), at_s=0.0, pace=1.3).to(place)
    if way.now_s > begins_s:
        way = _sooner(script, way, begins_s - script.between(0.0, 1.0))
    way.wait(begins_s + lasts_s - way.now_s)
    poses: list[Pose] = []
    at_s = begins_s
    while kind in ("fight", "play") and at_s < begins_s + lasts_s - 1 and len(poses) < 4:
        if script.chance(0.5):
            poses.append(
                Pose(
                    start_s=at_s, end_s=at_s + 0.6, height=script.between(0.75, 0.95),
                    width=script.between(1.1, 1.8), fade_s=0.3,
                )
            )  # fmt: skip
        at_s += script.between(1.5, 4)
    if not (kind == "fight" and number == 1 and script.chance(0.3)):
        way.to(script.beyond(middle[1]), pace=script.between(1.0, 3.0))
    return script.add(way, poses=poses, sway_m=sway)


def _sooner(script: Script, way: Way, arrives_s: float) -> Way:
    """Return a way that ends in the same place by then, begun inside the picture if need be."""
    start, place = way.places[0], way.at
    share = min(1.0, 1.3 * max(0.5, arrives_s) / max(way.now_s, 1e-6) * 0.9)
    begin = (place[0] + share * (start[0] - place[0]), place[1])
    fresh = script.walk(begin, at_s=0.0, pace=1.3).to(place)
    return fresh.shifted((0.0, 0.0), later_s=max(0.0, arrives_s - fresh.now_s))
