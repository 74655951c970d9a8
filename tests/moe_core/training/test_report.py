"""Tables of how good the core is."""

from dataclasses import replace

from moe_core.decoding import Floors
from moe_core.training.measures import Tally
from moe_core.training.report import HEAD, line, of_experts, of_recorded, of_simulated, row
from moe_core.training.splits import Parts
from tests.moe_core.cores import core_of, network_of
from tests.moe_core.training.samples import examples

CORE = core_of(network_of(1), floors=Floors())
TALLY = Tally(claims=10, untrue=1, decisive=8, omitted=2, said=[True], real=[True], chances=[0.5])


def columns(text: str) -> set[int]:
    return {one.count("|") for one in text.splitlines() if one}


def test_a_row_has_the_columns_of_the_head() -> None:
    assert columns(HEAD) == columns(row("all", TALLY)) == columns(row("none", Tally()))
    assert row("all", TALLY) == "| all | 1 | 10 | 10.0% | 25.0% | 1.000 | 100.0% | 0.250 | 0.500 |"


def test_where_no_claim_is_known_there_is_no_share_of_them() -> None:
    assert "| - | - | - |" in row("recordings", Tally(said=[True], real=[True], chances=[0.9]))


def test_a_line_tells_the_same() -> None:
    assert line(TALLY).startswith("H_true 0.100, omission 0.250, F1 1.000")


def test_core_and_program_stand_side_by_side_for_each_kind() -> None:
    found = list(examples()[:6])
    text = of_simulated(CORE, Parts(test=found), most=5)
    kinds = {one.kind for one in found[:5]}

    assert len(text.splitlines()) == 2 + 2 + 3 + 2 * len(kinds)
    assert "claim by claim" in text
    assert "| all: core | 5 |" in text
    assert all(f"| {kind}: program |" in text for kind in kinds)
    assert columns(text) == columns(HEAD)


def test_a_table_of_nothing_is_a_table() -> None:
    assert "| all: core | 0 | - |" in of_recorded(CORE, Parts())


def test_each_layer_and_each_family_has_a_row() -> None:
    text = of_experts(CORE, examples())
    families = {one.prompt.family for one in examples()}

    assert len(text.splitlines()) == 2 + len(CORE.network.core.layers) + 1 + 2 + len(families)


def test_what_was_measured_is_left_as_it_was() -> None:
    parts = Parts(test=list(examples()[:2]))
    before = replace(parts, test=list(parts.test))
    of_simulated(CORE, parts, most=1)

    assert parts.test == before.test
