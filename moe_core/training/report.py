"""Tables of how good the core is, beside the program on the same scenes."""

from collections.abc import Sequence

from moe_core.model.weights import TrainedCore
from moe_core.tokens.vocabulary import FAMILIES
from moe_core.training.examples import Example
from moe_core.training.measures import Answered, Tally, answered, of_core, of_program
from moe_core.training.specialisation import ablations, uses
from moe_core.training.splits import Parts

HEAD = (
    "| who | incidents | claims | H_true | omission | verdict F1 | right | Brier | ECE |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


_FEW = 400
"""Examples that are also written claim by claim, which is slow."""


def line(tally: Tally) -> str:
    """Return a tally in one line."""
    return (
        f"H_true {tally.h_true:.3f}, omission {tally.omission:.3f}, F1 {tally.f1:.3f}, "
        f"right {tally.accuracy:.3f}, Brier {tally.brier:.3f}, ECE {tally.ece:.3f}"
    )


def row(name: str, tally: Tally) -> str:
    """Return a tally as a row of the table."""
    claims = f"{tally.claims} | {tally.h_true:.1%} | {tally.omission:.1%}"
    if not tally.claims:
        claims = "- | - | -"
    return (
        f"| {name} | {len(tally.real)} | {claims} | {tally.f1:.3f} | "
        f"{tally.accuracy:.1%} | {tally.brier:.3f} | {tally.ece:.3f} |"
    )


def of_simulated(core: TrainedCore, parts: Parts, *, most: int) -> str:
    """Return the table over simulated cameras that were never seen, all and by kind.

    Where the core has trust, what it would tell without is there as well.
    """
    found = parts.test[:most]
    few = min(most, _FEW)
    told = answered(core, found)
    stepwise = of_core(core.network, found[:few], floors=core.floors, is_stepwise=True)
    rows = [
        HEAD,
        *_pair("all", core, found, told),
        row("some: core, claim by claim, not calibrated", stepwise),
        *_pair("the same", core, found[:few], told[:few]),
    ]
    for kind in sorted({one.kind for one in found}):
        own = [place for place, one in enumerate(found) if one.kind == kind]
        rows += _pair(kind, core, [found[place] for place in own], [told[place] for place in own])
    return "\n".join(rows)


def of_recorded(core: TrainedCore, parts: Parts) -> str:
    """Return the table over recordings of sources that were never seen, all and by kind."""
    return of_simulated(core, parts, most=len(parts.test))


def _pair(
    name: str, core: TrainedCore, found: Sequence[Example], told: Sequence[Answered]
) -> list[str]:
    believed, trusted = Tally(), Tally()
    for one, answer in zip(found, told, strict=True):
        believed.add(one, *answer.believed)
        trusted.add(one, *answer.trusted)
    rows = [row(f"{name}: core", trusted), row(f"{name}: program", of_program(found))]
    if core.trust is None:
        return rows
    return [row(f"{name}: core, beliefs as they are", believed), *rows]


def of_experts(core: TrainedCore, found: Sequence[Example]) -> str:
    """Return how evenly experts are asked and what they know, by layer and by rule family."""
    lines = ["| layer | MaxVio | NMI(expert; rule family) |", "|---|---|---|"]
    for number, use in enumerate(uses(core.network, found), start=1):
        lines.append(f"| {number} | {use.max_violation:.2f} | {use.shared_information:.2f} |")
    lines += ["", "| rule family | loss without its top two experts | others | ratio |",
              "|---|---|---|---|"]  # fmt: skip
    for one in ablations(core.network, found):
        lines.append(
            f"| {FAMILIES[one.family]} | +{one.own:.3f} | +{one.others:.3f} "
            f"| {one.selectivity:.1f} |"
        )
    return "\n".join(lines)
