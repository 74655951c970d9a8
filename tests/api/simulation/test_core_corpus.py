"""The command that writes corpora."""

from pathlib import Path

import pytest

from moe_core.training.corpus import read_corpus
from moe_core.training.splits import part_of
from scripts import core_corpus
from scripts.core_corpus import Job, main, span, write_one


def test_a_corpus_is_written_and_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--scenes", "4", "--sites", "3:9"]) == 0
    samples = list(read_corpus(tmp_path))
    assert samples
    assert {sample.truth.site for sample in samples} <= set(range(3, 9))
    assert f"4 scenes, {len(samples)} samples" in capsys.readouterr().out
    assert (tmp_path / "summary.json").is_file()


def test_a_shard_that_is_there_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path, 0, 1, 2, (0, 5))
    first = write_one(job)
    written = (tmp_path / "00000.shard").read_bytes()
    monkeypatch.setattr(core_corpus, "make_scene", None)
    assert write_one(job) == first
    assert (tmp_path / "00000.shard").read_bytes() == written


def test_the_same_seed_writes_the_same_shard(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_one(Job(tmp_path / name, 0, 7, 2, (0, 5)))
    first, second = ((tmp_path / name / "00000.shard").read_bytes() for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("text", ["", "5", "5:5", "9:3", "a:b", "-1:4"])
def test_sites_that_are_no_span_are_refused(text: str) -> None:
    with pytest.raises(Exception, match="a:b"):
        span(text)


def test_only_cameras_of_a_part_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(tmp_path, 0, 1, 2, (0, 40), ("fit", "test"))
    assert {job.site(seed) for seed in range(100)} == {
        site for site in range(40) if part_of(site) != "train"
    }
    assert Job(tmp_path, 0, 1, 2, (3, 9)).site(7) == 3 + 7 % 6
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--sites", "0:5", "--parts", "test"])
    assert "no camera of 0:5" in capsys.readouterr().err
