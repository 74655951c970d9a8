"""The corpus: what is written comes back."""

from pathlib import Path

import pytest

from api.simulation.seeing import Eyes
from contracts.errors import ConfigError
from moe_core.training.corpus import (
    CorpusError,
    Sample,
    read_corpus,
    read_shard,
    write_shard,
)
from moe_core.training.world.stories import make_scene


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [
        Sample(incident=incident, truth=truth)
        for family in ("intrusion", "line_cross")
        for seed in (1, 2)
        for incident, truth in Eyes(make_scene(seed, site=seed, family=family, is_real=True))
        .see()
        .samples
    ]


def test_a_corpus_gives_back_what_was_written(tmp_path: Path, samples: list[Sample]) -> None:
    assert len(samples) > 3
    write_shard(tmp_path / "00001.shard", samples[2:])
    write_shard(tmp_path / "00000.shard", samples[:2])
    assert list(read_corpus(tmp_path)) == samples


def test_a_sample_takes_a_few_kilobytes(tmp_path: Path, samples: list[Sample]) -> None:
    size = write_shard(tmp_path / "a.shard", samples)
    assert size / len(samples) < 15_000


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="core_corpus"):
        list(read_corpus(tmp_path))


@pytest.mark.parametrize("content", [b"", b"nothing", b"x\x9c"])
def test_a_damaged_shard_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "00000.shard"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="no shard"):
        list(read_shard(path))
