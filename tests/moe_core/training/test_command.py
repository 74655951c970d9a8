"""``python -m moe_core.training`` over a tiny corpus, from the first step to the tables."""

from pathlib import Path

import pytest
import torch

from moe_core.model.weights import read_core
from moe_core.training.__main__ import main
from moe_core.training.corpus import write_shard
from moe_core.training.recordings import Recorded, write_recorded
from moe_core.training.splits import part_of, simulated
from tests.moe_core.checking import ZONE
from tests.moe_core.training.samples import at_site, samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of cameras 1, 7 and 8, recordings, and weights of the shape that ships."""
    folder = tmp_path_factory.mktemp("training")
    (folder / "corpus").mkdir()
    for number, site in enumerate((1, 7, 8)):
        found = [at_site(one, site) for one in samples()[number * 3 : number * 3 + 3]]
        write_shard(folder / "corpus" / f"{number:05d}.shard", found)
    (folder / "many" / "part").mkdir(parents=True)
    for number, one in enumerate(samples()):
        found = [at_site(one, 10 * number + 7)]
        write_shard(folder / "many" / "part" / f"{number:05d}.shard", found)
    write_recorded(
        folder / "all.recorded",
        [
            Recorded(incident=ZONE, is_real=True, video=f"{source}.mp4", source=source,
                     may_train=True)
            for source in "abcdef"
        ],
    )  # fmt: skip
    return folder


def run(folder: Path, command: str, *options: object) -> int:
    return main([command, "--corpus", str(folder / "corpus"), *map(str, options)])


@pytest.fixture(scope="module")
def weights(folder: Path) -> Path:
    train = ("--run", folder / "run", "--minutes", "0.002", "--batch", 2, "--watch", 2,
             "--recordings", folder / "all.recorded")  # fmt: skip
    assert run(folder, "train", *train) == 0
    path = folder / "core.safetensors"
    assert run(folder, "export", "--run", folder / "run", "--out", path, "--most", 1) == 0
    return path


def test_a_run_ends_in_weights_that_can_be_read(folder: Path, weights: Path) -> None:
    core = read_core(weights)

    assert core.kinds == {one.kind for one in simulated(folder / "corpus").train}
    assert torch.is_grad_enabled()


def test_the_core_is_compared_with_the_program(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--weights", weights, "--most", 2, "--recordings", folder / "all.recorded")

    assert run(folder, "evaluate", *options) == 0

    out = capsys.readouterr().out
    assert "| all: core | 2 |" in out
    assert "| all: program | 2 |" in out
    assert "| intrusion: core |" in out


def test_trust_is_fitted_beside_the_weights_and_shown_beside_the_beliefs(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(weights.read_bytes())
    recordings = ("--recordings", folder / "all.recorded")
    fitted = ["trust", "--corpus", str(folder / "many"), "--weights", str(own)]
    assert main([*fitted, *map(str, recordings)]) == 0
    assert f"{len(samples())} simulated" in capsys.readouterr().out
    assert read_core(own).trust is not None
    assert own.read_bytes() == weights.read_bytes()

    assert run(folder, "evaluate", "--weights", own, "--most", 2) == 0
    out = capsys.readouterr().out
    assert "| all: core, beliefs as they are | 2 |" in out
    assert "| all: core | 2 |" in out

    assert run(folder, "export", "--run", folder / "run", "--out", own, "--most", 1) == 0
    assert read_core(own).trust is None
    assert "own.trust.safetensors: taken away" in capsys.readouterr().out

    assert run(folder, "export", "--run", folder / "run", "--out", own, "--most", 1) == 0
    assert "taken away" not in capsys.readouterr().out


def test_too_few_cameras_for_trust_are_said_so(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "trust", "--weights", weights) == 1
    assert "too few cameras" in capsys.readouterr().err


def test_the_core_is_counted_as_it_runs(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "whole", "--weights", weights, "--most", 2) == 0
    assert "left to the program" in capsys.readouterr().out


def test_experts_are_shown(folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "experts", "--weights", weights, "--most", 2) == 0

    out = capsys.readouterr().out
    assert "| layer | MaxVio | NMI(expert; rule family) |" in out
    assert "| 4 | " in out


def test_what_cannot_be_done_is_said_in_a_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--corpus", str(tmp_path), "--weights", str(tmp_path / "no")]) == 1
    assert "no: not readable as weights" in capsys.readouterr().err
    assert main(["train", "--corpus", str(tmp_path), "--run", str(tmp_path), "--minutes", "1"]) == 1
    assert "core_corpus" in capsys.readouterr().err
    assert run(folder, "export", "--run", tmp_path, "--out", tmp_path / "out") == 1
    assert "checkpoint" in capsys.readouterr().err


def test_wrong_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train"])
    assert ended.value.code == 2
    assert "--corpus" in capsys.readouterr().err


def test_no_camera_is_for_two_purposes(folder: Path) -> None:
    assert [part_of(site) for site in range(10)] == ["train"] * 7 + ["fit"] + ["test"] * 2
    assert part_of(1247) == "fit"
    parts = simulated(folder / "corpus")

    assert {one.site for one in parts.train} == {1}
    assert {one.site for one in parts.fit} == {7}
    assert {one.site for one in parts.test} == {8}


def test_parts_that_nobody_wants_stay_empty(folder: Path) -> None:
    parts = simulated(folder / "corpus", wants=("fit",))

    assert (parts.train, parts.test) == ([], [])
    assert parts.fit
