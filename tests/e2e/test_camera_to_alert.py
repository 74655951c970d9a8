"""One real path: H.264 over RTSP, all stages as processes, a real Redis, SSE and a webhook."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from standardwebhooks import Webhook

from api.rules_file import dump_rules
from ingest.sources.scenes.yard_truth import YARD_RULES
from ingest.sources.synthetic import record_scene
from tests.e2e.system import Endpoint, EventStream, RunningVigil, running, wait_for
from tests.quirkcam import QuirkCam

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

USER, PASSWORD = "viewer", "Wq7-canary-pass"
STAGES = ("ingest", "vision", "moe_core", "alerts", "api")
ALERT_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def yard_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first half minute of the yard: somebody walks into the restricted area."""
    path = tmp_path_factory.mktemp("yard") / "yard.mp4"
    record_scene(path, duration_s=30.0)
    return path


@pytest.fixture
def camera(yard_clip: Path) -> Iterator[QuirkCam]:
    with QuirkCam(yard_clip, user=USER, password=PASSWORD, is_looped=True) as server:
        yield server


def settings_for(camera: QuirkCam, folder: Path) -> str:
    (folder / "gate.rules.json").write_text(json.dumps(dump_rules(YARD_RULES)))
    return (
        "[alerts]\nallow_private_webhooks = true\n"
        f"[[cameras]]\nid = 'gate'\nurl = '{camera.url}'\nrules_file = 'gate.rules.json'\n"
    )


def intrusion(vigil: RunningVigil) -> dict[str, Any] | None:
    """Return an intrusion alert that has been reasoned, if there is one."""
    for alert in vigil.alerts(kind="intrusion"):
        if alert["reasoning"]:
            return alert
    return None


def test_an_intruder_on_a_real_stream_reaches_people_and_systems(
    camera: QuirkCam, tmp_path: Path
) -> None:
    endpoint = Endpoint()
    with running(tmp_path / "state", settings_for(camera, tmp_path)) as vigil:
        hook = vigil.client.post("/api/v1/webhooks", json={"url": endpoint.url}).json()
        stream = EventStream(vigil)

        alert = wait_for(
            lambda: intrusion(vigil), within_s=ALERT_WITHIN_S, what="a reasoned intrusion"
        )

        assert alert["camera_id"] == "gate"
        claims = alert["reasoning"]["claims"]
        assert len(claims) >= 3
        assert {claim["status"] for claim in claims} == {"supported"}

        wait_for(
            lambda: [
                sent
                for sent in stream.named("vigil.alert.opened.v1")
                if sent["data"]["alert_id"] == alert["alert_id"]
            ],
            within_s=5,
            what="the provisional alert on the stream",
        )
        revised = wait_for(
            lambda: [
                sent
                for sent in stream.named("vigil.alert.revised.v1")
                if sent["data"]["alert_id"] == alert["alert_id"]
            ],
            within_s=5,
            what="the revision on the stream",
        )
        assert revised[0]["data"]["reasoning"]["claims"]

        headers, body = wait_for(
            lambda: next(
                (sent for sent in endpoint.received if alert["alert_id"].encode() in sent[1]), None
            ),
            within_s=10,
            what="the webhook",
        )
        verified = Webhook(hook["secret"]).verify(body, headers)
        assert verified["data"]["alert_id"] == alert["alert_id"]

        event = f"/api/v1/events/{alert['event_id']}"
        snapshot = vigil.client.get(f"{event}/snapshot.jpg")
        assert snapshot.content[:2] == b"\xff\xd8"
        clip = wait_for(
            lambda: (
                answer.content
                if (answer := vigil.client.get(f"{event}/clip.mp4")).status_code == 200
                else None
            ),
            within_s=30,
            what="the clip",
        )
        assert clip[4:8] == b"ftyp"

        status = vigil.client.get("/api/v1/cameras/gate/status").json()
        assert status["state"] == "seeing"
        assert status["frames"]["balanced"]
        stream.close()
        metrics = vigil.client.get("/metrics").text
        assert 'vigil_frame_account_balanced{camera="gate"} 1.0' in metrics
        everything = vigil.text + metrics + str(vigil.alerts()) + str(status)
        assert PASSWORD not in everything
        for pid in vigil.stage_pids().values():
            assert PASSWORD not in " ".join(psutil.Process(pid).cmdline())
    assert PASSWORD not in vigil.text
    endpoint.close()


def test_alerts_go_on_when_any_stage_is_killed(camera: QuirkCam, tmp_path: Path) -> None:
    with running(tmp_path / "state", settings_for(camera, tmp_path)) as vigil:
        wait_for(lambda: intrusion(vigil), within_s=ALERT_WITHIN_S, what="the first intrusion")
        first = {alert["alert_id"] for alert in vigil.alerts()}
        before = vigil.stage_pids()
        assert set(before) == set(STAGES)

        for stage in STAGES:
            vigil.kill_stage(stage)
        wait_for(
            lambda: all(vigil.stage_pids().get(stage, old) != old for stage, old in before.items()),
            within_s=5,
            what="the restart of every stage",
        )

        def fresh() -> list[str]:
            try:
                return [
                    alert["alert_id"]
                    for alert in vigil.alerts(kind="intrusion")
                    if alert["alert_id"] not in first and alert["reasoning"]
                ]
            except Exception:  # noqa: BLE001  # the web server is coming back
                return []

        wait_for(fresh, within_s=ALERT_WITHIN_S, what="an intrusion after the kill")
        everything = [alert["alert_id"] for alert in vigil.alerts()]
        assert len(everything) == len(set(everything))
        assert first <= set(everything)

        account = vigil.client.get("/api/v1/cameras/gate/status").json()["frames"]
        assert account["balanced"]
        assert account["received"] > 0


def test_a_second_start_finds_its_state(camera: QuirkCam, tmp_path: Path) -> None:
    settings = settings_for(camera, tmp_path)
    with running(tmp_path / "state", settings) as vigil:
        alert = wait_for(
            lambda: intrusion(vigil), within_s=ALERT_WITHIN_S, what="a reasoned intrusion"
        )
        pids = list(vigil.stage_pids().values())
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)

    with running(tmp_path / "state", settings) as vigil:
        kept = vigil.client.get(f"/api/v1/alerts/{alert['alert_id']}").json()
        assert kept["alert_id"] == alert["alert_id"]
        # The new run closes the incident, which brings its figures up to date: what was claimed
        # then is claimed still.
        claimed, then = (
            {claim["type"] for claim in one["reasoning"]["claims"]} for one in (kept, alert)
        )
        assert claimed >= then
        assert kept["rule"] == alert["rule"]
