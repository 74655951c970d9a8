"""Rows C20 and C21: a camera that sends pictures and shows nothing, seen from the whole Vigil."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos.measured import Measured
from tests.chaos.site import Site
from tests.quirkcam import QuirkCam
from tests.quirkcam.clips import Clip, Mishap, Show, media_of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

MISHAP_AT_S = 12.0


def clip_with(mishap: Mishap, *, show: Show = "yard") -> Clip:
    return Clip(
        show=show,
        width=640,
        height=360,
        begins_s=4.0,
        duration_s=100.0 if mishap == "frozen" else 45.0,
        mishap=mishap,
        mishap_at_s=MISHAP_AT_S,
    )


def until_tamper_s(site: Site, name: str, camera: QuirkCam, *, within_s: float) -> float:
    """Seconds from the first spoilt picture before the lens to the alert about it."""
    number = round(MISHAP_AT_S * 10)
    began_s = site.until(
        lambda: camera.glass_at(number, before=datetime.now(UTC)) is not None, within_s=60.0
    )
    assert began_s < 60.0
    spoilt_at = camera.glass_at(number, before=datetime.now(UTC))
    assert spoilt_at is not None
    told_s = site.until(lambda: site.alerts(name, "tamper"), within_s=within_s)
    if told_s == float("inf"):
        return told_s
    return (datetime.now(UTC) - spoilt_at).total_seconds()


def view_of(site: Site, name: str) -> tuple[str, str]:
    status: dict[str, Any] = site.status(name)
    return str(status.get("state")), str(status.get("cause"))


@pytest.mark.row("C20")
@pytest.mark.parametrize("show", ["yard", "court"])
def test_a_picture_that_stands_still_behind_a_clock_that_runs(
    site: Site, measured: Measured, show: Show
) -> None:
    with (
        QuirkCam(media_of(clip_with("frozen", show=show))) as camera,
        QuirkCam(media_of(Clip(show="court", duration_s=30.0, has_code=False))) as night,
        site.watching(f"c20{show}", camera),
        site.watching(f"c20night{show}", night),
    ):
        site.until_live(f"c20{show}", within_s=30.0)
        told_s = until_tamper_s(site, f"c20{show}", camera, within_s=48.0 + 14.0)
        measured.detected(told_s, at_most_s=60.0)
        false = len(site.alerts(f"c20night{show}", "tamper"))
        measured.note(f"{show}: {false} false at a still, noisy court meanwhile", holds=false == 0)
    measured.hold()


@pytest.mark.row("C21")
@pytest.mark.parametrize("mishap", ["black", "covered", "defocused", "moved"])
def test_a_view_that_is_taken_away(site: Site, measured: Measured, mishap: Mishap) -> None:
    with QuirkCam(media_of(clip_with(mishap))) as camera, site.watching(f"c21{mishap}", camera):
        site.until_live(f"c21{mishap}", within_s=30.0)
        told_s = until_tamper_s(site, f"c21{mishap}", camera, within_s=25.0)
        measured.detected(told_s, at_most_s=10.0)
        time.sleep(1.5)
        state, cause = view_of(site, f"c21{mishap}")
        measured.note(f"{mishap}: {state}, {cause}", holds=state != "seeing")
    measured.hold()
