import pytest

from contracts.cameras import CameraState, CameraStatus, RtspTransport
from ingest.carrier import Changeover
from ingest.changes import CameraChange
from ingest.metrics import CARRIER_CHANGES
from ingest.status import Phase, Seen, StatusKeeper
from tests.fakes.clock import START, ManualClock
from tests.fakes.ports import InMemoryCameras

SEEN = Seen(captured_at=START, width=1920, height=1080, codec="h264", run_id="run1")


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.directory = InMemoryCameras()
        self.keeper = StatusKeeper(
            "gate", directory=self.directory, stall_after_s=5.0, clock=self.clock
        )

        self.keeper.opened()

    def play(self, seconds: float, *, fps: float = 25.0) -> None:
        for _ in range(round(seconds * fps)):
            self.clock.advance(1 / fps)
            self.keeper.decoded(SEEN)

    def status(self) -> CameraStatus:
        self.keeper.publish()
        return self.directory.statuses[-1]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_camera_that_is_being_opened_is_blind(bench: Bench) -> None:
    bench.keeper.connecting()

    assert bench.status().state is CameraState.BLIND
    assert bench.status().phase == "connecting"


def test_the_first_frame_makes_it_live_at_once(bench: Bench) -> None:
    bench.keeper.connecting()
    bench.keeper.decoded(SEEN)

    said = bench.directory.statuses[-1]
    assert (said.phase, said.state, said.cause) == ("live", CameraState.SEEING, "")
    assert (said.width, said.height, said.codec) == (1920, 1080, "h264")
    assert (said.last_frame_at, said.run_id) == (START, "run1")


def test_frames_do_not_each_publish(bench: Bench) -> None:
    bench.play(10.0)

    assert len(bench.directory.statuses) == 1


def test_states_the_rate_of_the_last_seconds(bench: Bench) -> None:
    bench.play(10.0, fps=25.0)
    bench.play(10.0, fps=12.0)

    assert bench.status().source_fps == pytest.approx(12.0, abs=0.1)


@pytest.mark.parametrize(
    ("silent_s", "phase", "state"),
    [(5.0, "live", CameraState.SEEING), (5.1, "stalled", CameraState.BLIND)],
)
def test_silence(bench: Bench, silent_s: float, phase: str, state: CameraState) -> None:
    bench.play(2.0)
    bench.clock.advance(silent_s)

    assert (bench.status().phase, bench.status().state) == (phase, state)


def test_a_stall_is_told_with_its_values_and_ends_with_the_next_frame(bench: Bench) -> None:
    bench.play(2.0)
    bench.clock.advance(12.4)

    assert bench.status().cause == "no frame for 12.4 s (stall_after_s = 5)"
    bench.keeper.decoded(SEEN)

    assert bench.directory.statuses[-1].phase == "live"


def test_damaged_pictures_degrade_and_recovery_is_seen(bench: Bench) -> None:
    bench.play(3.0)
    bench.keeper.corrupt(20)

    assert bench.status().state is CameraState.DEGRADED
    assert "of its pictures arrive damaged" in bench.status().cause
    bench.play(11.0)

    assert bench.status().state is CameraState.SEEING


def test_a_few_damaged_pictures_do_not_degrade(bench: Bench) -> None:
    bench.play(3.0)
    bench.keeper.corrupt(3)

    assert bench.status().state is CameraState.SEEING


def test_a_camera_that_has_sent_nothing_but_damaged_pictures_says_so(bench: Bench) -> None:
    bench.keeper.connecting()
    bench.keeper.opened()
    for _ in range(60):
        bench.clock.advance(0.1)
        bench.keeper.packet()
        bench.keeper.corrupt(1)

    assert bench.status().phase == "wait_key_frame"
    assert "100% of its pictures arrive damaged" in bench.status().cause


def test_a_cause_stays_until_a_frame_shows_that_it_is_over(bench: Bench) -> None:
    bench.keeper.connecting()
    bench.keeper.is_out(Phase.BACK_OFF, cause="cannot be reached")
    bench.keeper.connecting()

    assert bench.status().cause == "cannot be reached"
    bench.keeper.decoded(SEEN)

    assert bench.status().cause == ""
    assert bench.status().reconnects == 1


def test_every_change_of_phase_is_told_once_with_its_cause() -> None:
    bench = Bench()
    told: list[CameraChange] = []
    keeper = StatusKeeper(
        "gate", directory=bench.directory, stall_after_s=5.0, clock=bench.clock, tell=told.append
    )
    keeper.answered()
    keeper.opened()
    bench.clock.advance(2.0)
    keeper.decoded(SEEN)
    bench.clock.advance(6.0)
    for _ in range(3):
        keeper.publish()
    keeper.is_out(Phase.BACK_OFF, cause="cannot be reached")

    assert [(str(change.before), str(change.after)) for change in told] == [
        ("connecting", "handshake"),
        ("handshake", "wait_key_frame"),
        ("wait_key_frame", "live"),
        ("live", "stalled"),
        ("stalled", "back_off"),
    ]
    assert [change.cause for change in told[2:]] == [
        "",
        "no frame for 6.0 s (stall_after_s = 5)",
        "cannot be reached",
    ]
    assert told[2].lasted_s == 2.0


def test_another_carrier_is_told_logged_counted_and_said_until_a_picture_comes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench = Bench()
    told: list[CameraChange] = []
    keeper = StatusKeeper(
        "gate", directory=bench.directory, stall_after_s=5.0, clock=bench.clock, tell=told.append
    )
    counter = CARRIER_CHANGES.labels("gate", "tcp")
    before = counter._value.get()
    keeper.goes_over(
        Changeover(
            before=RtspTransport.UDP, after=RtspTransport.TCP, cause="much is lost", lasted_s=12.0
        )
    )
    keeper.connecting()

    assert bench.directory.statuses[-1].cause == "much is lost"
    [change] = [change for change in told if change.after == "tcp"]
    assert (change.before, change.after, change.at, change.cause) == (
        "udp", "tcp", START, "much is lost",
    )  # fmt: skip
    assert counter._value.get() == before + 1
    assert "camera is read by another carrier" in capsys.readouterr().out
    keeper.decoded(SEEN)
    assert bench.directory.statuses[-1].cause == ""


def test_a_starved_camera_says_so(bench: Bench) -> None:
    bench.keeper = StatusKeeper(
        "gate", directory=bench.directory, stall_after_s=5.0, clock=bench.clock, wanted_fps=5.0
    )
    bench.keeper.opened()
    for _ in range(20):
        bench.play(1.0)
        bench.keeper.publish()
    bench.play(15.0, fps=1.0)

    assert (bench.status().phase, bench.status().state) == ("degraded", CameraState.DEGRADED)
    assert "starved: 1.0 pictures a second" in bench.status().cause
