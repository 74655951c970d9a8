"""Rule kind ``loiter``: somebody stays in a zone for longer than passing takes."""

from typing import Final

from contracts.geometry import Zone
from contracts.rules import RuleSettings
from vision.rules.stay import DwellRule

THRESHOLD_S: Final = 30.0
"""Default: crossing a yard takes less, waiting for a chance takes more."""


class LoiterRule(DwellRule):
    """Reports each track once, when it has stayed in the zone for ``threshold_s``.

    Params: ``threshold_s`` (30), ``grace_s`` (2.0). An absence of up to ``grace_s`` does not
    end a stay; a longer silence does, and what follows is a new stay.

    Source: ONVIF Analytics Service Specification, topic
    ``tns1:RuleEngine/LoiteringDetector/ObjectIsLoitering``. The grace period is ours; the
    specification has none.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone) -> None:
        super().__init__(settings, zone=zone, default_threshold_s=THRESHOLD_S)
