"""How ``scripts.core_recordings`` labels what was reported of a recording."""

import pytest

from api.evaluation import TOLERANCE_S, LabelledClip, LabelledEvent
from contracts.reasoning import Finding
from scripts.core_recordings import TRAINABLE, Listener, is_real
from tests.moe_core.checking import LINE, ZONE

CLIP = LabelledClip(
    video="intel/a.mp4",
    duration_s=60.0,
    events=(LabelledEvent(kind="intrusion", start_s=10.0, end_s=20.0),),
)


@pytest.mark.parametrize(
    ("start_s", "end_s", "real"),
    [
        pytest.param(12.0, 13.0, True, id="within"),
        pytest.param(5.0, 30.0, True, id="around"),
        pytest.param(20.0 + TOLERANCE_S, 30.0, True, id="just after"),
        pytest.param(20.1 + TOLERANCE_S, 30.0, False, id="too late"),
        pytest.param(0.0, 10.0 - TOLERANCE_S, True, id="just before"),
        pytest.param(0.0, 9.9 - TOLERANCE_S, False, id="too early"),
    ],
)
def test_what_is_labelled_at_that_time_is_real(start_s: float, end_s: float, real: bool) -> None:
    assert is_real(ZONE, CLIP, start_s=start_s, end_s=end_s) is real


def test_what_is_labelled_as_another_kind_is_not() -> None:
    assert not is_real(LINE, CLIP, start_s=12.0, end_s=13.0)


def test_the_listener_keeps_every_revision_and_reasons_as_the_program() -> None:
    listener = Listener()
    finding: Finding = listener.reason(ZONE)
    listener.reason(LINE)

    assert listener.incidents == [ZONE, LINE]
    assert finding.reasoning.reasoner == "program"


def test_folders_are_told_from_files_that_begin_alike() -> None:
    assert all(folder.endswith("/") for folder in TRAINABLE)
