"""Replays rules over a sitting: their own code, asked where it may have something to say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

import numpy as np

from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings, SceneRules
from contracts.tracks import Track
from vision.archive.columns import IntArray
from vision.backtest.crowds import crowded_frames, limits
from vision.backtest.hours import Shift, scope, shifts
from vision.backtest.plan import NOBODY, Plan, Question, spans
from vision.backtest.plans import PLANS, REPLAYED
from vision.backtest.sitting import Sitting
from vision.observation import Observation
from vision.rules.registry import RULES
from vision.rules.rule import Rule
from vision.schedule import Schedule

_PEOPLE: Final = frozenset({RuleKind.CROWD, RuleKind.RUNNING})
"""Kinds that are about people where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a rule said, and in which frame of the sitting.

    Attributes:
        is_at_end: Of a track that ended: rules tell of those last.
    """

    frame: int
    event: RuleEvent
    is_at_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleReplay:
    """All that one rule said of a sitting.

    Attributes:
        said: In order of time.
        presence_P3: Place, first and last frame of each time that a track was where it watches.
    """

    settings: RuleSettings
    said: tuple[Said, ...] = ()
    presence_P3: IntArray = field(default_factory=lambda: NOBODY)


def replay_rules(
    sitting: Sitting,
    scene: SceneRules,
    *,
    time_zone: tzinfo | None,
    known: Mapping[str, RuleReplay] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> tuple[RuleReplay, ...]:
    """Return what each rule of a scene would have said of a sitting that begins with it.

    In the order in which they are asked: sequences last. Rules that cannot be replayed say
    nothing.

    Args:
        sitting: To look at.
        scene: With its rules; those that are off are left out.
        time_zone: Of the site; None lets all hours count.
        known: Replays of the sitting by rule id, of rules that stay as they were.
        tick: Called between steps; may raise to give up.
    """
    on = [rule for rule in scene.rules if rule.is_enabled and rule.kind in REPLAYED]
    alone = [rule for rule in on if rule.kind is not RuleKind.SEQUENCE]
    replays: list[RuleReplay] = []
    for settings in alone:
        tick()
        replay = (known or {}).get(settings.rule_id)
        replays.append(replay or _replayed(sitting, scene, settings, time_zone, tick))
    for settings in (rule for rule in on if rule.kind is RuleKind.SEQUENCE):
        replays.append(_sequence(sitting, scene, settings, replays, time_zone))
    return tuple(replays)


def _replayed(
    sitting: Sitting,
    scene: SceneRules,
    settings: RuleSettings,
    time_zone: tzinfo | None,
    tick: Callable[[], None],
) -> RuleReplay:
    said: list[Said] = []
    presence: list[IntArray] = []
    labels = settings.labels or (("person",) if settings.kind in _PEOPLE else ())
    for shift in shifts(settings, Schedule(settings, time_zone=time_zone), sitting):
        asked = Question(
            sitting=sitting,
            scope=scope(sitting, shift),
            settings=settings,
            scene=scene,
            labels=labels,
        )
        rule = RULES[settings.kind](settings, scene)
        if settings.kind is RuleKind.CROWD:
            found, present = _crowds(asked, rule)
        else:
            plan = PLANS[settings.kind](asked)
            is_together = plan.is_together
            found, present = (_together if is_together else _one_by_one)(asked, rule, plan, tick)
        said += [one for one in found if _is_news(one.event, shift)]
        presence.append(present)
        sitting.forget()
    # Those of one frame are in the order of their tracks already, as the rule itself has them.
    said.sort(key=lambda one: (one.frame, one.is_at_end))
    joined = np.concatenate([NOBODY, *presence])
    return RuleReplay(settings=settings, said=tuple(said), presence_P3=joined)


def _one_by_one(
    asked: Question, rule: Rule, plan: Plan, tick: Callable[[], None]
) -> tuple[list[Said], IntArray]:
    """Show the rule one track after another: it compares none with any other."""
    sitting, stored = asked.sitting, asked.sitting.stored
    said: list[Said] = []
    present: list[int] = []
    places = stored.tracks_N[plan.rows]
    for rows in np.split(plan.rows, np.flatnonzero(np.diff(places)) + 1):
        if not len(rows):
            continue
        place = int(stored.tracks_N[rows[0]])
        name = stored.names[place]
        for row in _asked_rows(asked, rule, plan, rows, place, present):
            frame = int(stored.frames_N[row])
            track = sitting.snapshot(place, row)
            seen = Observation(header=sitting.header(frame), tracks=[track])
            said += [Said(frame=frame, event=event) for event in rule.update(seen)]
            if plan.presence_P3 is None and name in rule.present():
                present.append(row)
        if place in plan.ends:
            said += _at_end(sitting, rule, place)
        sitting.forget()
        tick()
    if plan.presence_P3 is not None:
        return said, plan.presence_P3
    return said, spans(sitting, np.array(present, np.int64))


def _asked_rows(
    asked: Question, rule: Rule, plan: Plan, rows: IntArray, place: int, present: Sequence[int]
) -> Iterator[int]:
    """Yield the planned rows of a track, and those after one in which the rule saw it present.

    A rule that follows a track from frame to frame is asked until it has let it go.
    """
    end = asked.sitting.rows_of(place)[1]
    last = -1
    for row in rows.tolist():
        while plan.presence_P3 is None and present and present[-1] == last and last + 1 < row:
            last += 1
            yield last
        last = row
        yield row
    while plan.presence_P3 is None and present and present[-1] == last and last + 1 < end:
        last += 1
        if not asked.scope.is_known_N[last]:
            return
        yield last


def _at_end(sitting: Sitting, rule: Rule, place: int) -> list[Said]:
    frame = int(sitting.stored.ended_K[place])
    track = sitting.snapshot(place, sitting.rows_of(place)[1] - 1, has_ended=True)
    seen = Observation(header=sitting.header(frame), tracks=[track])
    return [Said(frame=frame, event=event, is_at_end=True) for event in rule.update(seen)]


def _together(
    asked: Question, rule: Rule, plan: Plan, tick: Callable[[], None]
) -> tuple[list[Said], IntArray]:
    """Show the rule all tracks of the plan that are not done with, at each planned frame."""
    sitting, stored = asked.sitting, asked.sitting.stored
    said: list[Said] = []
    frames = stored.frames_N[plan.rows]
    places = stored.tracks_N[plan.rows]
    last_frames: dict[int, int] = {}
    for place, frame in zip(places.tolist(), frames.tolist(), strict=True):
        last_frames[place] = max(frame, last_frames.get(place, -1))
    coming: dict[int, list[int]] = {}
    for place, frame in zip(places.tolist(), frames.tolist(), strict=True):
        coming.setdefault(frame, []).append(place)
    open_places: set[int] = set()
    for frame in sorted(coming):
        open_places.update(coming[frame])
        tracks = []
        for place in sorted(open_places):
            row = sitting.row_at(place, frame)
            if row is not None:
                tracks.append(sitting.snapshot(place, row))
        seen = Observation(header=sitting.header(frame), tracks=tracks)
        said += [Said(frame=frame, event=event) for event in rule.update(seen)]
        open_places = {place for place in open_places if last_frames[place] > frame}
        sitting.forget(open_places)
        tick()
    return said, NOBODY


def _crowds(asked: Question, rule: Rule) -> tuple[list[Said], IntArray]:
    """Show the rule those who count, wherever a crowd may come, go on or go."""
    least, most, hold_s = limits(asked.settings, asked.scene)
    crowds = crowded_frames(asked)
    said: list[Said] = []
    present: list[tuple[int, int, int]] = []
    order = {name: place for place, name in enumerate(asked.sitting.stored.names)}
    shown = asked.scope.shift.first - 1
    for first, last in crowds.stretches(least, most, hold_s=hold_s):
        for frame in range(max(first, shown + 1), crowds.is_over_at(last, hold_s=hold_s) + 1):
            events = rule.update(crowds.seen(frame))
            said += [Said(frame=frame, event=event) for event in events]
            present += [(order[name], frame, frame) for name in sorted(rule.present())]
            shown = frame
        asked.sitting.forget()
    return said, np.array(present, np.int64).reshape(-1, 3)


def _sequence(
    sitting: Sitting,
    scene: SceneRules,
    settings: RuleSettings,
    before: Sequence[RuleReplay],
    time_zone: tzinfo | None,
) -> RuleReplay:
    """Let a sequence hear what the rules before it said, frame by frame."""
    order = {name: place for place, name in enumerate(sitting.stored.names)}
    parts = {settings.params.get("first"), settings.params.get("then")}
    heard: dict[int, list[RuleEvent]] = {}
    for replay in before:
        if replay.settings.rule_id in parts:
            for one in replay.said:
                heard.setdefault(one.frame, []).append(one.event)
    said: list[Said] = []
    for shift in shifts(settings, Schedule(settings, time_zone=time_zone), sitting):
        rule = RULES[settings.kind](settings, scene)
        known: set[int] = set()
        for frame in sorted(frame for frame in heard if shift.first <= frame < shift.end):
            known |= {order[event.track_id] for event in heard[frame]}
            known = {place for place in known if sitting.is_told_of(place, frame)}
            tracks = [_as_of(sitting, place, frame) for place in sorted(known)]
            seen = Observation(
                header=sitting.header(frame), tracks=tracks, stated=tuple(heard[frame])
            )
            said += [
                Said(frame=frame, event=event)
                for event in rule.update(seen)
                if _is_news(event, shift)
            ]
        sitting.forget()
    return RuleReplay(settings=settings, said=tuple(said))


def _as_of(sitting: Sitting, place: int, frame: int) -> Track:
    row = sitting.row_at(place, frame)
    has_ended = int(sitting.stored.ended_K[place]) == frame
    return sitting.glance(
        place, sitting.rows_of(place)[0] if row is None else row, has_ended=has_ended
    )


def _is_news(event: RuleEvent, shift: Shift) -> bool:
    """Say whether an event is news to a rule whose hours had begun, as ``Watch`` does."""
    if not event.kind.is_instant and event.kind is not RuleKind.ZONE_ENTRY:
        return True
    return event.since_s >= shift.since_s
