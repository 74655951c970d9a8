"""What must hold when parts fail: a killed Redis, a worker killed in mid-incident, a full disk."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.rules_file import dump_rules
from api.transport.redis_server import EmbeddedRedis
from contracts.clock import SystemClock
from ingest.sources.scenes.yard_truth import YARD_RULES
from ingest.sources.synthetic import record_scene
from tests.e2e.system import MOTION, Endpoint, RunningVigil, running, wait_for
from tests.quirkcam import QuirkCam

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

STAGES = ("vision", "alerts", "moe_core", "ingest", "api")
CANARY = "Zq9canaryPass"
READABLE = (
    "/api/v1/cameras",
    "/api/v1/cameras/wrong",
    "/api/v1/cameras/away/status",
    "/api/v1/alerts",
    "/api/v1/events",
    "/api/v1/webhooks",
    "/api/v1/system",
    "/metrics",
    "/readyz",
)


def intrusions(vigil: RunningVigil) -> list[dict[str, Any]]:
    try:
        return [alert for alert in vigil.alerts(kind="intrusion") if alert["reasoning"]]
    except httpx.HTTPError:
        return []  # the web server or its storage is coming back


def redis_pid(vigil: RunningVigil) -> int:
    children = psutil.Process(vigil.pid).children()
    return next(child.pid for child in children if "redis-server" in child.name())


def test_one_visitor_is_one_alert_although_every_stage_is_killed_meanwhile(tmp_path: Path) -> None:
    with running(tmp_path / "state", "") as vigil:
        [first] = wait_for(lambda: intrusions(vigil), within_s=45, what="the intrusion")
        for stage in (*STAGES, "vision"):
            old = vigil.stage_pids()[stage]
            vigil.kill_stage(stage)
            wait_for(
                lambda stage=stage, old=old: vigil.stage_pids().get(stage, old) != old,  # type: ignore[misc]
                within_s=5,
                what=f"the restart of {stage}",
            )

        final = wait_for(
            lambda: [alert for alert in intrusions(vigil) if alert["phase"] == "final"],
            within_s=45,
            what="the end of the intrusion",
        )

        assert [alert["alert_id"] for alert in final] == [first["alert_id"]]
        assert [alert["alert_id"] for alert in intrusions(vigil)] == [first["alert_id"]]
        account = vigil.client.get("/api/v1/cameras/yard/status").json()["frames"]
        assert account["balanced"]


def test_a_killed_redis_and_then_a_killed_supervisor_cost_no_alert(tmp_path: Path) -> None:
    vigil = RunningVigil(tmp_path / "state", "")
    first_redis = redis_pid(vigil)
    os.kill(first_redis, signal.SIGKILL)
    wait_for(lambda: intrusions(vigil), within_s=45, what="an intrusion")
    assert redis_pid(vigil) != first_redis
    before = {alert["alert_id"] for alert in vigil.alerts()}
    orphan = psutil.Process(redis_pid(vigil))
    stages = [process for process in vigil.kill() if process != orphan]
    assert len(stages) == len(STAGES)
    assert psutil.wait_procs(stages, timeout=12)[1] == []
    assert orphan.is_running()

    again = RunningVigil(tmp_path / "state", "")
    try:
        assert not orphan.is_running()
        assert before <= {alert["alert_id"] for alert in again.alerts()}
        account = again.client.get("/api/v1/cameras/yard/status").json()["frames"]
        assert account["balanced"]
    finally:
        code = again.stop(signal.SIGTERM)
    assert code == 0, again.text
    assert "Traceback" not in vigil.text + again.text


def test_cameras_that_fail_touch_no_other_and_tell_no_secret(tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(b"no video " * 500)
    clip = tmp_path / "short.mp4"
    record_scene(clip, duration_s=2.0)
    endpoint = Endpoint()
    with QuirkCam(clip, user="viewer", password="wanted") as server:  # noqa: S106  # of this test
        wrong_url = server.bare_url.replace("rtsp://", f"rtsp://viewer:{CANARY}@")
        urls = {
            "good": "synthetic:yard",
            "wrong": wrong_url,
            "away": f"rtsp://viewer:{CANARY}@127.0.0.1:1/live",
            "noise": str(noise),
        }
        (tmp_path / "yard.rules.json").write_text(json.dumps(dump_rules(YARD_RULES)))
        settings = "[alerts]\nallow_private_webhooks = true\n" + "".join(
            f"[[cameras]]\nid = '{name}'\nurl = '{url}'\nrules_file = 'yard.rules.json'\n"
            for name, url in urls.items()
        )
        with running(tmp_path / "state", settings) as vigil:
            refused = _second_instance(tmp_path / "state")
            hook = vigil.client.post("/api/v1/webhooks", json={"url": endpoint.url}).json()
            [alert] = wait_for(lambda: intrusions(vigil), within_s=45, what="an intrusion")
            wait_for(lambda: endpoint.received, within_s=10, what="the webhook")

            assert alert["camera_id"] == "good"
            causes = {
                name: vigil.client.get(f"/api/v1/cameras/{name}/status").json()["cause"]
                for name in urls
            }
            assert causes["good"] == ""
            assert "refused the credentials (401)" in causes["wrong"]
            assert "cannot be reached (Connection refused)" in causes["away"]
            assert "is not a video that can be read" in causes["noise"]
            answers = [vigil.client.get(path).text for path in READABLE]
            commands = [
                " ".join(process.info["cmdline"] or ())
                for process in psutil.process_iter(["cmdline"])
            ]
        everything = "\n".join([vigil.text, str(causes), refused, *answers, *commands])
    endpoint.close()
    assert CANARY not in everything
    assert hook["secret"] not in everything
    assert "another Vigil (process " in refused
    assert "Traceback" not in everything


def _second_instance(data_dir: Path) -> str:
    """Return what a second start on the same data folder says."""
    command = [sys.executable, "-m", "api", "run", "--port", "0", "--data-dir", str(data_dir)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 2
    return answer.stderr


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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        **MOTION,
        "VIGIL_REDIS_URL": server.url,
        "VIGIL_DATA_DIR": str(tmp_path / "state"),
        "VIGIL_API__PORT": str(port),
    }
    vigil = [sys.executable, "-m", "api"]
    stages = [
        subprocess.Popen([*vigil, "run", "--only", stage], env=environment) for stage in STAGES
    ]
    try:
        base_url = f"http://127.0.0.1:{port}"
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
