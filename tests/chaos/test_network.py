"""Rows C1 to C7, C16, C17, C22 to C24: the way to the camera, seen from the whole Vigil."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

import psutil
import pytest

from tests.chaos.measured import Measured
from tests.chaos.site import Site, yard_clip
from tests.faultproxy import Faults, TcpProxy
from tests.quirkcam import QuirkCam, Quirks
from tests.quirkcam.clips import Clip, media_of, path_of

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

SHORT = Clip(duration_s=4.0)
LIVE_WITHIN_S = 30.0
PATIENCE_S = 25.0
RIGHT, WRONG = "Rt2-right-canary", "Kx4-wrong-canary"


@pytest.mark.row("C1")
def test_a_camera_that_refuses(site: Site, measured: Measured) -> None:
    with QuirkCam(media_of(SHORT)) as camera, site.watching("c1", camera):
        assert site.until_live("c1", within_s=LIVE_WITHIN_S) < LIVE_WITHIN_S
        camera.refuse_connections()
        camera.drop_connections()
        measured.detected(site.until_out("c1", within_s=PATIENCE_S), at_most_s=5.0)
        time.sleep(6.0)
        camera.accept_connections()
        measured.recovered(site.until_live("c1", within_s=PATIENCE_S), at_most_s=10.0)
    measured.hold()


@pytest.mark.row("C2")
def test_a_connection_that_is_half_open(site: Site, measured: Measured) -> None:
    with QuirkCam(media_of(SHORT)) as camera, TcpProxy(camera.port) as proxy:
        camera.stand_behind(proxy.port)
        with site.watching("c2", camera):
            assert site.until_live("c2", within_s=LIVE_WITHIN_S) < LIVE_WITHIN_S
            proxy.faults = Faults(is_hanging=True)
            measured.detected(site.until_out("c2", within_s=PATIENCE_S), at_most_s=6.0)
            time.sleep(6.0)
            proxy.reset()
            proxy.faults = Faults()
            measured.recovered(site.until_live("c2", within_s=PATIENCE_S), at_most_s=10.0)
    measured.hold()


def told(site: Site, camera_id: str, words: str) -> bool:
    return words in str(site.status(camera_id).get("cause", ""))


@pytest.mark.row("C3")
def test_a_camera_that_accepts_and_says_nothing(site: Site, measured: Measured) -> None:
    with QuirkCam(media_of(SHORT), quirks=Quirks(is_silent=True)) as camera:
        began_s = time.monotonic()
        with site.watching("c3", camera):
            while not camera.connections_total:
                time.sleep(0.02)
            after_s = time.monotonic() - began_s
            words = "did not answer in time"
            heard_s = site.until(lambda: told(site, "c3", words), within_s=PATIENCE_S)
            measured.detected(heard_s, at_most_s=5.5)
            measured.note(f"opened {after_s:.1f} s after it was added")
        freed_s = site.until(lambda: camera.connections == 0, within_s=10.0)
        measured.note("connection given up", holds=freed_s < 10.0)
    measured.hold()


@pytest.mark.row("C4")
@pytest.mark.parametrize(
    "quirks",
    [
        pytest.param(Quirks(drip_every_s=0.5), id="drip"),
        pytest.param(Quirks(floods_headers=True), id="flood"),
    ],
)
def test_an_answer_that_never_ends(site: Site, measured: Measured, quirks: Quirks) -> None:
    with QuirkCam(media_of(SHORT), quirks=quirks) as camera, site.watching("c4", camera):
        while not camera.connections_total:
            time.sleep(0.02)
        before = {pid: process.memory_info().rss for pid, process in site.ingest().items()}
        # A flood may be refused as soon as it is seen to be one.
        heard_s = site.until(
            lambda: (
                told(site, "c4", "did not answer in time") or told(site, "c4", "a head of more")
            ),
            within_s=PATIENCE_S,
        )
        measured.detected(heard_s, at_most_s=5.5)
        time.sleep(8.0)
        now = {pid: process.memory_info().rss for pid, process in site.ingest().items()}
        growth = max(now[pid] / rss - 1.0 for pid, rss in before.items() if pid in now)
        measured.note(f"RSS of ingest {growth:+.1%}", holds=growth < 0.05)
    measured.hold()


@contextmanager
def camera_process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A camera in a process of its own, and its URL."""
    command = [sys.executable, "-m", "tests.quirkcam", str(path_of(SHORT))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, f"rtsp://127.0.0.1:{process.stdout.readline().strip()}/live"
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.row("C5")
def test_a_camera_that_freezes(site: Site, measured: Measured) -> None:
    with camera_process() as (process, url), site.watching("c5", url):
        assert site.until_live("c5", within_s=LIVE_WITHIN_S) < LIVE_WITHIN_S
        process.send_signal(signal.SIGSTOP)
        measured.detected(site.until_out("c5", within_s=PATIENCE_S), at_most_s=6.0)
        time.sleep(6.0)
        process.send_signal(signal.SIGCONT)
        measured.recovered(site.until_live("c5", within_s=PATIENCE_S), at_most_s=10.0)
    measured.hold()


@pytest.mark.row("C6")
def test_udp_that_loses_packets(site: Site, measured: Measured) -> None:
    media = media_of(yard_clip())
    with ExitStack() as stack:
        cameras = {
            name: stack.enter_context(QuirkCam(media, quirks=Quirks(loss=loss)))
            for name, loss in (("clean", 0.0), ("loss5", 0.05), ("loss20", 0.2))
        }
        for name, camera in cameras.items():
            stack.enter_context(site.watching(name, camera, transport="udp_only", has_rules=True))
        site.until(lambda: site.received("clean") > 5, within_s=LIVE_WITHIN_S)
        degraded_s = site.until(
            lambda: site.status("loss20").get("state") in ("degraded", "blind"),
            within_s=PATIENCE_S,
        )
        measured.detected(degraded_s, at_most_s=10.0)
        time.sleep(max(0.0, 35.0 - degraded_s))
        kinds = {name: [alert["kind"] for alert in site.alerts(name)] for name in cameras}
        counts = {name: len(found) for name, found in kinds.items()}
        status = {name: site.status(name) for name in cameras}
        corrupt = {name: status[name]["frames"]["corrupt"] for name in cameras}
        received = {name: status[name]["frames"]["received"] for name in cameras}
    for name, found in kinds.items():
        state, cause = status[name]["state"], status[name].get("cause", "")
        measured.note(f"{name} {state} ({cause}), told: {', '.join(found) or 'nothing'}")
    measured.note(f"received {received}")
    measured.note(f"alerts {counts}", holds=max(counts.values()) <= counts["clean"] + 1)
    # Whatever else is told than the intruder is false, and must not stand in his place.
    false = {name: sum(kind != "intrusion" for kind in found) for name, found in kinds.items()}
    measured.note(f"false {false}", holds=max(false.values()) <= false["clean"] + 1)
    measured.note(f"corrupt {corrupt}", holds=corrupt["loss20"] > corrupt["clean"])
    measured.hold()


@pytest.mark.row("C6")
@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_udp_that_loses_packets_is_given_up_for_tcp(
    site: Site, measured: Measured, loss: float
) -> None:
    name = f"over{loss:.0%}".removesuffix("%")
    with QuirkCam(media_of(yard_clip()), quirks=Quirks(loss=loss)) as camera:
        site.add(name, camera.url, transport="udp", has_rules=True)
        try:
            site.until(lambda: site.received(name) + corrupt(site, name) > 0, within_s=PATIENCE_S)
            told_s = site.until(lambda: site.carriers(name) == ["tcp"], within_s=PATIENCE_S)
            measured.detected(told_s, at_most_s=15.0)
            damaged, visits = corrupt(site, name), len(site.alerts(name, "intrusion"))
            whole_s = site.until(
                lambda: site.status(name).get("state") == "seeing", within_s=PATIENCE_S
            )
            measured.recovered(whole_s, at_most_s=10.0)
            found_s = site.until(
                lambda: len(site.alerts(name, "intrusion")) > visits, within_s=60.0
            )
            more = corrupt(site, name) - damaged
            measured.note(
                f"{loss:.0%}: the next visit told {found_s:.1f} s later", holds=found_s < 60.0
            )
            # The status is told once a second: what was damaged before is counted until then.
            measured.note(f"{more} damaged pictures since it was told", holds=more <= 15)
            measured.note(f"{camera.plays_total} connections", holds=site.carriers(name) == ["tcp"])
        finally:
            site.remove(name)
    measured.hold()


def corrupt(site: Site, camera_id: str) -> int:
    return int(site.status(camera_id).get("frames", {}).get("corrupt", 0))


@pytest.mark.row("C7")
def test_a_line_too_thin_for_the_stream(site: Site, measured: Measured) -> None:
    fat = Clip(
        width=640,
        height=360,
        duration_s=80.0,  # a picture that comes again would hide that it is old
        bit_rate=4_000_000,
        options="nal-hrd=cbr:vbv-maxrate=4000:vbv-bufsize=4000",
    )

    def is_seeing() -> bool:
        return bool(site.status("c7").get("state") == "seeing")

    with QuirkCam(media_of(fat)) as camera, TcpProxy(camera.port) as proxy:
        camera.stand_behind(proxy.port)
        with site.watching("c7", camera):
            assert site.until(is_seeing, within_s=LIVE_WITHIN_S) < LIVE_WITHIN_S
            proxy.faults = Faults(rate_bps=500_000)
            blind_s = site.until(lambda: site.status("c7").get("state") == "blind", within_s=20.0)
            measured.note(f"blind after {blind_s:.1f} s", holds=blind_s < 10.0)
            time.sleep(max(0.0, 20.0 - blind_s))
            shown = [seen for _ in range(20) if (seen := shown_as_live(site, "c7", camera))]
            measured.note(f"{len(shown)} of 20 looks met a picture that is said to be live")
            lag_s = max((lag_s for lag_s, _ in shown), default=0.0)
            measured.check(f"lag of what is shown as live {lag_s:.1f} s", lag_s <= 2.0)
            status = site.status("c7")
            measured.note(f"told: {status['cause']}", holds="sub-stream" in status["cause"])
            measured.note(
                f"queued {status['frames']['queued']}", holds=status["frames"]["queued"] <= 16
            )
            proxy.faults = Faults()
            measured.recovered(site.until(is_seeing, within_s=PATIENCE_S), at_most_s=10.0)
    measured.hold()


def shown_as_live(site: Site, camera_id: str, camera: QuirkCam) -> tuple[float, str] | None:
    """Lag and phase of a picture that people are given and that is not said to be none of now."""
    time.sleep(0.3)
    lag_s, status = site.lag_s(camera_id, camera), site.status(camera_id)
    if lag_s == float("inf") or status.get("state") == "blind":
        return None
    return lag_s, str(status.get("phase"))


@pytest.mark.row("C16")
def test_refused_credentials_are_not_tried_again_soon(site: Site, measured: Measured) -> None:
    with (
        QuirkCam(media_of(SHORT), user="admin", password=RIGHT) as camera,
        QuirkCam(
            media_of(SHORT), user="admin", password=RIGHT, quirks=Quirks(nonce_lasts=2)
        ) as forgetful,
        site.watching("c16", camera.url.replace(RIGHT, WRONG)),
        site.watching("c16stale", forgetful),
    ):
        heard_s = site.until(lambda: site.phase("c16") == "failed_auth", within_s=PATIENCE_S)
        measured.detected(heard_s, at_most_s=10.0)
        stale_s = site.until_live("c16stale", within_s=LIVE_WITHIN_S)
        measured.note(f"stale nonce: live after {stale_s:.1f} s", holds=stale_s < LIVE_WITHIN_S)
        tries = camera.requests["DESCRIBE"]
        time.sleep(15.0)
        more = camera.requests["DESCRIBE"] - tries
        cause = site.status("c16")["cause"]
        wait = int(cause.rsplit("trying again in ", 1)[-1].split(" ")[0])
        measured.note(f"{more} attempts in 15 s, next in {wait} s", holds=more == 0 and wait >= 300)
        measured.check("the secret was told", WRONG not in site.vigil.text + cause)
    measured.hold()


@pytest.mark.row("C17")
def test_a_redirect_is_not_followed(site: Site, measured: Measured) -> None:
    with (
        QuirkCam(media_of(SHORT)) as inner,
        QuirkCam(media_of(SHORT), quirks=Quirks(redirect_to=inner.bare_url)) as outer,
        site.watching("c17", outer),
    ):
        asked_s = site.until(lambda: outer.requests["DESCRIBE"] > 0, within_s=PATIENCE_S)
        assert asked_s < PATIENCE_S
        time.sleep(4.0)
        cause = str(site.status("c17").get("cause", ""))
        measured.lost(
            f"{inner.connections_total} connections", is_allowed=inner.connections_total == 0
        )
        measured.note("told as a redirect", holds="redirect" in cause.lower())
    measured.hold()


def _cpu_s(processes: Mapping[int, psutil.Process]) -> dict[int, float]:
    """Seconds that each process has used; those that ended are left out."""
    found: dict[int, float] = {}
    for pid, process in processes.items():
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            found[pid] = used.user + used.system
    return found


@pytest.mark.row("C22")
def test_fifty_cameras_that_flap(site: Site, measured: Measured) -> None:
    names = [f"flap{index}" for index in range(50)]
    small = media_of(Clip(duration_s=4.0, width=160, height=96, fps=5))
    is_over = threading.Event()
    with ExitStack() as stack:
        cameras = [stack.enter_context(QuirkCam(small)) for _ in names]

        def flap() -> None:
            while not is_over.wait(5.0):
                for camera in cameras:
                    camera.drop_connections()

        for name, camera in zip(names, cameras, strict=True):
            stack.enter_context(site.watching(name, camera))
        flapping = threading.Thread(target=flap, daemon=True)
        flapping.start()
        time.sleep(20.0)
        ingest = site.ingest()
        fds, before_s, began_s = site.ingest_fds(), _cpu_s(ingest), time.monotonic()
        opened = sum(camera.connections_total for camera in cameras)
        time.sleep(30.0)
        used_s = _cpu_s(ingest)
        measured.check("a process of ingest ended", used_s.keys() == before_s.keys())
        spent_s = sum(after_s - before_s[pid] for pid, after_s in used_s.items())
        share = spent_s / (time.monotonic() - began_s)
        attempts = sum(camera.connections_total for camera in cameras) - opened
        measured.note(
            f"CPU of ingest {share:.0%} of a core, {len(ingest)} processes",
            holds=share / (os.cpu_count() or 1) < 0.6,
        )
        grown = site.ingest_fds() - fds
        # A leak grows; how many are open at one moment depends on how many cameras are up.
        measured.note(f"fds {fds}{grown:+d}", holds=grown <= 60)
        measured.note(f"{attempts / 30:.0f} attempts/s", holds=attempts > 0)
        is_over.set()
        flapping.join(10)
        calm_s = site.until(
            lambda: all(site.phase(name) == "live" for name in names[:10]), within_s=60.0
        )
        measured.recovered(calm_s, at_most_s=35.0)
    left = site.until(lambda: site.ingest_fds() < fds, within_s=30.0)
    measured.note("fds given back", holds=left < 30.0)
    measured.hold()


@pytest.mark.row("C23")
def test_garbage_between_packets(site: Site, measured: Measured) -> None:
    with (
        QuirkCam(media_of(SHORT), quirks=Quirks(garbage_every_s=5.0)) as camera,
        site.watching("c23", camera),
    ):
        assert site.until_live("c23", within_s=LIVE_WITHIN_S) < LIVE_WITHIN_S
        longest_s, changed_s, known = 0.0, time.monotonic(), 0
        until_s = changed_s + 30.0
        while (now_s := time.monotonic()) < until_s:
            received = site.received("c23")
            longest_s = max(longest_s, now_s - changed_s)
            if received != known:
                known, changed_s = received, now_s
            time.sleep(0.1)
        measured.recovered(longest_s, at_most_s=5.0)
        measured.note(f"{known} frames and {camera.plays_total} connections in 30 s")
    measured.hold()


@pytest.mark.row("C24")
def test_a_name_that_resolves_late_and_elsewhere(site: Site, measured: Measured) -> None:
    """The hosts file stands for DNS: ingest asks the same resolver for both."""
    name = "quirkcam-chaos.test"
    with (
        QuirkCam(media_of(SHORT)) as camera,
        site.watching("c24", camera.url.replace("127.0.0.1", name)),
    ):
        camera.bare_url = camera.bare_url.replace("127.0.0.1", name)
        heard_s = site.until(lambda: told(site, "c24", "host's name right?"), within_s=PATIENCE_S)
        measured.detected(heard_s, at_most_s=10.0)
        with _resolving(name, "127.0.0.1"):
            measured.recovered(site.until_live("c24", within_s=45.0), at_most_s=35.0)
        with _resolving(name, "127.0.0.2"):  # where nobody listens
            camera.drop_connections()
            heard_s = site.until(lambda: told(site, "c24", "refused"), within_s=PATIENCE_S)
            measured.detected(heard_s, at_most_s=10.0)
        with _resolving(name, "127.0.0.1"):
            measured.recovered(site.until_live("c24", within_s=45.0), at_most_s=35.0)
        measured.note(f"{camera.plays_total} connections", holds=camera.plays_total == 2)
    measured.hold()


@contextmanager
def _resolving(name: str, address: str) -> Iterator[None]:
    try:
        with open("/etc/hosts", "r+") as hosts:  # noqa: PTH123  # one handle for both
            before = hosts.read()
            hosts.write(f"{address} {name}\n")
    except PermissionError:
        pytest.fail("needs to write /etc/hosts")
    try:
        yield
    finally:
        with suppress(OSError), open("/etc/hosts", "w") as hosts:  # noqa: PTH123
            hosts.write(before)
