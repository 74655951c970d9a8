"""Incidents of recordings: what was written comes back; a source is never in both halves."""

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts import codec
from contracts.errors import ConfigError
from moe_core.training.examples import UNKNOWN
from moe_core.training.recordings import Recorded, read_recorded, write_recorded
from moe_core.training.splits import recorded
from tests.moe_core.checking import LINE, ZONE

ONE = Recorded(incident=ZONE, is_real=True, video="fight/a.mp4", source="a", may_train=True)
TWO = Recorded(incident=LINE, is_real=False, video="intel/b.mp4", source="b", may_train=False)


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "all.recorded"

    assert write_recorded(path, [ONE, TWO]) == 2
    assert list(read_recorded(path)) == [ONE, TWO]
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_file_of_nothing_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "none.recorded"

    assert write_recorded(path, []) == 0
    assert list(read_recorded(path)) == []


def row(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # what a damaged file may hold
    return {"incident": codec.encode(ZONE), "is_real": True, "video": "v", "source": "s",
            "may_train": True, **changes}  # fmt: skip


def packed(content: object) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(content))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"nothing", id="not compressed"),
        pytest.param(packed([row()])[:-9], id="cut"),
        pytest.param(zlib.compress(b"\xc1"), id="no messages"),
        pytest.param(packed(7), id="a number"),
        pytest.param(packed([7]), id="a row that is a number"),
        pytest.param(packed([{"incident": b"{}"}]), id="no incident"),
        pytest.param(packed([row(incident=7)]), id="an incident that is a number"),
        pytest.param(packed([{"is_real": True}]), id="a row without one"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.recorded"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"bad\.recorded"):
        list(read_recorded(path))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not readable"):
        list(read_recorded(tmp_path / "none"))


def test_all_of_a_source_is_on_one_side() -> None:
    halves = {
        source: {replace(ONE, source=source, video=f"{source}/{take}.mp4").half
                 for take in range(5)}
        for source in map(str, range(40))
    }  # fmt: skip

    assert all(len(half) == 1 for half in halves.values())
    assert {next(iter(half)) for half in halves.values()} == {0, 1}


def test_what_may_not_be_trained_on_is_held_out() -> None:
    assert {replace(TWO, source=str(source)).half for source in range(40)} == {1}
    assert {replace(TWO, source=str(source)).part for source in range(40)} == {"test"}


def test_trust_is_fitted_on_what_no_network_was_trained_on() -> None:
    parts = {(one.half, one.part) for one in (replace(ONE, source=str(source))
                                              for source in range(40))}  # fmt: skip

    assert parts == {(0, "train"), (1, "fit"), (1, "test")}


def test_halves_become_parts(tmp_path: Path) -> None:
    path = tmp_path / "all.recorded"
    sources = [replace(ONE, source=str(source)) for source in range(20)]
    write_recorded(path, [*sources, TWO])
    parts = recorded(path)

    assert len(parts.train) == sum(one.half == 0 for one in sources)
    assert len(parts.train) + len(parts.fit) + len(parts.test) == 21
    families = [{one.family for one in part} for part in (parts.train, parts.fit, parts.test)]
    assert all(families)
    assert sum(map(len, families)) == len(set().union(*families))
    assert all(UNKNOWN in one.true_C for one in parts.train)


def test_incidents_without_anything_to_claim_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "all.recorded"
    write_recorded(path, [replace(TWO, incident=replace(ZONE, tracks=(), facts=()))])

    assert recorded(path).test == []
