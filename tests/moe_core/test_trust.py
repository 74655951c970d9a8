"""Trust in claims: what it judges, and how it is stored."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from contracts.errors import ModelError
from moe_core.decoding import Floors
from moe_core.tokens.vocabulary import PREDICATE_NAMES
from moe_core.trust import Trust, read_trust, write_trust
from moe_core.trust_rows import Believed, is_deciding, partners
from tests.moe_core.cores import INCIDENTS, prompt
from tests.moe_core.trusts import stump, trust_of

WEIGHTS = "a" * 64
HALF = prompt(INCIDENTS["half refuted"])


def believed(value: float = 0.0, *, program: float = 0.0, real: float = 0.0) -> Believed:
    return Believed(claims_C=np.full(len(HALF.proposals), value), real=real, program=program)


def test_claims_and_events_are_judged_by_trees_of_their_own() -> None:
    judged = trust_of(claims=2.0, event=-1.0).judge(HALF, believed())
    deciding = is_deciding(HALF)

    assert judged.chances_C[~deciding] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert judged.chances_C[deciding] == pytest.approx(1 / (1 + np.exp(1.0)))
    assert judged.chance == pytest.approx(1 / (1 + np.exp(1.0)))


def test_a_rule_and_its_hypothesis_get_one_chance() -> None:
    claims = np.arange(len(HALF.proposals), dtype=float)
    trust = replace(trust_of(), event=stump("belief", 5.0, below=-2.0, above=2.0))
    judged = trust.judge(HALF, Believed(claims_C=claims, real=0.0, program=0.0))

    assert judged.chances_C == pytest.approx(judged.chances_C[partners(HALF)])


@pytest.mark.parametrize("name", ["real", "program"])
def test_the_event_is_weighed_with_what_others_say(name: str) -> None:
    trust = trust_of(event=0.0, stack={name: 1.0})
    doubtful = trust.judge(HALF, believed(**{name: -2.0}))
    sure = trust.judge(HALF, believed(**{name: 2.0}))

    assert doubtful.chance is not None
    assert sure.chance is not None
    assert doubtful.chance < 0.5 < sure.chance
    same = ~is_deciding(HALF)
    assert (doubtful.chances_C[same] == sure.chances_C[same]).all()


def test_where_nothing_is_claimed_nothing_is_judged() -> None:
    bare = prompt(replace(INCIDENTS["zone"], facts=()))
    assert not len(bare.proposals)
    judged = trust_of().judge(bare, Believed(claims_C=np.zeros(0), real=0.0, program=0.0))

    assert len(judged.chances_C) == 0
    assert judged.chance is None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.trust.safetensors"
    write_trust(path, trust_of(floors=Floors(claim=0.7)), weights=WEIGHTS)
    return path


def test_what_was_written_is_read(path: Path) -> None:
    found = read_trust(path, weights=WEIGHTS)
    own = trust_of(floors=Floors(claim=0.7))

    assert (found.floors, found.stack, found.finding) == (own.floors, own.stack, own.finding)
    assert (found.judge(HALF, believed(1.0)).chances_C
            == own.judge(HALF, believed(1.0)).chances_C).all()  # fmt: skip
    assert len(found.sha256) == 64


def test_trust_in_other_weights_is_refused(path: Path) -> None:
    with pytest.raises(ModelError, match="other weights"):
        read_trust(path, weights="b" * 64)


def header_of(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    found: dict[str, object] = json.loads(
        json.loads(content[8 : 8 + size])["__metadata__"]["trust"]
    )
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"columns": ["belief"]},
        {"stack": {"trees": 1.0}},
        {"finding": {}},
        {"floors": None},
    ],
)
def test_a_header_of_something_else_is_refused(path: Path, change: dict[str, object]) -> None:
    text = json.dumps({**header_of(path), **change})
    save_file(load_file(path), path, {"trust": text})

    with pytest.raises(ModelError, match=r"own\.trust\.safetensors: not readable as trust"):
        read_trust(path, weights=WEIGHTS)


@pytest.mark.parametrize(
    ("table", "found"), [("stack", "trees"), ("finding", "trees"), ("stack", "of nothing")]
)
def test_weights_that_are_missing_are_told_by_name(path: Path, table: str, found: str) -> None:
    weights = {} if found == "of nothing" else {found: 1.0}
    text = json.dumps({**header_of(path), table: weights})
    save_file(load_file(path), path, {"trust": text})

    with pytest.raises(ModelError, match=f"{table} has weights {found}, wanted are .*shift"):
        read_trust(path, weights=WEIGHTS)


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("by_kind", np.zeros(2), r"by_kind wants \d+ numbers, found is the shape \(2,\)"),
        ("by_predicate", np.full(len(PREDICATE_NAMES), np.inf), "by_predicate has what is no"),
        ("event/features", np.full((1, 1), 999, np.int32), r"tree of event asks for column 999 of"),
    ],
)
def test_a_table_that_does_not_fit_is_told_by_name(
    path: Path, name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.float64]], told: str
) -> None:
    text = json.dumps(header_of(path))
    save_file({**load_file(path), name: array}, path, {"trust": text})

    with pytest.raises(ModelError, match=told):
        read_trust(path, weights=WEIGHTS)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("claims/leaves", np.full((1, 2), np.nan, np.float32)),
        ("claims/features", np.full((1, 1), 10_000, np.int32)),
        ("by_kind", np.zeros(2)),
        ("event/cuts", np.zeros((3, 1), np.float32)),
    ],
)
def test_numbers_that_do_not_fit_are_refused(
    path: Path, name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> None:
    text = json.dumps(header_of(path))
    save_file({**load_file(path), name: array}, path, {"trust": text})

    with pytest.raises(ModelError, match="not readable as trust"):
        read_trust(path, weights=WEIGHTS)


@pytest.mark.parametrize("content", [None, b"", b"\x00" * 64, b"\xff" * 64])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "own.trust.safetensors"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ModelError, match="not readable as trust"):
        read_trust(path, weights=WEIGHTS)


def test_trust_is_small(path: Path) -> None:
    assert path.stat().st_size < 16_384
    assert isinstance(read_trust(path, weights=WEIGHTS), Trust)
