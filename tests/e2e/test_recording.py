"""A camera that is recorded by the whole of Vigil, over a kill of the process that does it."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from api.__main__ import main
from tests.e2e.system import RunningVigil, running, wait_for
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.mp4_parts import pictures_in
from tests.quirkcam import QuirkCam

GATE = "/api/v1/cameras/gate"
WITHIN_S = 120.0


def recording(vigil: RunningVigil) -> dict[str, Any] | None:
    """How its recording is doing; nothing while the API is starting, or that is not known."""
    try:
        found: dict[str, Any] | None = vigil.client.get(GATE).json()["status"]["recording"]
    except httpx.TransportError:
        return None
    return found


def parts(vigil: RunningVigil) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = vigil.client.get(f"{GATE}/recordings").json()["items"]
    return items


def still_of(vigil: RunningVigil) -> str | None:
    stills = (alert["evidence"]["still"] for alert in vigil.alerts())
    return next((still for still in stills if still), None)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_recorded_camera_keeps_all_but_the_second_in_which_it_was_killed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with QuirkCam(walker_path(WalkerClip(width=640, height=360))) as server:
        settings = f"[[cameras]]\nid = 'gate'\nurl = '{server.url}'\nrecord = true\n"
        with running(state, settings) as vigil:
            said = wait_for(
                lambda: (found := recording(vigil)) and found["recording_since"] and found,
                within_s=WITHIN_S,
                what="recording",
            )
            assert said["problem"] == ""
            still = wait_for(lambda: still_of(vigil), within_s=WITHIN_S, what="a still")
            assert vigil.client.get(still).content[:2] == b"\xff\xd8"
            assert parts(vigil) == []  # the first minute is not over

            vigil.kill_stage("ingest")
            [part, *_] = wait_for(lambda: parts(vigil), within_s=WITHIN_S, what="a part")

            kept = tmp_path / "part.mp4"
            kept.write_bytes(vigil.client.get(part["url"]).content)
            assert pictures_in(kept) == pytest.approx(part["duration_s"] * 10, abs=1)
            assert main(["fsck", "--data-dir", str(state)]) == 0
            wait_for(
                lambda: (found := recording(vigil)) and found["recording_since"],
                within_s=WITHIN_S,
                what="recording again",
            )
    assert main(["fsck", "--data-dir", str(state), "--settled-minutes", "0"]) == 0
    assert list((state / "recordings").rglob("*.part")) == []
