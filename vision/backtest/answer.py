"""What rules would have said of a camera's stored tracks, and which incidents that makes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

import numpy as np

from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings, SceneRules
from vision.archive.columns import StoredTracks
from vision.archive.port import DamagedFile, TrackShelf
from vision.archive.recorder import micros, moment
from vision.backtest.merging import IncidentMerger, MergedIncident
from vision.backtest.pieces import MOST_POINTS, PIECE_POINTS, Pieces, memory_s
from vision.backtest.plans import why_not
from vision.backtest.replay import RuleReplay, replay_rules
from vision.backtest.sitting import Sitting

_SILENCE_US: Final = 10_000_000
"""Between frames that are further apart than this the camera was not watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome:
    """One rule's part.

    Attributes:
        events: What it would have said, in order of time; also if it is quiet.
        why_not: Why nobody can say that from tracks; empty if it was replayed.
    """

    settings: RuleSettings
    events: tuple[RuleEvent, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one set of rules would have made of a span of time.

    Attributes:
        rules: Those that are on, in the order of the scene.
        incidents: Of the rules that are not quiet, in the order in which they fired.
    """

    rules: tuple[RuleOutcome, ...]
    incidents: tuple[MergedIncident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the archive has of a camera in a span of time.

    Attributes:
        watched_s: Time for which there are frames.
        first_at, last_at: Of the first and the last frame; None if there is none.
        points: Also of the while before the span that was read for the rules to know.
        forced_cuts: How often tracks were cut apart because there were too many.
    """

    frames: int = 0
    watched_s: float = 0.0
    first_at: datetime | None = None
    last_at: datetime | None = None
    points: int = 0
    forced_cuts: int = 0
    damaged: tuple[DamagedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """One camera's answer: an outcome for each scene that was asked about."""

    camera_id: str
    start: datetime
    end: datetime
    kept: Kept
    outcomes: tuple[Outcome, ...]


class BackTester:
    """Asks the archive what rules would have said.

    Args:
        shelf: To read from.
        close_after_s: After so much silence an incident is over, as in vision's settings.
        time_zone: Of the site, for schedules.
        piece_points, most_points: See ``vision/backtest/pieces.py``.
    """

    def __init__(
        self,
        shelf: TrackShelf,
        *,
        close_after_s: float,
        time_zone: tzinfo | None,
        piece_points: int = PIECE_POINTS,
        most_points: int = MOST_POINTS,
    ) -> None:
        self._shelf = shelf
        self._close_after_s = close_after_s
        self._time_zone = time_zone
        self._piece_points = piece_points
        self._most_points = most_points

    def ask(
        self,
        camera_id: str,
        scenes: Sequence[SceneRules],
        *,
        start: datetime,
        end: datetime,
        tick: Callable[[], None] = lambda: None,
    ) -> BackTest:
        """Return what each scene's rules would have said of ``start <= captured_at < end``.

        A rule that two scenes share is replayed once.

        Args:
            camera_id: Whose tracks.
            scenes: With their rules, those that are on by default included.
            start: Frames of half an hour before it are read, so that rules know who was there.
            end: The first moment after the span.
            tick: Called often; may raise to give up.
        """
        rules = [rule for scene in scenes for rule in scene.rules]
        pieces = Pieces(
            shelf=self._shelf,
            camera_id=camera_id,
            quiet_s=memory_s(rules, close_after_s=self._close_after_s),
            tick=tick,
            piece_points=self._piece_points,
            most_points=self._most_points,
        )
        collectors = [_Collector(scene, close_after_s=self._close_after_s) for scene in scenes]
        tally = _Tally(start, end)
        for piece in pieces.read(start=start, end=end):
            tally.add(piece)
            self._replay(Sitting(piece), collectors, tick)
        return BackTest(
            camera_id=camera_id,
            start=start,
            end=end,
            kept=tally.kept(pieces),
            outcomes=tuple(collector.outcome(start, end) for collector in collectors),
        )

    def _replay(
        self, sitting: Sitting, collectors: "Sequence[_Collector]", tick: Callable[[], None]
    ) -> None:
        done: list[tuple[SceneRules, RuleReplay]] = []
        for collector in collectors:
            replays = replay_rules(
                sitting,
                collector.scene,
                time_zone=self._time_zone,
                known=_same_rules(collector.scene, done),
                tick=tick,
            )
            done += [(collector.scene, replay) for replay in replays]
            collector.take(sitting, replays)


class _Collector:
    """One scene on its way through the pieces."""

    def __init__(self, scene: SceneRules, *, close_after_s: float) -> None:
        self.scene = scene
        self._merger = IncidentMerger(close_after_s=close_after_s)
        self._said: dict[str, list[RuleEvent]] = {rule.rule_id: [] for rule in scene.rules}

    def take(self, sitting: Sitting, replays: Sequence[RuleReplay]) -> None:
        """Take what the rules said of the next piece."""
        for replay in replays:
            self._said[replay.settings.rule_id] += [one.event for one in replay.said]
        self._merger.read(sitting, replays)

    def outcome(self, start: datetime, end: datetime) -> Outcome:
        """Return what of it lies within a span of time."""
        reasons = why_not(self.scene)
        return Outcome(
            rules=tuple(
                RuleOutcome(
                    settings=rule,
                    events=tuple(e for e in self._said[rule.rule_id] if start <= e.at < end),
                    why_not=reasons.get(rule.rule_id, ""),
                )
                for rule in self.scene.rules
                if rule.is_enabled
            ),
            incidents=tuple(one for one in self._merger.finish() if start <= one.decisive_at < end),
        )


class _Tally:
    """What there was in the span."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self._bounds = micros(start), micros(end)
        self._frames = 0
        self._points = 0
        self._watched = 0
        self._first: int | None = None
        self._last: int | None = None

    def add(self, piece: StoredTracks) -> None:
        start, end = self._bounds
        self._points += piece.points
        captured_F = piece.captured_F[(piece.captured_F >= start) & (piece.captured_F < end)]
        if not len(captured_F):
            return
        self._frames += len(captured_F)
        first = captured_F if self._last is None else np.append(self._last, captured_F)
        gaps = np.diff(first)
        self._watched += int(gaps[(gaps > 0) & (gaps <= _SILENCE_US)].sum())
        self._first = int(captured_F[0]) if self._first is None else self._first
        self._last = int(captured_F[-1])

    def kept(self, pieces: Pieces) -> Kept:
        return Kept(
            frames=self._frames,
            watched_s=self._watched / 1e6,
            first_at=None if self._first is None else moment(self._first),
            last_at=None if self._last is None else moment(self._last),
            points=self._points,
            forced_cuts=pieces.forced_cuts,
            damaged=tuple(pieces.damaged),
        )


def _same_rules(
    scene: SceneRules, done: Sequence[tuple[SceneRules, RuleReplay]]
) -> dict[str, RuleReplay]:
    """Return what is known of a scene's rules from replays of others: same rule, same place."""
    known: dict[str, RuleReplay] = {}
    for other, replay in done:
        settings = replay.settings
        is_same = (
            settings in scene.rules
            and settings.kind is not RuleKind.SEQUENCE
            and scene.calibration == other.calibration
            and _place(settings, scene) == _place(settings, other)
        )
        if is_same:
            known.setdefault(settings.rule_id, replay)
    return known


def _place(settings: RuleSettings, scene: SceneRules) -> tuple[object, object]:
    return (
        next((zone for zone in scene.zones if zone.zone_id == settings.zone_id), None),
        next((line for line in scene.lines if line.line_id == settings.line_id), None),
    )
