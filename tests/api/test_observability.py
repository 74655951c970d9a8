import threading

from prometheus_client import CollectorRegistry, Counter

from api.observability import Heartbeat, metrics_text, start_thread
from api.ports import StageHealth
from api.transport.connection import connect
from api.transport.heartbeats import RedisHeartbeats
from contracts.cameras import CameraState, CameraStatus
from ingest.frame_account import FrameAccount
from tests.fakes.clock import START, ManualClock

STAGE_TEXT = (
    '# TYPE vigil_x counter\nvigil_x_total{kind="a"} 2.0\n'
    "# TYPE python_info gauge\npython_info 1.0\n"
)


def test_metrics_of_all_stages_stand_side_by_side() -> None:
    text = metrics_text(stage_texts={"v-1": STAGE_TEXT, "v-2": STAGE_TEXT}, cameras=[])
    assert 'vigil_x_total{instance="v-1",kind="a"} 2.0' in text
    assert 'vigil_x_total{instance="v-2",kind="a"} 2.0' in text
    assert text.count("# TYPE vigil_x_total counter") == 1
    assert "python_info" not in text


def test_a_camera_is_up_only_while_it_sees_and_its_losses_are_named() -> None:
    account = FrameAccount(received=10, queued=1, outcomes={"analysed": 6, "expired": 3}, corrupt=2)
    status = CameraStatus(camera_id="a", state=CameraState.BLIND, phase="stalled", updated_at=START)
    text = metrics_text(stage_texts={}, cameras=[("a", account, status)])
    assert 'vigil_stream_up{camera="a"} 0.0' in text
    assert 'vigil_ingest_frames_total{camera="a"} 10.0' in text
    assert 'vigil_ingest_frames_dropped_total{camera="a",reason="expired"} 3.0' in text
    assert 'vigil_ingest_frames_dropped_total{camera="a",reason="corrupt"} 2.0' in text
    assert 'reason="analysed"' not in text
    assert 'vigil_frame_account_balanced{camera="a"} 1.0' in text


def test_an_account_that_does_not_add_up_shows() -> None:
    text = metrics_text(stage_texts={}, cameras=[("a", FrameAccount(received=3), None)])
    assert 'vigil_frame_account_balanced{camera="a"} 0.0' in text


def test_a_stage_reports_itself_with_its_metrics(redis_url: str) -> None:
    registry = CollectorRegistry()
    Counter("vigil_seen", "Things seen", registry=registry).inc()
    heartbeats = RedisHeartbeats(connect(redis_url))
    process = StageHealth(stage="vision", instance="v-1", pid=3, reported_at=START, restarts=2)
    clock = ManualClock()
    clock.advance(5)
    told = threading.Event()
    told.set()

    Heartbeat(heartbeats, process=process, registry=registry, clock=clock).run(told)

    [health] = heartbeats.stages()
    assert (health.stage, health.restarts, health.reported_at) == ("vision", 2, clock.now())
    assert "vigil_seen_total 1.0" in heartbeats.stage_metrics()["v-1"]


def test_a_part_that_fails_ends_its_stage() -> None:
    stop = threading.Event()

    def fail(_stop: threading.Event) -> None:
        raise ValueError("broken")

    start_thread("part", fail, stop).join(timeout=5)

    assert stop.is_set()
