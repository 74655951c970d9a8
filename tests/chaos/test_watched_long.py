"""Row C18, last of all: the camera that the other rows had ten minutes to lose."""

import time

import pytest

from tests.chaos.measured import Measured
from tests.chaos.site import Site
from tests.quirkcam import QuirkCam, Quirks
from tests.quirkcam.clips import Clip, media_of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(700)]

WATCHED_S = 600.0
TORN_S = 20.0


@pytest.mark.row("C18")
def test_sessions_are_kept_alive(
    site: Site, long_lived: tuple[QuirkCam, float], measured: Measured
) -> None:
    """Answers GET_PARAMETER with 501; cuts whoever gives no sign of life for 20 s."""
    camera, began_s = long_lived
    time.sleep(max(0.0, began_s + WATCHED_S - time.monotonic()))
    drops = camera.plays_total - 1
    measured.lost(
        f"{drops} drops, {camera.idle_total} for want of a sign of life, in "
        f"{(time.monotonic() - began_s) / 60:.0f} min",
        is_allowed=drops == 0,
    )
    measured.note(f"kept alive by {camera.requests['OPTIONS']} OPTIONS")
    measured.check("not fresh", site.is_fresh("longlived"))
    measured.hold()


@pytest.mark.row("C18")
def test_a_camera_that_refuses_get_parameter(site: Site, measured: Measured) -> None:
    """Says that it knows GET_PARAMETER, answers 454 to it, and counts OPTIONS alone."""
    quirks = Quirks(
        ends_idle=True, session_timeout_s=4, keep_alive="refused_454", rtcp_keeps_alive=False
    )
    with (
        QuirkCam(media_of(Clip(duration_s=4.0)), quirks=quirks) as camera,
        site.watching("c18", camera),
    ):
        site.until_live("c18", within_s=30.0)
        time.sleep(30.0)
        measured.lost(
            f"454: {camera.idle_total} drops in 30 s at a time-out of 4 s",
            is_allowed=camera.idle_total == 0 and camera.plays_total == 1,
        )
        measured.note(
            f"{camera.requests['GET_PARAMETER']} GET_PARAMETER, "
            f"{camera.requests['OPTIONS']} OPTIONS"
        )
    measured.hold()
