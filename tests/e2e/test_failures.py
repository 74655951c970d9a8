"""What must hold when parts fail: a killed Redis, a worker killed in mid-incident, a full disk."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.transport.redis_server import EmbeddedRedis
from contracts.clock import SystemClock
from tests.e2e.system import RunningVigil, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

STAGES = ("vision", "alerts", "moe_core", "ingest", "api")


def intrusions(vigil: RunningVigil) -> list[dict[str, Any]]:
    try:
        return [alert for alert in vigil.alerts(kind="intrusion") if alert["reasoning"]]
    except httpx.HTTPError:
        return []  # the web server or its storage is coming back


def redis_pid(vigil: RunningVigil) -> int:
    children = psutil.Process(vigil.pid).children()
    return next(child.pid for child in children if "redis-server" in child.name())


def test_alerts_go_on_when_redis_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "state", "") as vigil:
        before = redis_pid(vigil)
        os.kill(before, signal.SIGKILL)

        [alert] = wait_for(lambda: intrusions(vigil), within_s=45, what="an intrusion")

        assert redis_pid(vigil) != before
        assert alert["camera_id"] == "yard"
        account = vigil.client.get("/api/v1/cameras/yard/status").json()["frames"]
        assert account["balanced"]


def test_one_visitor_is_one_alert_although_vision_is_killed_meanwhile(tmp_path: Path) -> None:
    with running(tmp_path / "state", "") as vigil:
        [first] = wait_for(lambda: intrusions(vigil), within_s=45, what="the intrusion")
        for _ in range(2):
            old = vigil.stage_pids()["vision"]
            vigil.kill_stage("vision")
            wait_for(
                lambda old=old: vigil.stage_pids().get("vision", old) != old,  # type: ignore[misc]
                within_s=5,
                what="the restart of vision",
            )

        final = wait_for(
            lambda: [alert for alert in intrusions(vigil) if alert["phase"] == "final"],
            within_s=45,
            what="the end of the intrusion",
        )

        assert [alert["alert_id"] for alert in final] == [first["alert_id"]]
        assert [alert["alert_id"] for alert in intrusions(vigil)] == [first["alert_id"]]


def test_a_full_disk_costs_the_pictures_and_not_the_alert(tmp_path: Path) -> None:
    settings = f"[alerts]\nevidence_min_free_bytes = {10**15}\n"
    with running(tmp_path / "state", settings) as vigil:
        [alert] = wait_for(lambda: intrusions(vigil), within_s=45, what="an intrusion")

        assert {claim["status"] for claim in alert["reasoning"]["claims"]} == {"supported"}
        event = f"/api/v1/events/{alert['event_id']}"
        answer = vigil.client.get(f"{event}/snapshot.jpg")
        assert answer.status_code == 404
        assert "evidence: " in answer.json()["detail"]


def test_stages_in_separate_shells_do_the_same_job(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "redis", clock=SystemClock())
    server.start()
    environment = {
        **os.environ,
        "VIGIL_REDIS_URL": server.url,
        "VIGIL_DATA_DIR": str(tmp_path / "state"),
        "VIGIL_API__PORT": "18493",
    }
    vigil = [sys.executable, "-m", "api"]
    stages = [
        subprocess.Popen([*vigil, "run", "--only", stage], env=environment) for stage in STAGES
    ]
    try:
        base_url = "http://127.0.0.1:18493"
        wait_for(lambda: _is_ready(base_url), within_s=40, what="readiness")
        answer = subprocess.run(
            [*vigil, "sign-in-link"], env=environment, capture_output=True, text=True, check=True
        )
        with httpx.Client(base_url=base_url, headers={"Origin": base_url}) as client:
            link = answer.stdout.strip().partition("#link=")[2]
            client.post("/api/v1/sign-in", json={"link": link}).raise_for_status()
            alerts = wait_for(
                lambda: [
                    alert
                    for alert in client.get("/api/v1/alerts").json()["items"]
                    if alert["reasoning"]
                ],
                within_s=45,
                what="a reasoned alert",
            )
            assert alerts[0]["camera_id"] == "yard"
    finally:
        for process in stages:
            process.terminate()
        codes = [process.wait(timeout=20) for process in stages]
        server.stop()
    assert codes == [0] * len(STAGES)


def _is_ready(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/readyz", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
