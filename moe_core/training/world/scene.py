"""A scene as it really was: frame by frame, where everybody is and what of them can be seen.

Shape legend: A = actors, T = frames, B = blinds, S = sample points of a box, 4 = x1, y1, x2, y2.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.rules import SceneRules
from moe_core.training.world.actors import Actor, Blind
from moe_core.training.world.cue_script import CueScript
from moe_core.training.world.script import Light, Script, TrueEvent
from moe_core.training.world.site import Site
from moe_core.training.world.view import View

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FPS: Final = 5.0
ANCHOR: Final = datetime(2026, 3, 1, tzinfo=UTC)
LEAST_SIDE: Final = 0.004
LEAST_SHARE: Final = 0.25
"""Of a body must be in the picture: of less nobody is asked."""
_COLUMNS: Final = 5
_ROWS: Final = 8
_KNOT_S: Final = 0.7
"""Whoever walks or stands sways from one such knot to the next."""
_HIDES_FROM: Final = 0.1
_FLICKER_S: Final = 0.8
_STIRS: Final = (1.0, 4.0)
"""How many times as much of the picture changes as bodies cover, where they are near."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """One simulated camera for less than a minute, with exact truth.

    Attributes:
        seed: It is made from, with the site.
        family: The story that was told.
        is_look_alike: The story only looks like an event.
        began_at: UTC of stream time 0.
        seqs_T, times_T: Of the frames that arrived.
        boxes_AT4: Of the whole object as far as it is in the picture.
        in_view_AT: Whether it is there and in the picture.
        hidden_AT: Share (0..1) of it that others hide.
        seen_AT4: What is left to be seen.
        is_shown_AT: Whether a detector can see it at all (ghosts flicker).
        places_AT2: On the ground, metres; NaN before and after it is there.
        low_AT: Height over that of whoever stands.
        events: That rules should tell.
        moving_T: Share (0..1) of the picture that moves.
        light_T: Change of the light over the last second.
        is_blind_T: Whether the camera sees nothing of it.
    """

    seed: int
    site: Site
    family: str
    is_look_alike: bool
    rules: SceneRules
    began_at: datetime
    actors: tuple[Actor, ...]
    seqs_T: npt.NDArray[np.int64]
    times_T: Array
    boxes_AT4: Array
    in_view_AT: Bools
    hidden_AT: Array
    seen_AT4: Array
    is_shown_AT: Bools
    places_AT2: Array
    low_AT: Array
    events: tuple[TrueEvent, ...]
    cues: tuple[CueScript, ...]
    moving_T: Array
    light_T: Array
    is_blind_T: Bools

    @property
    def run_id(self) -> str:
        """Of the camera's run."""
        return f"run-{self.seed}"

    def at(self, time_s: float) -> datetime:
        """Return the UTC of a stream time."""
        return self.began_at + timedelta(seconds=round(time_s, 3))

    def index(self, object_id: str) -> int:
        """Return the row of an object; ValueError if there is none."""
        return next(row for row, actor in enumerate(self.actors) if actor.object_id == object_id)


def play(script: Script, *, seed: int, family: str, is_look_alike: bool) -> Scene:
    """Return the scene that a script describes."""
    rng = np.random.default_rng([seed, 1])
    count = round(script.seconds * FPS)
    arrived = np.flatnonzero(rng.random(count) >= script.site.lost_share)
    arrived = arrived[arrived >= script.begins_s * FPS]
    times_T = np.round(arrived / FPS + rng.uniform(0, 0.004, len(arrived)), 4)
    actors = tuple(script.actors)
    size = (len(actors), len(times_T))
    places_AT2 = np.full((*size, 2), np.nan)
    whole_AT4 = np.zeros((*size, 4))
    is_shown_AT, low_AT = np.ones(size, np.bool_), np.ones(size)
    for row, actor in enumerate(actors):
        if actor.fixed:
            whole_AT4[row] = _fixed(actor, times_T)
            continue
        places_AT2[row] = _places(actor, times_T, rng)
        low_AT[row] = _posed(actor, times_T)
        whole_AT4[row] = _boxes(actor, places_AT2[row], low_AT[row], times_T, script.site.view)
        is_shown_AT[row] = _is_shown(actor, times_T, rng)
    boxes_AT4 = np.clip(np.nan_to_num(whole_AT4), 0, 1)
    in_view_AT = _in_view(whole_AT4, boxes_AT4)
    bodies_A = np.array([actor.is_body for actor in actors], np.bool_)
    hidden_AT, seen_AT4 = _occlusion(
        np.where(in_view_AT, places_AT2[:, :, 1], np.inf), boxes_AT4, bodies_A,
        blinds=script.blinds, view=script.site.view,
    )  # fmt: skip
    return Scene(
        seed=seed,
        site=script.site,
        family=family,
        is_look_alike=is_look_alike,
        rules=script.scene_rules(),
        began_at=ANCHOR + timedelta(minutes=int(rng.integers(0, 300 * 24 * 60))),
        actors=actors,
        seqs_T=arrived.astype(np.int64),
        times_T=times_T,
        boxes_AT4=boxes_AT4,
        in_view_AT=in_view_AT,
        hidden_AT=hidden_AT,
        seen_AT4=seen_AT4,
        is_shown_AT=is_shown_AT,
        places_AT2=places_AT2,
        low_AT=low_AT,
        events=tuple(script.events),
        cues=tuple(script.cues),
        moving_T=_upset(
            _stirred(_moving(boxes_AT4, in_view_AT & bodies_A[:, None], rng), script.site, rng),
            times_T,
            script,
        ),
        light_T=_light(script.lights, times_T, rng),
        is_blind_T=_is_within(times_T, script.blinded),
    )


def _places(actor: Actor, times_T: Array, rng: np.random.Generator) -> Array:
    """Return where the actor is, swaying about its way; NaN while it is not there."""
    way = actor.way
    corners = np.array(way.places)
    knots = np.arange(times_T[0] - 1, times_T[-1] + 2, _KNOT_S) if len(times_T) else np.zeros(2)
    found = [
        np.interp(times_T, way.times_s, corners[:, axis], left=np.nan, right=np.nan)
        + np.interp(times_T, knots, rng.normal(0, actor.sway_m, len(knots)))
        for axis in (0, 1)
    ]
    return np.stack(found, axis=1)


def _boxes(actor: Actor, places_T2: Array, low_T: Array, times_T: Array, view: View) -> Array:
    tall_T = actor.tall_m * low_T
    wide_T = actor.wide_m * _posed(actor, times_T, of_width=True)
    x_T, z_T = places_T2.T
    left_T, foot_T = view.project(x_T - wide_T / 2, np.zeros_like(x_T), z_T)
    right_T, head_T = view.project(x_T + wide_T / 2, tall_T, z_T)
    return np.stack([left_T, head_T, right_T, foot_T], axis=1)


def _posed(actor: Actor, times_T: Array, *, of_width: bool = False) -> Array:
    """Return how many times as high (or wide) the actor is as when it stands."""
    share_T = np.ones(len(times_T))
    for pose in actor.poses:
        corners_s = [
            pose.start_s, pose.start_s + pose.fade_s,
            max(pose.end_s, pose.start_s + pose.fade_s),
            max(pose.end_s, pose.start_s + pose.fade_s) + pose.fade_s,
        ]  # fmt: skip
        posed_T = np.interp(times_T, corners_s, [0, 1, 1, 0], left=0, right=0)
        share_T *= 1 + posed_T * ((pose.width if of_width else pose.height) - 1)
    return share_T


def _fixed(actor: Actor, times_T: Array) -> Array:
    """Return the box of a part of the picture; NaN before and after."""
    moments_s = [moment_s for moment_s, _ in actor.fixed]
    boxes = np.array([box for _, box in actor.fixed])
    sides = [
        np.interp(times_T, moments_s, boxes[:, side], left=np.nan, right=np.nan)
        for side in range(4)
    ]
    return np.stack(sides, axis=1)


def _is_within(times_T: Array, spans: list[tuple[float, float]]) -> Bools:
    within = np.zeros(len(times_T), np.bool_)
    for start_s, end_s in spans:
        within |= (times_T >= start_s) & (times_T <= end_s)
    return within


def _stirred(moving_T: Array, site: Site, rng: np.random.Generator) -> Array:
    """Let shadows and reflections move with whoever is near."""
    if not site.is_close:
        return moving_T
    return np.asarray(np.minimum(0.9, moving_T * rng.uniform(*_STIRS)), np.float64)


def _upset(moving_T: Array, times_T: Array, script: Script) -> Array:
    """Let large parts of the picture change for about a second."""
    for at_s, share in script.upsets:
        moving_T = np.maximum(moving_T, share * _is_within(times_T, [(at_s, at_s + 1.0)]))
    return np.asarray(moving_T, np.float64)


def _is_shown(actor: Actor, times_T: Array, rng: np.random.Generator) -> Bools:
    """Return in which frames it can be seen: on and off for about ``_FLICKER_S`` each."""
    if actor.shown >= 1:
        return np.ones(len(times_T), np.bool_)
    stays = np.exp(-1 / (FPS * _FLICKER_S))
    drawn = rng.random((len(times_T), 2))
    shown = np.zeros(len(times_T), np.bool_)
    is_on = bool(rng.random() < actor.shown)
    for index, (changes, share) in enumerate(drawn.tolist()):
        if changes > stays:
            is_on = share < actor.shown
        shown[index] = is_on
    return shown


def _in_view(whole_AT4: Array, boxes_AT4: Array) -> Bools:
    whole, left = (
        np.maximum(boxes[..., 2:] - boxes[..., :2], 0) for boxes in (whole_AT4, boxes_AT4)
    )
    share = left.prod(axis=-1) / np.maximum(np.nan_to_num(whole.prod(axis=-1)), 1e-12)
    is_there = np.isfinite(whole_AT4).all(axis=-1)
    return np.asarray(is_there & (left > LEAST_SIDE).all(axis=-1) & (share >= LEAST_SHARE))


def _occlusion(
    z_AT: Array, boxes_AT4: Array, bodies_A: Bools, *, blinds: list[Blind], view: View
) -> tuple[Array, Array]:
    """Return how much of each others hide, and the box about what is left, by sample points."""
    actors, frames = z_AT.shape
    hidden_AT, seen_AT4 = np.zeros((actors, frames)), boxes_AT4.copy()
    across_S = np.tile((np.arange(_COLUMNS) + 0.5) / _COLUMNS, _ROWS)
    down_S = np.repeat((np.arange(_ROWS) + 0.5) / _ROWS, _COLUMNS)
    standing = [(_blind_box(blind, view), blind.z_m) for blind in blinds]
    for row in np.flatnonzero(bodies_A):
        there = np.flatnonzero(np.isfinite(z_AT[row]))
        if not len(there):
            continue
        box_T4, z_T = boxes_AT4[row, there], z_AT[row, there]
        wide_T, high_T = (box_T4[:, 2:] - box_T4[:, :2]).T
        x_TS = box_T4[:, :1] + wide_T[:, None] * across_S
        y_TS = box_T4[:, 1:2] + high_T[:, None] * down_S
        is_hidden_TS = np.zeros(x_TS.shape, np.bool_)
        others = [
            (boxes_AT4[other, there], z_AT[other, there])
            for other in np.flatnonzero(bodies_A)
            if other != row
        ]
        for hider, far in [*others, *standing]:
            box = np.broadcast_to(np.asarray(hider), (len(there), 4))
            before = np.broadcast_to(far, len(there)) < z_T - 0.05
            overlaps = (
                before & (box[:, 0] < box_T4[:, 2]) & (box[:, 2] > box_T4[:, 0])
                & (box[:, 1] < box_T4[:, 3]) & (box[:, 3] > box_T4[:, 1])
            )  # fmt: skip
            some = np.flatnonzero(overlaps)
            if len(some):
                x1, y1, x2, y2 = (box[some, side][:, None] for side in range(4))
                x, y = x_TS[some], y_TS[some]
                is_hidden_TS[some] |= (x > x1) & (x < x2) & (y > y1) & (y < y2)
        hidden_T = is_hidden_TS.mean(axis=1)
        hidden_AT[row, there] = hidden_T
        cut = np.flatnonzero((hidden_T > _HIDES_FROM) & (hidden_T < 1))
        if len(cut):
            seen_AT4[row, there[cut]] = _left_of(
                box_T4[cut], ~is_hidden_TS[cut].reshape(-1, _ROWS, _COLUMNS)
            )
    return hidden_AT, seen_AT4


def _blind_box(blind: Blind, view: View) -> Array:
    u, v = view.project(
        np.array([blind.x1_m, blind.x2_m]), np.array([blind.tall_m, 0.0]), np.full(2, blind.z_m)
    )
    return np.array([u[0], v[0], u[1], v[1]])


def _left_of(boxes_K4: Array, is_seen: Bools) -> Array:
    """Return the boxes about the cells of each that are seen."""
    found = boxes_K4.copy()
    for axis, cells, side in ((1, _COLUMNS, 0), (2, _ROWS, 1)):
        any_K = np.asarray(is_seen.any(axis=axis))
        first = any_K.argmax(axis=1)
        last = cells - any_K[:, ::-1].argmax(axis=1)
        low, length = boxes_K4[:, side], boxes_K4[:, side + 2] - boxes_K4[:, side]
        found[:, side] = low + length * first / cells
        found[:, side + 2] = low + length * last / cells
    return found


def _moving(boxes_AT4: Array, in_view_AT: Bools, rng: np.random.Generator) -> Array:
    """Return which share of the picture moves: what changes of boxes, and some noise."""
    frames = boxes_AT4.shape[1]
    share_T = np.abs(rng.normal(0, 0.0015, frames))
    if boxes_AT4.shape[0]:
        sides = np.maximum(boxes_AT4[..., 2:] - boxes_AT4[..., :2], 1e-6)
        steps = np.zeros_like(sides)
        steps[:, 1:] = np.abs(np.diff((boxes_AT4[..., 2:] + boxes_AT4[..., :2]) / 2, axis=1))
        moved = np.clip(4 * (steps / sides).sum(axis=-1), 0.0, 0.9)
        share_T += (moved * sides.prod(axis=-1) * in_view_AT).sum(axis=0) * 0.6
    return np.asarray(np.minimum(share_T, 1.0), np.float64)


def _light(lights: list[Light], times_T: Array, rng: np.random.Generator) -> Array:
    """Return by how much the mean brightness has changed over the last second."""
    level = np.zeros(len(times_T))
    earlier = np.zeros(len(times_T))
    for light in lights:
        corners = [light.at_s, light.at_s + light.lasts_s]
        level += np.interp(times_T, corners, [0, light.change])
        earlier += np.interp(times_T - 1.0, corners, [0, light.change])
    noise_T = np.abs(rng.normal(0, 0.003, len(times_T)))
    return np.asarray(np.abs(level - earlier) + noise_T, np.float64)
