"""Which incidents repeat what people were told a moment ago (pure).

The cool-down of a rule is about *the same situation*, not about the rule as a whole: within it a
second visitor is news, the first one who steps out and in again is not. Two reasons suppress:

* ``duplicate``: each object that fired the rule already fired it in an earlier alert of the same
  camera, run and rule.
* ``cool_down``: each object appeared in the middle of the picture where an object of such an
  alert was last seen: most likely the same one under a new track id (a tracker that lost someone
  for a moment, a vision worker that was started again).

Whoever comes in over the picture's border is new. In doubt the alert is raised. What is critical,
or more severe than what was told, is never suppressed. A suppressed incident is stored, counted
by reason, and judged again with each revision.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from contracts.alerts import Alert
from contracts.geometry import Box, foot
from contracts.incidents import Incident
from contracts.rules import Severity
from contracts.tracks import Track

_BORDER: Final = 0.03
"""A box this near to the picture's border (share of the picture) belongs to someone coming in."""
_REACH_HEIGHTS: Final = 0.75
"""How far, in heights of the box, someone may seem to move between two tracks while standing:
a box that is cut or doubled by a detector moves by about half its height."""
_PACE_HEIGHTS_PER_S: Final = 0.8
"""Walking pace, 1.4 m/s, of a person 1.75 m tall."""
_WALK_S: Final = 3.0
"""Someone lost for longer could be anywhere, and no longer counts as having walked there."""


class SuppressionReason(StrEnum):
    """Why no alert was raised. Names in the database and in metrics."""

    DUPLICATE = "duplicate"
    COOL_DOWN = "cool_down"
    MIN_SEVERITY = "min_severity"
    """Not a repetition: the policy's threshold. Counted alike, so that nothing is silent."""


def suppression(
    incident: Incident, recent: Sequence[Alert], *, severity: Severity, cooldown_s: float
) -> SuppressionReason | None:
    """Return why the incident repeats a recent alert, or None if people must be told.

    Times are compared by ``decisive_at`` (when it happened), not by when it was processed: after
    an outage the incidents of an hour arrive within a second and are no repetitions.

    Args:
        incident: The one to judge; has no alert yet.
        recent: Alerts of the same camera and rule, in any order.
        severity: That the alert would open with.
        cooldown_s: The rule's cool-down in seconds; 0 suppresses nothing.
    """
    if cooldown_s <= 0 or severity is Severity.CRITICAL:
        return None
    cooldown = timedelta(seconds=cooldown_s)
    told = [
        alert
        for alert in recent
        if alert.incident.incident_id != incident.incident_id
        and abs(incident.decisive_at - alert.incident.decisive_at) < cooldown
        and alert.severity.rank >= severity.rank
    ]
    known = {(a.incident.run_id, e.track_id) for a in told for e in a.incident.rule_events}
    unknown = [
        track_id
        for track_id in {event.track_id for event in incident.rule_events}
        if (incident.run_id, track_id) not in known
    ]
    if not told:
        return None
    if not unknown:
        return SuppressionReason.DUPLICATE
    earlier = [track for alert in told for track in firing_tracks(alert.incident)]
    tracks = {track.track_id: track for track in incident.tracks}
    if all(
        track_id in tracks and _continues_any(tracks[track_id], earlier, cooldown)
        for track_id in unknown
    ):
        return SuppressionReason.COOL_DOWN
    return None


def firing_tracks(incident: Incident) -> list[Track]:
    """Return the tracks that the incident's rules fired for, as far as they came with it."""
    fired = {event.track_id for event in incident.rule_events}
    return [track for track in incident.tracks if track.track_id in fired]


def _continues_any(track: Track, earlier: Sequence[Track], cooldown: timedelta) -> bool:
    return any(_continues(track, former, cooldown) for former in earlier)


def _continues(track: Track, former: Track, cooldown: timedelta) -> bool:
    """Say whether ``track`` is most likely ``former`` under a new id."""
    first, last = track.points[0], former.last
    gap = first.captured_at - last.captured_at
    if not timedelta(0) < gap < cooldown or _touches_border(first.box):
        return False
    height = max(first.box[3] - first.box[1], last.box[3] - last.box[1])
    walked_s = gap.total_seconds() if gap.total_seconds() <= _WALK_S else 0.0
    reach = height * (_REACH_HEIGHTS + _PACE_HEIGHTS_PER_S * walked_s)
    return math.dist(foot(first.box), foot(last.box)) <= reach


def _touches_border(box: Box) -> bool:
    return min(box) <= _BORDER or max(box) >= 1.0 - _BORDER
