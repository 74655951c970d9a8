import pytest

from contracts.cameras import CameraState, CameraStatus
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
    bench.play(4.0)

    assert bench.status().state is CameraState.SEEING


def test_a_few_damaged_pictures_do_not_degrade(bench: Bench) -> None:
    bench.play(3.0)
    bench.keeper.corrupt(3)

    assert bench.status().state is CameraState.SEEING


def test_a_cause_stays_until_a_frame_shows_that_it_is_over(bench: Bench) -> None:
    bench.keeper.connecting()
    bench.keeper.is_out(Phase.BACK_OFF, cause="cannot be reached")
    bench.keeper.connecting()

    assert bench.status().cause == "cannot be reached"
    bench.keeper.decoded(SEEN)

    assert bench.status().cause == ""
    assert bench.status().reconnects == 1
