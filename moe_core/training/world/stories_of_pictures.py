"""Stories that the picture tells without objects: fire, smoke, a camera that is blinded."""

from contracts.geometry import Box
from contracts.rules import RuleKind
from moe_core.training.world.cue_script import CueScript
from moe_core.training.world.script import Light, Script

CAUSES = (
    "covered", "sprayed", "defocused", "moved", "frozen", "black", "over_exposed", "signal_lost",
)  # fmt: skip
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def fire(script: Script, *, is_real: bool) -> None:
    """Something burns."""
    if script.chance(0.3):
        threshold_s = round(script.between(3, 6), 1)
        script.rule(RuleKind.FIRE, params={"threshold_s": threshold_s})
    kind = "fire" if is_real else script.pick("reflection", "lamp", "car lights", "sun on leaves")
    start_s, lasts_s = script.between(3, 8), script.between(7, 20)
    box = _somewhere(script, small=0.012, large=0.06)
    grown = script.between(1.2, 2.6) if is_real else script.between(0.85, 1.35)
    level = script.between(0.5, 0.95) if is_real else script.between(0.4, 0.85)
    if kind == "car lights":
        z = script.between(script.site.near_m + 2, script.site.far_m)
        way = script.walk(script.beyond(z), at_s=start_s - 3, pace=3.0).to((0.0, z))
        actor = script.add(way.wait(lasts_s).to(script.beyond(z)), label="car", sway_m=0.0)
        foot = script.site.view.foot(0.0, z)
        box = _around((foot[0] + 0.03, foot[1] - 0.03), 0.015)
        del actor
    if kind in ("lamp", "reflection") and script.chance(0.6):
        script.lights.append(Light(at_s=start_s, change=script.between(0.02, 0.2)))
    _happens(script, RuleKind.FIRE, is_real=is_real, what=kind, start_s=start_s,
             end_s=start_s + lasts_s, box=box, grown=grown, level=level)  # fmt: skip


def smoke(script: Script, *, is_real: bool) -> None:
    """Smoke hangs in the air."""
    if script.chance(0.3):
        script.rule(RuleKind.SMOKE, params={"threshold": round(script.between(0.55, 0.75), 2)})
    kind = "smoke" if is_real else script.pick("steam", "steam", "exhaust", "fog", "cloud shadow")
    start_s, lasts_s = script.between(3, 7), script.between(10, 22)
    box = _somewhere(script, small=0.05, large=0.15)
    grown = script.between(1.4, 3.5) if is_real else script.between(1.0, 2.4)
    level = script.between(0.7, 0.97) if is_real else script.between(0.55, 0.92)
    if kind == "exhaust":
        z = script.between(script.site.near_m + 2, script.site.far_m)
        way = script.walk((0.5, z), at_s=-1.0).wait(script.seconds + 20)
        script.add(way, label="car", sway_m=0.0)
        box = _around(script.site.view.foot(0.5, z), 0.06)
    if kind == "cloud shadow":
        script.lights.append(
            Light(at_s=start_s, change=script.between(-0.25, -0.05), lasts_s=script.between(1, 6))
        )
    _happens(script, RuleKind.SMOKE, is_real=is_real, what=kind, start_s=start_s,
             end_s=start_s + lasts_s, box=box, grown=grown, level=level)  # fmt: skip


def tamper(script: Script, *, is_real: bool) -> None:
    """Somebody blinds the camera."""
    cause = script.pick(*CAUSES)
    kind = cause
    start_s = script.between(5, 12)
    lasts_s = script.between(4, 15) if is_real else script.between(1.6, 7)
    level = script.between(0.66, 1.0)
    if not is_real:
        kind = script.pick("light switch", "headlights", "insect", "lorry", "rain")
        level = script.between(0.55, 0.9)
        cause = {
            "light switch": "black",
            "headlights": "over_exposed",
            "insect": "covered",
            "lorry": script.pick("covered", "moved"),
            "rain": "defocused",
        }[kind]
    elif script.chance(0.6):
        # Whoever does it comes up to the camera first.
        z = script.site.near_m + 0.5
        way = script.walk(script.beyond(z + 4), at_s=0.0, pace=1.6).to((0.0, z))
        script.add(way.wait(max(0.0, start_s - way.now_s) + 1.0))
    if kind == "lorry":
        z = script.site.near_m + 2
        way = script.walk(script.beyond(z, side=-1), at_s=start_s - 2.0, pace=4).to((0.0, z))
        script.add(way.wait(lasts_s).to(script.beyond(z, side=1)), label="truck", size=1.4)
    if cause in ("black", "over_exposed"):
        sign = -1 if cause == "black" else 1
        script.lights.append(Light(at_s=start_s, change=sign * script.between(0.15, 0.6)))
    if is_real or kind == "insect":
        script.blinded.append((start_s, start_s + lasts_s))
    share = script.between(0.4, 1.0) if kind not in ("frozen", "rain") else 0.02
    script.upsets += [(start_s, share), (start_s + lasts_s, share)]
    script.seconds = max(script.seconds, start_s + lasts_s + 3)
    script.cues.append(
        CueScript(
            kind=RuleKind.TAMPER, is_real=is_real, start_s=start_s, end_s=start_s + lasts_s,
            object_ids=_shown(script, "tampering", is_real, start_s, start_s + lasts_s, WHOLE, 1.0),
            box=WHOLE, level=level, what=cause,
        )
    )  # fmt: skip
    if is_real:
        script.expect(RuleKind.TAMPER, script.actors[-1], start_s + 1.5)


def _happens(  # noqa: PLR0913  # what fire and smoke have in common
    script: Script,
    kind: RuleKind,
    *,
    is_real: bool,
    what: str,
    start_s: float,
    end_s: float,
    box: Box,
    grown: float,
    level: float,
) -> None:
    script.seconds = max(script.seconds, end_s + 2.0)
    object_ids = _shown(script, kind.value, is_real, start_s, end_s, box, grown)
    script.cues.append(
        CueScript(
            kind=kind, is_real=is_real, start_s=start_s, end_s=end_s, object_ids=object_ids,
            box=box, level=level, grown=grown, what=what,
        )
    )  # fmt: skip
    if is_real:
        script.expect(kind, script.actors[-1], start_s + 4.0)


def _shown(  # noqa: PLR0913  # one true part of the picture
    script: Script,
    label: str,
    is_real: bool,  # noqa: FBT001  # told by position, as the rest
    start_s: float,
    end_s: float,
    box: Box,
    grown: float,
) -> tuple[str, ...]:
    """Add what is really there to the scene; nothing where it only looks so."""
    if not is_real:
        return ()
    larger = scaled(box, grown)
    actor = script.patch(label, (start_s, box), (end_s, larger))
    return (actor.object_id,)


def scaled(box: Box, by: float) -> Box:
    """Return a box so many times as large in area, on the same foot, kept in the picture."""
    factor = by**0.5
    half, high = factor * (box[2] - box[0]) / 2, factor * (box[3] - box[1])
    x = (box[0] + box[2]) / 2
    return (max(0.0, x - half), max(0.0, box[3] - high), min(1.0, x + half), box[3])


def _somewhere(script: Script, *, small: float, large: float) -> Box:
    point = script.site.view.foot(*script.anywhere())
    return _around(point, script.between(small, large))


def _around(point: tuple[float, float], half: float) -> Box:
    x = min(1 - 1.2 * half, max(1.2 * half, point[0]))
    foot = min(0.98, max(2.6 * half, point[1]))
    return (x - half, foot - 2.2 * half, x + half, foot)
