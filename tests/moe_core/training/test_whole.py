"""The trained reasoner as it runs, counted."""

from dataclasses import replace

from moe_core.decoding import Floors
from moe_core.training.whole import Whole, run_whole
from tests.moe_core.checking import FALL, ZONE
from tests.moe_core.cores import REFUTED, core_of, crowded, network_of


def counted(floor: float = 0.0, *, eager: bool = True) -> Whole:
    network = network_of(1)
    if eager:
        network.end.bias.sub_(100)
    core = core_of(network, floors=Floors(claim=floor, hypothesis=floor, context=floor),
                   kinds=frozenset({"intrusion"}))  # fmt: skip
    return run_whole(core, [ZONE, REFUTED, crowded(ZONE, 200), FALL])


def test_what_is_told_is_supported_and_rests_on_what_is_there() -> None:
    found = counted()

    assert found.claims > 3
    assert (found.unsupported, found.dangling) == (0, 0)


def test_what_the_core_was_not_trained_on_is_counted_as_the_programs() -> None:
    found = counted()

    assert found.by_program == 1
    assert len(found.core_ms) == len(found.program_ms) == 4


def test_counterfactuals_are_counted_over_confirmed_alerts_only() -> None:
    silent = counted(floor=1.1)

    assert (silent.cited, silent.uncited, silent.fallen, silent.stayed) == (0, 0, 0, 0)
    found = counted()
    assert found.fallen <= found.cited <= 3
    assert found.stayed <= found.uncited <= found.cited


def test_without_what_is_cited_no_alert_is_confirmed() -> None:
    assert counted().fallen == counted().cited


def test_what_was_found_is_told_in_lines() -> None:
    lines = replace(counted(), fallen=9, cited=10).lines()

    assert "verdict falls without what is cited: 9 of 10 (90.0%)" in lines
    assert "left to the program: 1 of 4" in lines
