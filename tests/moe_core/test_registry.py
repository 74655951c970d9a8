"""Which reasoner is at work: the program unless another is chosen and can be read."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from contracts.settings import ReasoningSettings
from moe_core.core_reasoner import CoreReasoner
from moe_core.decoding import Floors
from moe_core.model.weights import SHIPPED as SHIPPED_WEIGHTS
from moe_core.model.weights import Calibration, write_core
from moe_core.program import ProgramReasoner
from moe_core.registry import SHIPPED, open_reasoner
from tests.fakes.clock import ManualClock
from tests.moe_core.checking import ZONE
from tests.moe_core.cores import network_of


def test_the_program_reasons_where_nothing_is_said() -> None:
    reasoner = open_reasoner(ReasoningSettings(), clock=ManualClock())

    assert isinstance(reasoner, ProgramReasoner)


def test_a_path_of_weights_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    write_core(path, network_of(1), floors=Floors(), calibration=Calibration(),
               kinds=("intrusion",))  # fmt: skip

    reasoner = open_reasoner(ReasoningSettings(reasoner=str(path)), clock=ManualClock())

    assert isinstance(reasoner, CoreReasoner)
    assert reasoner.reason(ZONE).reasoning.reasoner == "core"


@pytest.mark.parametrize("content", [None, b"", b"\x00" * 64])
def test_weights_that_cannot_be_read_are_said_and_the_program_reasons(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "own.safetensors"
    if content is not None:
        path.write_bytes(content)
    with capture_logs() as logs:
        reasoner = open_reasoner(ReasoningSettings(reasoner=str(path)), clock=ManualClock())

    assert isinstance(reasoner, ProgramReasoner)
    [entry] = logs
    assert entry["log_level"] == "error"
    assert str(path) in entry["cause"]


def test_the_core_that_ships_is_where_training_exports_it() -> None:
    assert SHIPPED == SHIPPED_WEIGHTS
