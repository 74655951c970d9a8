"""Examples kept beside the shards that they were made of: making them costs more than training.

A file is made anew when what tokens mean has changed (``names_hash``), or ``VERSION`` or the shard.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from contracts.reasoning import Claim
from moe_core.model.weights import names_hash
from moe_core.tokens.prompt import Prompt, Proposals
from moe_core.training.corpus import read_shard, shards
from moe_core.training.examples import Example, example_of

VERSION: Final = 6
"""To be raised with every change to what examples hold."""
SUFFIX: Final = ".examples"


class _File(msgspec.Struct):
    meaning: str
    examples: list[Any]
    claims: list[list[Claim]]


def simulated_examples(folder: Path) -> Iterator[Example]:
    """Yield the examples of a corpus, shard by shard; incidents without proposals are left out.

    Raises:
        ConfigError: There are no shards.
        CorpusError: One is damaged.
    """
    for path in shards(folder):
        yield from examples_of(path)


def examples_of(shard: Path) -> list[Example]:
    """Return the examples of one shard, made or kept."""
    kept = shard.with_suffix(SUFFIX)
    meaning = _meaning(shard)
    known = _read(kept, meaning) if kept.exists() else None
    if known is not None:
        return known
    made = [example_of(sample.incident, sample.truth) for sample in read_shard(shard)]
    made = [one for one in made if len(one.prompt.proposals)]
    part = kept.with_suffix(".part")
    part.write_bytes(_packed(made, meaning))
    part.replace(kept)
    return made


def _meaning(shard: Path) -> str:
    return f"{VERSION} {names_hash()} {zlib.crc32(shard.read_bytes()):08x}"


def _packed(examples: Sequence[Example], meaning: str) -> bytes:
    file = _File(
        meaning=meaning,
        examples=[_bare(one) for one in examples],
        claims=[list(one.prompt.proposals.claims) for one in examples],
    )
    return zlib.compress(msgspec.msgpack.encode(file, enc_hook=_row), 3)


def _read(path: Path, meaning: str) -> list[Example] | None:
    """Return the examples of a file; None if it is damaged or of another meaning."""
    try:
        content = zlib.decompress(path.read_bytes())
        file = msgspec.msgpack.decode(content, type=_File)
    except (zlib.error, msgspec.MsgspecError):
        return None
    if file.meaning != meaning:
        return None
    return [_whole(bare, claims) for bare, claims in zip(file.examples, file.claims, strict=True)]


def _bare(example: Example) -> dict[str, Any]:
    prompt, proposals = example.prompt, example.prompt.proposals
    return {
        "example": {
            one.name: getattr(example, one.name) for one in fields(Example) if one.name != "prompt"
        },
        "prompt": {
            one.name: getattr(prompt, one.name) for one in fields(Prompt) if one.name != "proposals"
        },
        "proposals": {
            one.name: getattr(proposals, one.name)
            for one in fields(Proposals)
            if one.name != "claims"
        },
    }


def _whole(bare: dict[str, Any], claims: list[Claim]) -> Example:
    own = {name: _array(value) for name, value in bare["example"].items()}
    proposals = {name: _array(value) for name, value in bare["proposals"].items()}
    prompt = {name: _array(value) for name, value in bare["prompt"].items()}
    return Example(
        prompt=Prompt(**prompt, proposals=Proposals(claims=tuple(claims), **proposals)),
        **{**own, "chain": tuple(own["chain"])},
    )


def _row(value: object) -> Any:  # noqa: ANN401  # what msgspec can write
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.str, "shape": value.shape, "data": value.tobytes()}
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(type(value).__name__)


def _array(value: Any) -> Any:  # noqa: ANN401  # what msgspec has read
    if isinstance(value, dict) and "dtype" in value:
        return np.frombuffer(value["data"], value["dtype"]).reshape(value["shape"])
    return value
