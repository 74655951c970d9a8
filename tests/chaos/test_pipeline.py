"""Rows P1 to P6, P8 and P9: processes that are killed, frozen and short of something."""

import os
import resource
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from api.transport.connection import connect
from contracts.clock import SystemClock
from contracts.codec import decode
from contracts.frames import EncodedFrame
from contracts.settings import QueueSettings
from ingest.frame_queue import RedisFrameQueue
from tests.chaos.cgroup import cgroup
from tests.chaos.measured import Measured
from tests.chaos.site import BYSTANDER_FPS, Site, bystander_clip, yard_clip
from tests.fakes.footage import encoded
from tests.quirkcam import QuirkCam
from tests.quirkcam.clips import Clip, media_of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

ONE_INGEST: Final = "[ingest]\ncameras_per_process = 100\n"
"""A fault of one process, with more cameras than a group has."""
INTRUSION_WITHIN_S: Final = 60.0
_BYSTANDER_WATCH_S: Final = 10.0


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    with Site.running(tmp_path) as site:
        yield site


@pytest.fixture
def one_ingest(tmp_path: Path) -> Iterator[Site]:
    with Site.running(tmp_path, ONE_INGEST) as site:
        yield site


@contextmanager
def two_cameras(site: Site) -> Iterator[QuirkCam]:
    """Two live cameras, ``gate`` and ``bystander``."""
    with QuirkCam(bystander_clip()) as camera, QuirkCam(bystander_clip()) as bystander:
        site.add("gate", camera.url)
        site.add("bystander", bystander.url)
        for name in ("gate", "bystander"):
            assert site.until_live(name, within_s=40.0) < 40.0
        yield camera


def until_restarted(site: Site, stage: str, old: int) -> float:
    return site.until(lambda: site.vigil.stage_pids().get(stage, old) != old, within_s=30.0)


@pytest.mark.row("P1")
def test_ingest_is_killed(own_site: Site, measured: Measured) -> None:
    with two_cameras(own_site):
        old = own_site.vigil.stage_pids()["ingest"]
        before = own_site.received("gate")
        began_s = time.monotonic()
        own_site.vigil.kill_stage("ingest")
        measured.detected(until_restarted(own_site, "ingest", old), at_most_s=5.0)
        own_site.until(lambda: own_site.received("gate") > before + 2, within_s=30.0)
        away_s = time.monotonic() - began_s
        measured.recovered(away_s, at_most_s=5.0)
        measured.lost(f"{away_s:.1f} s of video", is_allowed=away_s <= 5.0)
        account = own_site.status("gate")["frames"]
        measured.note("account balanced", holds=account["balanced"])
    measured.hold()


@pytest.mark.row("P2")
def test_vision_is_killed_within_an_incident(own_site: Site, measured: Measured) -> None:
    with QuirkCam(media_of(yard_clip())) as camera:
        own_site.add("gate", camera.url, has_rules=True)
        own_site.until(lambda: own_site.alerts("gate", "intrusion"), within_s=INTRUSION_WITHIN_S)
        first = {alert["alert_id"] for alert in own_site.alerts("gate", "intrusion")}
        old = own_site.vigil.stage_pids()["vision"]
        own_site.vigil.kill_stage("vision")
        measured.detected(until_restarted(own_site, "vision", old), at_most_s=5.0)
        final_s = own_site.until(
            lambda: all(
                alert["phase"] == "final"
                for alert in own_site.alerts("gate", "intrusion")
                if alert["alert_id"] in first
            ),
            within_s=60.0,
        )
        measured.recovered(final_s, at_most_s=45.0)
        told = own_site.alerts("gate", "intrusion")
        again = sorted(len(of_visit) - 1 for of_visit in _visits(camera, told).values())
        measured.lost(
            f"{sum(again)} double of {len(told)} alert(s) about {len(again)} visit(s)",
            is_allowed=not any(again) and first <= {alert["alert_id"] for alert in told},
        )
        account = own_site.status("gate")["frames"]
        measured.note("account balanced", holds=account["balanced"])
    measured.hold()


def _visits(camera: QuirkCam, alerts: list[dict[str, Any]]) -> dict[datetime | None, list[str]]:
    """The ids of alerts by the visit that they are about: the yard is visited once a round."""
    found: dict[datetime | None, list[str]] = {}
    for alert in alerts:
        began_at = datetime.fromisoformat(alert["start"])
        found.setdefault(camera.glass_at(0, before=began_at), []).append(alert["alert_id"])
    return found


@pytest.mark.row("P3")
def test_vision_is_frozen(own_site: Site, measured: Measured) -> None:
    with QuirkCam(media_of(yard_clip())) as camera:
        own_site.add("gate", camera.url, has_rules=True)
        own_site.until_live("gate", within_s=40.0)
        own_site.until(lambda: own_site.lag_s("gate", camera) < 5.0, within_s=30.0)
        vision = own_site.vigil.stage_pids()["vision"]
        os.kill(vision, signal.SIGSTOP)
        time.sleep(3.0)  # after 6 s without heartbeat it is taken for dead
        os.kill(vision, signal.SIGCONT)
        back_s = own_site.until(lambda: own_site.lag_s("gate", camera) <= 2.0, within_s=20.0)
        measured.recovered(back_s, at_most_s=3.0)
        time.sleep(20.0)  # it must have run for 20 s before its silence counts
        os.kill(vision, signal.SIGSTOP)
        backlog, limit = 0, QueueSettings().frames_per_camera

        def is_replaced() -> bool:
            nonlocal backlog
            status = own_site.status("gate")
            backlog = max(backlog, status["frames"]["queued"]) if status else backlog
            return own_site.vigil.stage_pids().get("vision", vision) != vision

        measured.detected(own_site.until(is_replaced, within_s=60.0), at_most_s=30.0)
        measured.note(f"backlog {backlog} of {limit}", holds=backlog <= limit)
        back_s = own_site.until(lambda: own_site.lag_s("gate", camera) <= 2.0, within_s=30.0)
        measured.note(f"frozen for good: replaced, lag <= 2 s after {back_s:.1f} s more")
        account = own_site.status("gate")["frames"]
        measured.note("account balanced", holds=account["balanced"])
    measured.hold()


@pytest.mark.row("P4")
def test_frames_that_poison(own_site: Site, measured: Measured) -> None:
    with QuirkCam(bystander_clip()) as bystander:
        own_site.add("bystander", bystander.url)
        # No ingestor can read it, so that this test is the one that writes its frames.
        own_site.add("gate", "rtsp://127.0.0.1:1/nobody")
        own_site.until_live("bystander", within_s=40.0)
        pids = own_site.vigil.stage_pids()
        redis_url = f"unix://{_socket_of(own_site)}"
        writer = RedisFrameQueue(redis_url, settings=QueueSettings(), clock=SystemClock())
        for seq in range(40):
            frame = _frame_now(seq)
            is_poison = seq in (10, 11, 12, 25)
            writer.put(_poisoned(frame) if is_poison else frame)
            time.sleep(0.2)
        settled_s = own_site.until(lambda: _outcome(own_site, "decode_error") == 4, within_s=10.0)
        account = own_site.status("gate")["frames"]
        lost = account["dropped"] - 4
        measured.note("4 poison frames settled as decode_error", holds=settled_s < 10.0)
        measured.lost(f"{lost} frames more", is_allowed=lost <= 1)
        measured.note("account balanced", holds=account["balanced"])
        measured.check("vision ended", own_site.vigil.stage_pids()["vision"] == pids["vision"])
        writer.close()
    measured.hold()


def _socket_of(site: Site) -> str:
    for child in psutil.Process(site.vigil.pid).children():
        if "redis-server" in child.name():
            return next(str(c.laddr) for c in child.net_connections("unix") if str(c.laddr))
    raise AssertionError("no redis-server")


def _outcome(site: Site, name: str) -> int:
    return int(site.status("gate").get("frames", {}).get("dropped_by_reason", {}).get(name, 0))


def _frame_now(seq: int) -> EncodedFrame:
    frame = encoded(seq, camera_id="gate", run_id="run_poison")
    return replace(frame, header=replace(frame.header, captured_at=datetime.now(UTC)))


def _poisoned(frame: EncodedFrame) -> EncodedFrame:
    return replace(frame, jpeg=b"\xff\xd8 no picture")


@pytest.mark.row("P5")
def test_a_decoder_crashes(tmp_path: Path, measured: Measured) -> None:
    """The process that decodes one camera ends as by a fault in native code."""
    settings = "[ingest]\ncameras_per_process = 1\n"
    with Site.running(tmp_path, settings) as site, two_cameras(site):
        group_of = _groups(site)
        measured.note(
            f"{len(set(group_of.values()))} processes decode 2 cameras",
            holds=group_of["gate"] != group_of["bystander"],
        )
        before = site.vigil.ingest_pids()
        crashed = before[group_of["gate"]]
        changes = site.changes("bystander")
        received = {name: site.received(name) for name in ("gate", "bystander")}
        began_s = time.monotonic()
        os.kill(crashed, signal.SIGSEGV)
        measured.detected(
            site.until(
                lambda: site.vigil.ingest_pids().get(group_of["gate"], crashed) != crashed,
                within_s=30,
            ),
            at_most_s=5.0,
        )
        site.until(lambda: site.received("gate") > received["gate"] + 2, within_s=30.0)
        away_s = time.monotonic() - began_s
        measured.recovered(away_s, at_most_s=5.0)
        time.sleep(max(0.0, _BYSTANDER_WATCH_S - away_s))
        rate = (site.received("bystander") - received["bystander"]) / (time.monotonic() - began_s)
        is_kept = abs(rate - BYSTANDER_FPS) <= 0.1 * BYSTANDER_FPS
        measured.note(f"bystander {rate:.1f} of {BYSTANDER_FPS:g} fps", holds=is_kept)
        ended = [group for group, pid in site.vigil.ingest_pids().items() if before[group] != pid]
        measured.check(f"groups ended: {ended}", ended == [group_of["gate"]])
        measured.check("the bystander's phase changed", site.changes("bystander") == changes)
        for name in ("gate", "bystander"):
            account = site.status(name)["frames"]
            measured.check(f"account of {name} not balanced", account["balanced"])
        measured.note("SIGSEGV told", holds="SIGSEGV" in site.vigil.text)
    measured.hold()


def _groups(site: Site) -> Mapping[str, int]:
    """Which ingest process reads which camera."""
    content = connect(f"unix://{_socket_of(site)}").get("vigil:ingest-groups")
    assert isinstance(content, bytes)
    return decode(content, dict[str, int])


@pytest.mark.row("P6")
def test_a_stage_runs_out_of_memory(one_ingest: Site, measured: Measured) -> None:
    with two_cameras(one_ingest), cgroup("memory", {"memory.limit_in_bytes": 8 << 20}) as group:
        old = one_ingest.vigil.stage_pids()["ingest"]
        began_s = time.monotonic()
        (group / "cgroup.procs").write_text(str(old))  # what it holds stays outside the limit
        # Each further camera needs more than is left.
        clips = [QuirkCam(media_of(Clip(duration_s=4.0, width=1280, height=720))) for _ in range(4)]
        for index, camera in enumerate(clips):
            camera.__enter__()
            one_ingest.add(f"more{index}", camera.url)
        gone_s = until_restarted(one_ingest, "ingest", old)
        measured.note(f"killed and replaced after {gone_s:.0f} s", holds=gone_s < 30.0)
        measured.recovered(one_ingest.until_live("gate", within_s=30.0), at_most_s=10.0)
        new = one_ingest.vigil.stage_pids()["ingest"]
        time.sleep(max(0.0, 30.0 - (time.monotonic() - began_s)))
        again = one_ingest.vigil.stage_pids()["ingest"] != new
        measured.note("no further restart within 30 s", holds=not again)
        for camera in clips:
            camera.__exit__(None, None, None)
    measured.hold()


@pytest.mark.row("P8")
def test_no_file_descriptor_is_left(one_ingest: Site, measured: Measured) -> None:
    with two_cameras(one_ingest):
        ingest = one_ingest.vigil.stage_pids()["ingest"]
        hard = resource.prlimit(ingest, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(ingest, resource.RLIMIT_NOFILE, (64, hard))
        small = media_of(Clip(duration_s=4.0, width=160, height=96, fps=5))
        cameras = [QuirkCam(small) for _ in range(70)]
        for index, camera in enumerate(cameras):
            camera.__enter__()
            one_ingest.add(f"more{index}", camera.url)

        def causes() -> set[str]:
            said = (one_ingest.status(f"more{index}").get("cause", "") for index in range(70))
            return {str(cause).split(";")[0].split(" ", 1)[-1] for cause in said} - {""}

        # Until ingest has come to them, "no ingest stage has reported" is said of all.
        one_ingest.until(lambda: any("open files" in cause for cause in causes()), within_s=30.0)
        told = causes()
        measured.note(f"refused: {sorted(told)[:2]}", holds=any("open files" in c for c in told))
        measured.lost(
            "no crash",
            is_allowed=one_ingest.vigil.stage_pids().get("ingest") == ingest,
        )
        # For a while: what is told of it, and not only what was told before, must be fresh.
        time.sleep(_BYSTANDER_WATCH_S)
        before = one_ingest.received("gate")
        time.sleep(_BYSTANDER_WATCH_S)
        fps = (one_ingest.received("gate") - before) / _BYSTANDER_WATCH_S
        measured.note(f"first camera {fps:.1f} of 5 fps", holds=fps > 0.9 * BYSTANDER_FPS)
        measured.check("the first camera stayed", one_ingest.is_fresh("gate"))
        resource.prlimit(ingest, resource.RLIMIT_NOFILE, (4096, hard))
        measured.recovered(one_ingest.until_live("more69", within_s=60.0), at_most_s=35.0)
        for camera in cameras:
            camera.__exit__(None, None, None)
    measured.hold()


@pytest.mark.row("P9")
def test_no_shared_memory_is_left(tmp_path: Path, measured: Measured) -> None:
    prefix = ("unshare", "-m", "sh", "-c",
              'mount -t tmpfs -o size=4k tmpfs /dev/shm && exec "$@"', "sh")  # fmt: skip
    with Site.running(tmp_path, prefix=prefix) as site, QuirkCam(media_of(yard_clip())) as camera:
        site.add("gate", camera.url, has_rules=True)
        took_s = site.until(lambda: site.alerts("gate", "intrusion"), within_s=INTRUSION_WITHIN_S)
        account = site.status("gate")["frames"]
        measured.note(f"intrusion told after {took_s:.0f} s", holds=took_s < INTRUSION_WITHIN_S)
        measured.lost("0 SIGBUS", is_allowed="SIGBUS" not in site.vigil.text)
        measured.note("account balanced", holds=account["balanced"])
    measured.hold()
