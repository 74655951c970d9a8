from contracts.frames import FrameOutcome


def test_only_looking_at_a_frame_is_no_loss() -> None:
    kept = {outcome for outcome in FrameOutcome if not outcome.is_loss}
    assert kept == {FrameOutcome.ANALYSED, FrameOutcome.GATED}
