"""No secret in any log, error, metric, answer, event or command line of a whole Vigil."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.rules_file import dump_rules
from ingest.sources.scenes.yard_truth import YARD_RULES
from tests.e2e.system import Endpoint, EventStream, RunningVigil, running, wait_for
from tests.http_camera import HttpServer
from tests.onvif_device import FakeProfile, OnvifServer
from tests.quirkcam import QuirkCam, Quirks
from tests.quirkcam.clips import Clip, media_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CAMERA, WRONG, QUERY, UNREACHABLE, REDIRECTED, PASSWORD, BY_HTTP, BY_ONVIF = (
    f"Cnry{index}x7Qz{index}" for index in range(8)
)
USER = "Cnry-user-5k"
CAMERA_SECRETS = (CAMERA, WRONG, QUERY, UNREACHABLE, REDIRECTED, BY_HTTP, BY_ONVIF, USER)


def system_of(pid: int) -> Iterator[psutil.Process]:
    process = psutil.Process(pid)
    yield process
    yield from process.children(recursive=True)


def command_lines(pid: int) -> str:
    lines = []
    for process in system_of(pid):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            lines.append(" ".join(process.cmdline()))
    return "\n".join(lines)


def known_ids(vigil: RunningVigil, hook: dict[str, Any]) -> dict[str, list[str]]:
    """Values for the parameters of paths."""
    cameras = [item["id"] for item in vigil.client.get("/api/v1/cameras").json()["items"]]
    alerts = vigil.alerts()
    return {
        "camera_id": cameras,
        "alert_id": [alert["alert_id"] for alert in alerts[:2]],
        "event_id": [alert["event_id"] for alert in alerts[:2]],
        "webhook_id": [hook["id"]],
        "frame_id": ["f_1"],
        "name": ["app.js"],
    }


def every_answer(vigil: RunningVigil, hook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Ask for everything that can be read: each GET of the description, with every known id."""
    described = vigil.client.get("/api/v1/openapi.json").json()["paths"]
    ids = known_ids(vigil, hook)
    for path, methods in described.items():
        if "get" not in methods or path.endswith("/stream"):
            continue
        name = re.search(r"\{(\w+)\}", path)
        for value in ids.get(name[1], ["unknown"]) if name else [""]:
            target = re.sub(r"\{\w+\}", value, path, count=1)
            target = re.sub(r"\{(\w+)\}", lambda m: ids.get(m[1], ["unknown"])[0], target)
            answer = vigil.client.get(target)
            yield target, f"{answer.headers} {answer.text}"


def probes(vigil: RunningVigil, urls: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is said of cameras that are tried before they are added."""
    for name in ("wrong", "away", "moved", "web-wrong", "device", "device-wrong"):
        body = {"source": {"url": urls[name]}}
        answer = vigil.client.post("/api/v1/cameras/probe", json=body, timeout=30.0)
        assert answer.json()["ok"] == (name == "device")
        yield f"probe of {name}", f"{answer.headers} {answer.text}"


def refusals(vigil: RunningVigil) -> Iterator[tuple[str, str]]:
    """What is said to requests that are wrong and hold a secret."""
    url = f"rtsp://{USER}:{CAMERA}@camera/live"
    client = vigil.client
    wrong: list[tuple[str, str, Any]] = [
        ("POST", "/api/v1/cameras", {"id": "Bad Id", "source": {"url": url}}),
        ("POST", "/api/v1/cameras", {"id": "x", "source": {"url": url, "type": "file"}}),
        ("POST", "/api/v1/cameras", {"id": "x", "source": {"url": f"rtsp:/{USER}:{CAMERA}@h"}}),
        ("POST", "/api/v1/cameras", {"id": "x", "source": url}),
        ("PATCH", "/api/v1/cameras/sound", {"source": {"url": url, "transport": "pigeon"}}),
        ("POST", "/api/v1/webhooks", {"url": f"http://{USER}:{CAMERA}@127.0.0.1/x"}),
        ("POST", "/api/v1/sign-in", {"password": PASSWORD, "name": "nobody"}),
        ("PUT", "/api/v1/me/password", {"password": PASSWORD, "current_password": CAMERA}),
        ("GET", f"/api/v1/cameras/{CAMERA}", None),
    ]
    for method, path, body in wrong:
        with suppress(httpx.HTTPError):
            answer = client.request(method, path, json=body)
            is_own_path = CAMERA in path  # a path is said by whoever asks for it
            yield f"{method} {path}", "" if is_own_path else f"{answer.headers} {answer.text}"
    raw = client.post("/api/v1/cameras", content=f'{{"source": "{url}"'.encode())
    yield "broken JSON", raw.text


def test_no_secret_leaves_by_any_door(tmp_path: Path) -> None:
    clip = media_of(Clip(duration_s=4.0))
    yard = Clip(show="yard", width=640, height=360, begins_s=4.0, duration_s=20.0)
    endpoint = Endpoint()
    (tmp_path / "yard.rules.json").write_text(json.dumps(dump_rules(YARD_RULES)))
    with (
        QuirkCam(media_of(yard), user=USER, password=CAMERA) as sound,
        QuirkCam(clip, user=USER, password=CAMERA, scheme="basic") as strict,
        QuirkCam(clip, quirks=Quirks(garbage_every_s=1.0, drop_after_s=3.0)) as broken,
        QuirkCam(
            clip, quirks=Quirks(redirect_to=f"rtsp://{USER}:{REDIRECTED}@127.0.0.1:1/x")
        ) as moved,
        HttpServer(user=USER, password=CAMERA) as web,
        OnvifServer(
            user=USER, password=CAMERA, profiles=[FakeProfile(profile_id="main", url=sound.url)]
        ) as device,
    ):
        urls = {
            "sound": sound.url,
            "wrong": strict.url.replace(CAMERA, WRONG),
            "query": f"{broken.bare_url}?user={USER}&token={QUERY}",
            "away": f"rtsp://{USER}:{UNREACHABLE}@127.0.0.1:1/live",
            "moved": moved.url,
            "web": web.url("/mjpeg"),
            "web-wrong": web.url("/mjpeg").replace(CAMERA, BY_HTTP),
            "device": device.url,
            "device-wrong": device.url.replace(CAMERA, BY_ONVIF),
        }
        settings = "log_level = 'debug'\n[alerts]\nallow_private_webhooks = true\n" + "".join(
            f"[[cameras]]\nid = '{name}'\nurl = '{url}'\nrules_file = 'yard.rules.json'\n"
            for name, url in urls.items()
        )
        with running(tmp_path / "state", settings) as vigil:
            hook = vigil.client.post("/api/v1/webhooks", json={"url": endpoint.url}).json()
            token = vigil.client.post("/api/v1/tokens", json={"name": "canary"}).json()["token"]
            events = EventStream(vigil)
            wait_for(lambda: vigil.alerts(kind="intrusion"), within_s=60, what="an intrusion")
            wait_for(lambda: endpoint.received, within_s=15, what="the webhook")
            wait_for(
                lambda: vigil.client.get("/api/v1/cameras/wrong/status").json()["cause"],
                within_s=20,
                what="the refused camera's cause",
            )
            vigil.kill_stage("ingest")  # what a restart says is said as well
            answers = dict(every_answer(vigil, hook)) | dict(refusals(vigil))
            answers |= dict(probes(vigil, urls))
            commands = command_lines(vigil.pid)
            hooks = str([(headers, body) for headers, body in endpoint.received])
            streamed = str(events.events)
            events.close()
        log = vigil.text.partition("sign-in#link=")[2].partition("\n")[2]
    endpoint.close()
    doors = answers | {"log": log, "commands": commands, "hooks": hooks, "stream": streamed}
    secrets = (*CAMERA_SECRETS, PASSWORD, hook["secret"], token)
    told = {
        door: [secret for secret in secrets if secret in content] for door, content in doors.items()
    }
    assert {door: found for door, found in told.items() if found} == {}
    assert len(doors) > 30
