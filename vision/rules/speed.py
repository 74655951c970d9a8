"""Rule kind ``speed``: a track is faster on the ground than is allowed, in metres per second."""

from typing import Final

from contracts.errors import ConfigError
from contracts.geometry import Zone
from contracts.rules import RuleSettings
from vision.ground import GroundPlane
from vision.rules.ground_pace import GroundMeter
from vision.rules.pace import HOLD_S, PaceRule
from vision.rules.rule import Params

THRESHOLD_MPS: Final = 8.33
"""Default: 30 km/h, the limit of many sites."""
SURE_SIGMAS: Final = 1.0
"""The lower bound of a speed, its value less so many uncertainties, must be above the threshold."""


class SpeedRule(PaceRule):
    """Reports who is surely faster than ``threshold_mps`` over a second or two, for ``hold_s``.

    Surely is by the lower bound: the speed less its standard uncertainty.

    Params: ``threshold_mps`` (8.33, which is 30 km/h), ``hold_s`` (0.4). Needs the scene's
    calibration. Where the ground is near the horizon, or the box is cut off by the picture's edge,
    nothing is measured.

    Raises:
        ConfigError: The scene has no calibration.
    """

    def __init__(
        self, settings: RuleSettings, *, zone: Zone | None, ground: GroundPlane | None
    ) -> None:
        if ground is None:
            raise ConfigError(
                f"rule {settings.rule_id} ({settings.kind}): needs the scene's calibration, four "
                "points of the ground in the picture and in metres"
            )
        params = Params(settings)
        threshold = params.number("threshold_mps", THRESHOLD_MPS, least=0.1)
        hold_s = params.number("hold_s", HOLD_S)
        params.done()
        super().__init__(
            settings,
            zone=zone,
            meter=GroundMeter(ground),
            threshold=threshold,
            hold_s=hold_s,
            unit="m/s",
            labels=settings.labels,
            sigmas=SURE_SIGMAS,
        )
