"""How much of a time a camera was really watched, and why not: watched every second, kept for good.

"No alert" is evidence only for the time that is covered.
"""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from alerts.history.watches import Watch, WatchLog
from contracts.cameras import Camera, CameraState, CameraStatus
from contracts.clock import Clock
from contracts.errors import TransportUnavailable

log = structlog.get_logger()

LOOK_EVERY_S: Final = 1.0
LONGEST_GAP_S: Final = 3.0
"""Two looks farther apart than this say nothing about what lies between."""
STALE_S: Final = 3.0
"""An ingestor says how its cameras are each second; older news means that it is gone."""
_KEEP_EVERY_S: Final = 10.0
_FORGET_EVERY_S: Final = 3600.0
_KEPT_FOR: Final = timedelta(days=400)
_NUMBERS: Final = re.compile(r"\d+(?:\.\d+)?")
_GONE: Final = "no ingest stage has reported on it"


class Watcher:
    """Turns what is said of the cameras, look by look, into watches.

    Pure: statuses and times are given. A cause whose figures change (``no frame for 12 s``) is the
    same cause; the watch keeps its first words.
    """

    def __init__(self) -> None:
        self._open: dict[str, Watch] = {}

    def look(self, statuses: Iterable[CameraStatus], *, at: datetime) -> list[Watch]:
        """Take in one look; return the watches that it began or ended."""
        changed: list[Watch] = []
        seen: set[str] = set()
        for said in statuses:
            status = _fresh(said, at=at)
            seen.add(status.camera_id)
            watch = self._open.get(status.camera_id)
            is_near = watch is not None and _is_near(watch.ended_at, at)
            if watch is not None and is_near and _is_same(watch, status):
                self._open[status.camera_id] = replace(watch, ended_at=at)
                continue
            if watch is not None:
                # What lies between two near looks belongs to the first.
                changed.append(replace(watch, ended_at=at) if is_near else watch)
            self._open[status.camera_id] = Watch(
                camera_id=status.camera_id,
                started_at=at,
                ended_at=at,
                state=status.state,
                phase=status.phase,
                cause=status.cause,
            )
            changed.append(self._open[status.camera_id])
        for camera_id in set(self._open) - seen:
            changed.append(self._open.pop(camera_id))
        return changed

    @property
    def open(self) -> list[Watch]:
        """The watches that go on, as far as they reach."""
        return list(self._open.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Seconds of one interval by what the camera was; they add up to its length."""

    starts_at: datetime
    ends_at: datetime
    seeing_s: float
    degraded_s: float
    blind_s: float
    unknown_s: float

    @property
    def share(self) -> float:
        """Share (0..1) in which the camera was not blind, and somebody was there to say so."""
        length_s = (self.ends_at - self.starts_at).total_seconds()
        seen_s = self.seeing_s + self.degraded_s
        return min(1.0, seen_s / length_s) if length_s > 0 else 0.0


def covered(watches: Sequence[Watch], starts_at: datetime, ends_at: datetime) -> Covered:
    """Return how an interval was covered by watches that do not overlap."""
    seconds = dict.fromkeys(CameraState, 0.0)
    for watch in watches:
        inside = min(watch.ended_at, ends_at) - max(watch.started_at, starts_at)
        seconds[watch.state] += max(0.0, inside.total_seconds())
    length_s = (ends_at - starts_at).total_seconds()
    return Covered(
        starts_at=starts_at,
        ends_at=ends_at,
        seeing_s=seconds[CameraState.SEEING],
        degraded_s=seconds[CameraState.DEGRADED],
        blind_s=seconds[CameraState.BLIND],
        unknown_s=max(0.0, length_s - sum(seconds.values())),
    )


def covered_by_step(
    watches: Sequence[Watch], starts_at: datetime, ends_at: datetime, *, step: timedelta
) -> list[Covered]:
    """Return how each step of a time was covered; the last may be shorter."""
    found: list[Covered] = []
    while starts_at < ends_at:
        until = min(starts_at + step, ends_at)
        inside = [watch for watch in watches if watch.started_at < until]
        inside = [watch for watch in inside if watch.ended_at > starts_at]
        found.append(covered(inside, starts_at, until))
        starts_at = until
    return found


def keep_watch(
    *,
    cameras: Callable[[], Sequence[Camera]],
    status: Callable[[Camera], CameraStatus],
    watch_log: WatchLog,
    clock: Clock,
    stop: threading.Event,
) -> None:
    """Look at all cameras each second until ``stop``, and keep what was seen.

    A database that is away costs nothing but the time that a crash of this process would lose:
    watches that could not be kept are kept with the next.
    """
    watcher = Watcher()
    unkept: dict[tuple[str, datetime], Watch] = {}
    kept_s = forgot_s = clock.monotonic_s()
    while not stop.wait(LOOK_EVERY_S):
        now_s = clock.monotonic_s()
        try:
            found = watcher.look((status(camera) for camera in cameras()), at=clock.now())
            if now_s - kept_s >= _KEEP_EVERY_S:
                found += watcher.open
                kept_s = now_s
            unkept.update({(watch.camera_id, watch.started_at): watch for watch in found})
            if unkept:
                watch_log.keep(list(unkept.values()))
                unkept.clear()
            if now_s - forgot_s >= _FORGET_EVERY_S:
                watch_log.forget_before(clock.now() - _KEPT_FOR)
                forgot_s = now_s
        except TransportUnavailable as error:
            log.debug("coverage cannot be kept now", cause=str(error))
    try:
        watch_log.keep([*unkept.values(), *watcher.open])
    except TransportUnavailable as error:
        log.warning("the last seconds of coverage are lost", cause=str(error))


def _fresh(status: CameraStatus, *, at: datetime) -> CameraStatus:
    if (at - status.updated_at).total_seconds() <= STALE_S:
        return status
    return replace(status, state=CameraState.BLIND, phase="unknown", cause=_GONE)


def _is_near(before: datetime, at: datetime) -> bool:
    return 0 <= (at - before).total_seconds() <= LONGEST_GAP_S


def _is_same(watch: Watch, status: CameraStatus) -> bool:
    return (watch.state, watch.phase, _NUMBERS.sub("#", watch.cause)) == (
        status.state,
        status.phase,
        _NUMBERS.sub("#", status.cause),
    )
