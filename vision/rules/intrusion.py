"""Rule kind ``intrusion``: something is in a zone where nothing should be."""

from typing import Final

from contracts.geometry import Zone
from contracts.rules import RuleSettings
from vision.rules.stay import DwellRule

THRESHOLD_S: Final = 0.5
"""Default: long enough that one wrong box does not alarm, short enough to be at once."""


class IntrusionRule(DwellRule):
    """Reports each stay of a track in the zone once it has lasted ``threshold_s``.

    Params: ``threshold_s`` (0.5), ``grace_s`` (2.0). An absence of up to ``grace_s`` does not
    end a stay.

    Source: ONVIF Analytics Service Specification, topic
    ``tns1:RuleEngine/FieldDetector/ObjectsInside``. Threshold and grace are ours.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone) -> None:
        super().__init__(settings, zone=zone, default_threshold_s=THRESHOLD_S)
