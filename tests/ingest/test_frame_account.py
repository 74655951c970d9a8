import pytest

from ingest.frame_account import FrameAccount


def test_an_account_balances_when_every_frame_has_one_end_or_waits() -> None:
    account = FrameAccount(received=10, queued=2, outcomes={"analysed": 5, "queue_full": 3})
    assert account.is_balanced
    assert account.settled == 8


@pytest.mark.parametrize("queued", [1, 3])
def test_a_lost_or_doubled_frame_unbalances_it(queued: int) -> None:
    assert not FrameAccount(received=10, queued=queued, outcomes={"analysed": 8}).is_balanced
