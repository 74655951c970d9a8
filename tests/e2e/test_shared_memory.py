"""A whole Vigil whose frames go through shared memory, or as JPEG where they are told to."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.system import RunningVigil, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def frames(vigil: RunningVigil) -> dict[str, Any]:
    try:
        answer = vigil.client.get("/api/v1/cameras/yard/status")
    except httpx.HTTPError:
        return {}
    found: dict[str, Any] = answer.json().get("frames", {})
    return found


def analysed(vigil: RunningVigil, *, more_than: int, carrier: str) -> dict[str, Any]:
    """Wait until so many frames were analysed and the newest came that way; return the account."""

    def account() -> dict[str, Any] | None:
        found = frames(vigil)
        is_so = found.get("carrier") == carrier and found["analysed"] > more_than
        return found if is_so else None

    found: dict[str, Any] = wait_for(account, within_s=60, what=f"frames by {carrier}")
    return found


def intrusions(vigil: RunningVigil) -> list[dict[str, Any]]:
    return [one for one in vigil.alerts(kind="intrusion") if one["evidence"]["snapshot"]]


def test_pixels_are_shared_also_after_ingest_was_killed_and_none_is_left_at_the_end(
    tmp_path: Path,
) -> None:
    settings = f"[queue]\nshared_memory_folder = '{tmp_path}'\n"
    with running(tmp_path / "state", settings) as vigil:
        before = analysed(vigil, more_than=5, carrier="memory")
        [ring] = tmp_path.rglob("*.ring")
        vigil.kill_stage("ingest")

        after = analysed(vigil, more_than=before["analysed"] + 10, carrier="memory")
        rings = list(tmp_path.rglob("*.ring"))
        assert len(rings) == 1, "that of the killed process is removed"
        assert rings != [ring]
        assert after["balanced"]
        [alert] = wait_for(lambda: intrusions(vigil), within_s=60, what="the intrusion")
        picture = vigil.client.get(alert["evidence"]["snapshot"])
        assert picture.content.startswith(b"\xff\xd8")
        assert vigil.client.get("/api/v1/cameras/yard/latest.jpg").content[:2] == b"\xff\xd8"

    assert list(tmp_path.rglob("*.ring")) == []


def test_with_the_setting_at_0_frames_go_as_jpeg(tmp_path: Path) -> None:
    settings = f"[queue]\nshared_memory_mb = 0\nshared_memory_folder = '{tmp_path}'\n"
    with running(tmp_path / "state", settings) as vigil:
        assert analysed(vigil, more_than=5, carrier="jpeg")["balanced"]
        assert wait_for(lambda: intrusions(vigil), within_s=60, what="the intrusion")
        assert list(tmp_path.glob("vigil-*")) == []
