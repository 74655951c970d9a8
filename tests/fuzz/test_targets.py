"""A short run of each fuzz target; ``make fuzz`` runs them for longer, guided by coverage."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.__main__ import blind
from tests.fuzz.mutations import near
from tests.fuzz.targets import TARGETS

FOUND: dict[str, list[bytes]] = {}
"""What once was neither read nor refused in words."""


@pytest.mark.parametrize("name", TARGETS)
def test_sound_examples_and_what_was_found(name: str) -> None:
    target, seeds = TARGETS[name]
    for content in (*seeds(), *FOUND.get(name, ()), b"", b"\x00" * 40):
        target(content)


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_nearly_sound_is_read_or_refused(name: str) -> None:
    target, seeds = TARGETS[name]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(content=st.one_of(near(seeds()), st.binary(max_size=200)))
    def run(content: bytes) -> None:
        target(content)

    run()


def test_a_fault_is_found_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(content: bytes) -> None:
        assert content.count(b"a") != 2

    monkeypatch.setitem(TARGETS, "faulty", (faulty, lambda: [b"aaa"]))

    assert "AssertionError" in blind("faulty", tmp_path, 5.0)
    assert (tmp_path / "fault").read_bytes().count(b"a") == 2
