"""A crash in a decoder: the cameras of other groups do not notice."""

import os
import signal
from pathlib import Path
from typing import Any

from ingest.phases import Phase
from tests.e2e.system import RunningVigil, running, wait_for
from tests.fakes.clips import walker_path
from tests.quirkcam import QuirkCam


def status(vigil: RunningVigil, camera_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = vigil.client.get(f"/api/v1/cameras/{camera_id}/status").json()
    return answer


def changes(vigil: RunningVigil, camera_id: str) -> list[str]:
    """Its phases; how much of it is looked at depends on what else the machine does."""
    items = vigil.client.get(f"/api/v1/cameras/{camera_id}/changes").json()["items"]
    return [item["after"] for item in reversed(items) if item["after"] in set(Phase)]


def test_a_native_crash_takes_its_own_group_along_and_no_other(tmp_path: Path) -> None:
    with QuirkCam(walker_path()) as server:
        settings = "[ingest]\ncameras_per_process = 1\n" + "".join(
            f'[[cameras]]\nid = "{name}"\nurl = "{server.url}"\n' for name in ("a", "b")
        )
        with running(tmp_path / "state", settings) as vigil:
            for name in ("a", "b"):
                wait_for(
                    lambda name=name: status(vigil, name)["phase"] == "live",  # type: ignore[misc]
                    within_s=30,
                    what=f"camera {name}",
                )
            before = vigil.ingest_pids()
            assert set(before) == {1, 2}

            os.kill(before[2], signal.SIGSEGV)
            wait_for(
                lambda: vigil.ingest_pids().get(2, before[2]) != before[2],
                within_s=10,
                what="another process",
            )
            wait_for(
                lambda: len(changes(vigil, "b")) > 3 and changes(vigil, "b")[-1] == "live",
                within_s=15,
                what="camera b again",
            )

            assert vigil.ingest_pids()[1] == before[1]
            assert changes(vigil, "a") == ["handshake", "wait_key_frame", "live"]
            path = "/api/v1/cameras/a/coverage"
            wait_for(
                lambda: vigil.client.get(path).json()["total"]["seeing_s"] > 1,
                within_s=15,
                what="coverage of camera a",
            )
        assert "SIGSEGV" in vigil.text
