"""Rule kind ``zone_entry``: a track comes into a zone, or appears in it."""

from typing import Final

from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from vision.kinematics import foot_jitter, seen_points
from vision.observation import Observation
from vision.rules.rule import Measured, Params, state_event
from vision.rules.stay import GRACE_S, Stays

FRAMES: Final = 2
"""Default: one point inside may be one wrong box."""


class ZoneEntryRule:
    """Reports each entry once: from outside to inside, or by appearing inside.

    Params: ``frames`` (2), points inside in a row that make an entry; ``grace_s`` (2.0), an
    absence of up to this long is no exit, so coming back from it is no entry.

    The value is the depth of the foot in the zone, picture units, against a threshold of 0.

    Source: ONVIF Analytics Service Specification, ``FieldDetector``; the grace period is ours.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone) -> None:
        params = Params(settings)
        self.settings = settings
        self._zone = zone
        self._frames = params.number("frames", FRAMES, least=1)
        self._stays = Stays(zone, grace_s=params.number("grace_s", GRACE_S), labels=settings.labels)
        params.done()

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``."""
        events = []
        for track, stay in self._stays.update(seen):
            if stay.is_reported or stay.frames_inside < self._frames:
                continue
            stay.is_reported = True
            measured = Measured(
                since_s=stay.since_s,
                since_at=stay.since_at,
                value=self._zone.depth(standing_point(track.last.box)),
                threshold=0.0,
                sigma=foot_jitter(seen_points(track)),
                unit="picture",
                detail={},
            )
            events.append(
                state_event(self.settings, track=track, header=seen.header, measured=measured)
            )
        return events

    def present(self) -> frozenset[str]:
        """See ``Rule.present``."""
        return self._stays.present()
