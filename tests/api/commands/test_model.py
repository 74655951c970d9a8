"""``vigil model report``: who reasons, in words and for programs."""

import json
from pathlib import Path

import pytest

from api.__main__ import main
from api.commands.model import lines
from moe_core.decoding import Floors
from moe_core.model.expert_use import ExpertUse
from moe_core.model.weights import Calibration, write_core
from moe_core.report import ReasonerReport
from tests.moe_core.cores import network_of

USE = ExpertUse(
    max_violation=0.25, shared_information=0.5, asked={"fall": (0.125, 0.625, 0.25, 0.0)}
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.safetensors"
    write_core(path, network_of(1), floors=Floors(claim=0.7), calibration=Calibration(scale=1.25),
               kinds=("fall",), experts=(USE, USE))  # fmt: skip
    return path


def test_the_program_has_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "report"]) == 0

    said = capsys.readouterr().out
    assert said.startswith("program: ")
    assert "VIGIL_REASONING__REASONER=core" in said


def test_a_core_shows_its_floors_and_who_speaks_about_what(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIL_REASONING__REASONER", str(path))

    assert main(["model", "report"]) == 0

    said = capsys.readouterr().out
    assert str(path) in said
    assert "claim 0.7, hypothesis 0.5, context 0.5" in said
    assert "scale 1.25" in said
    assert "layer 2: MaxVio 0.25, NMI 0.50" in said
    assert "fall   1 (62%)  2 (25%)    1 (62%)  2 (25%)" in said


def test_for_programs_it_is_one_object(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIL_REASONING__REASONER", str(path))

    assert main(["model", "report", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["reasoner"], told["kinds"]) == ("core", ["fall"])
    assert told["layers"][0]["asked"]["fall"] == [0.125, 0.625, 0.25, 0.0]


def test_weights_without_a_record_of_their_experts_say_so() -> None:
    told = lines(ReasonerReport(reasoner="core", path="own"))

    assert "do not say" in told[-1]


def test_weights_that_are_not_there_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIL_REASONING__REASONER", str(tmp_path / "none.safetensors"))

    assert main(["model", "report"]) == 2
    assert "none.safetensors" in capsys.readouterr().err
