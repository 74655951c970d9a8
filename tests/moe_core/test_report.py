"""What the header of the weights tells of the reasoner, read without torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from contracts.errors import ModelError
from contracts.settings import ReasoningSettings
from moe_core.decoding import Floors
from moe_core.model.expert_use import ExpertUse
from moe_core.model.weights import Calibration, read_core, write_core
from moe_core.report import report
from moe_core.shipped import beside
from moe_core.trust import write_trust
from tests.moe_core.cores import network_of
from tests.moe_core.trusts import trust_of

USE = ExpertUse(max_violation=0.5, shared_information=0.25, asked={"intrusion": (0.75, 0.25)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.safetensors"
    write_core(path, network_of(1), floors=Floors(claim=0.6), calibration=Calibration(shift=-1.0),
               kinds=("intrusion",), experts=(USE,))  # fmt: skip
    return path


def test_the_program_was_not_trained() -> None:
    found = report(ReasoningSettings())

    assert (found.reasoner, found.path, found.kinds, found.layers) == ("program", "", (), ())


def test_the_header_says_what_the_core_is(path: Path) -> None:
    found = report(ReasoningSettings(reasoner=str(path)))

    assert (found.reasoner, found.kinds, found.layers) == ("core", ("intrusion",), (USE,))
    assert found.floors == {"claim": 0.6, "hypothesis": 0.5, "context": 0.5}
    assert found.calibration == {"scale": 1.0, "shift": -1.0}
    assert found.sha256 == read_core(path).sha256


def test_where_trust_judges_its_floors_are_told(path: Path) -> None:
    assert report(ReasoningSettings(reasoner=str(path))).trust_sha256 == ""
    core = read_core(path)
    write_trust(beside(path), trust_of(floors=Floors(claim=0.8)), weights=core.sha256)
    found, judged = report(ReasoningSettings(reasoner=str(path))), read_core(path).trust

    assert judged is not None
    assert found.trust_sha256 == judged.sha256
    assert found.floors == {"claim": 0.8, "hypothesis": 0.5, "context": 0.5}
    assert found.calibration == {"scale": 1.0, "shift": 0.0}
    assert found.sha256 == core.sha256


def test_the_busiest_experts_come_first() -> None:
    assert USE.most_asked("intrusion", 1) == ((0, 0.75),)
    assert USE.most_asked("fall", 2) == ()


@pytest.mark.parametrize(
    "content", [None, b"", b"\x00" * 64, b"\xff" * 64, b"\x02" + b"\x00" * 7 + b"{}"]
)
def test_weights_that_cannot_be_read_are_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "own.safetensors"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ModelError, match=r"own\.safetensors: not readable"):
        report(ReasoningSettings(reasoner=str(path)))


def test_torch_is_not_needed() -> None:
    """The web process tells of the reasoner and reasons about nothing."""
    code = "import sys, moe_core.report; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
