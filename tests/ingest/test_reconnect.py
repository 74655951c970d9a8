import random

import pytest

from contracts.settings import IngestSettings
from ingest.errors import CredentialsRefused, SourceRejected, SourceUnavailable
from ingest.reconnect import Reconnect

SETTINGS = IngestSettings(back_off_max_s=30.0, auth_retry_s=300.0)
GONE = SourceUnavailable("gate", "gone")


class HighestChance(random.Random):
    """The longest wait that jitter allows."""

    def uniform(self, a: float, b: float) -> float:
        return b


def reconnect() -> Reconnect:
    return Reconnect(SETTINGS, chance=HighestChance())


def test_waits_double_up_to_the_longest() -> None:
    tries = reconnect()

    waits = [tries.wait_after(GONE, now_s=float(now_s)) for now_s in range(9)]

    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_jitter_spreads_waits_over_the_whole_range() -> None:
    waits = []
    for seed in range(200):
        tries = Reconnect(SETTINGS, chance=random.Random(seed))  # noqa: S311  # jitter, no secret
        tries.wait_after(GONE, now_s=0.0)
        waits.append(tries.wait_after(GONE, now_s=0.0))

    assert 0.0 <= min(waits) < 0.1
    assert 0.9 < max(waits) <= 1.0


@pytest.mark.parametrize(
    ("live_s", "wait_s"),
    [
        pytest.param(60.0, 0.5, id="a minute of frames forgives earlier failures"),
        pytest.param(59.9, 4.0, id="a stream that keeps breaking is tried ever more slowly"),
    ],
)
def test_a_camera_that_was_well(live_s: float, wait_s: float) -> None:
    tries = reconnect()
    for _ in range(3):
        tries.wait_after(GONE, now_s=0.0)

    tries.went_live(now_s=100.0)
    tries.went_live(now_s=100.0 + live_s)

    assert tries.wait_after(GONE, now_s=100.0 + live_s) == wait_s


def test_refused_credentials_are_tried_slowly_since_cameras_lock_accounts() -> None:
    assert reconnect().wait_after(CredentialsRefused("gate", "401"), now_s=0.0) == 300.0


def test_a_path_that_is_not_there_is_tried_at_the_longest_ordinary_wait() -> None:
    assert reconnect().wait_after(SourceRejected("gate", "404"), now_s=0.0) == 30.0


def test_a_camera_that_stays_away_for_weeks_is_still_tried() -> None:
    tries = reconnect()

    waits = [tries.wait_after(GONE, now_s=float(now_s)) for now_s in range(3000)]

    assert waits[-1] == 30.0
