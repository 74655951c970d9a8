"""Which reasoner is at work: the program unless another is chosen and can be read."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from contracts.errors import ModelError
from contracts.settings import ReasoningSettings
from moe_core.core_reasoner import CoreReasoner
from moe_core.decoding import Floors
from moe_core.model.weights import Calibration, write_core
from moe_core.program import ProgramReasoner
from moe_core.registry import describe, open_reasoner, weights_of
from moe_core.shipped import CORE, SHIPPED
from tests.fakes.clock import ManualClock
from tests.moe_core.checking import ZONE
from tests.moe_core.cores import network_of


def test_the_program_reasons_where_nothing_is_said() -> None:
    reasoner = open_reasoner(ReasoningSettings(), clock=ManualClock())

    assert isinstance(reasoner, ProgramReasoner)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.safetensors"
    write_core(path, network_of(1), floors=Floors(), calibration=Calibration(),
               kinds=("intrusion",))  # fmt: skip
    return path


def test_a_path_of_weights_is_read(path: Path) -> None:
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


def test_who_reasons_is_described_in_a_line(path: Path, tmp_path: Path) -> None:
    assert describe(ReasoningSettings()).startswith("program: ")
    assert "trained on 1 kinds of rules" in describe(ReasoningSettings(reasoner=str(path)))
    with pytest.raises(ModelError, match="none"):
        describe(ReasoningSettings(reasoner=str(tmp_path / "none")))


def test_the_settings_name_the_weights(path: Path) -> None:
    assert weights_of(ReasoningSettings()) is None
    assert weights_of(ReasoningSettings(reasoner=CORE)) == SHIPPED
    assert weights_of(ReasoningSettings(reasoner=str(path))) == path
