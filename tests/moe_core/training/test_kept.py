"""Examples kept beside their shard: the same again, made anew when they mean something else."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ConfigError
from moe_core.tokens.prompt import Prompt, Proposals
from moe_core.training.corpus import write_shard
from moe_core.training.examples import Example
from moe_core.training.kept import SUFFIX, examples_of, simulated_examples
from tests.moe_core.training.samples import examples, samples


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "00000.shard"
    write_shard(path, samples()[:4])
    return path


def assert_same(one: Example, other: Example) -> None:
    for kind, first, second in (
        (Example, one, other),
        (Prompt, one.prompt, other.prompt),
        (Proposals, one.prompt.proposals, other.prompt.proposals),
    ):
        for name in {field.name for field in fields(kind)} - {"prompt", "proposals"}:
            mine, theirs = getattr(first, name), getattr(second, name)
            assert type(mine) is type(theirs), name
            if isinstance(mine, np.ndarray):
                assert mine.dtype == theirs.dtype
                assert np.array_equal(mine, theirs)
            else:
                assert mine == theirs, name


def test_what_was_kept_is_what_was_made(shard: Path) -> None:
    made, kept = examples_of(shard), examples_of(shard)

    assert shard.with_suffix(SUFFIX).is_file()
    assert len(made) == len(kept) > 2
    for one, other, fresh in zip(made, kept, examples(), strict=False):
        assert_same(one, other)
        assert_same(one, fresh)


@pytest.mark.parametrize("content", [b"", b"nothing", b"x\x9c"])
def test_a_damaged_file_is_made_anew(shard: Path, content: bytes) -> None:
    made = examples_of(shard)
    shard.with_suffix(SUFFIX).write_bytes(content)
    again = examples_of(shard)

    assert len(again) == len(made)
    assert shard.with_suffix(SUFFIX).read_bytes() != content


def test_a_shard_that_was_written_anew_is_read_anew(shard: Path) -> None:
    """Another corpus in the same folder was trained on as the one before."""
    before = examples_of(shard)
    write_shard(shard, samples()[8:12])

    after = examples_of(shard)

    assert [one.kind for one in after] != [one.kind for one in before]


def test_a_corpus_is_read_shard_by_shard_and_its_kept_examples_are_no_shards(shard: Path) -> None:
    write_shard(shard.with_stem("00001"), samples()[4:6])
    first = list(simulated_examples(shard.parent))
    second = list(simulated_examples(shard.parent))

    assert len(first) == len(second) == len(examples_of(shard)) + 2


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="core_corpus"):
        list(simulated_examples(tmp_path))
