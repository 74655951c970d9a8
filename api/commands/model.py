"""``vigil model``: what the reasoner at work was trained on, and how its experts share work."""

import argparse
import json
from typing import Final

from api.console import say
from api.plain import to_plain
from contracts.settings import Settings
from moe_core.report import ReasonerReport, report

_DESCRIPTION: Final = """\
What is known of the reasoner that the setting reasoning.reasoner names.

  vigil model report                 what it was trained on, its floors, how its experts share work
  vigil model report --json          for programs
  VIGIL_REASONING__REASONER=core vigil model report
"""
_PROGRAM: Final = """\
program: writes down all that is measured and confirms what measurement does not refute. It was not
trained, so there are no weights and no experts. VIGIL_REASONING__REASONER=core chooses the trained
one."""
_NO_USE: Final = "These weights do not say how their experts are used; export them anew."
_MOST: Final = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    parser.description = _DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    telling = actions.add_parser("report", help="who reasons, and what its experts have become")
    telling.add_argument("--json", action="store_true", help="one JSON object instead of tables")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the report."""
    found = report(settings.reasoning)
    if arguments.json:
        say(json.dumps(to_plain(found), indent=2))
    else:
        say("\n".join(lines(found)))
    return 0


def lines(found: ReasonerReport) -> list[str]:
    """Return the report as people read it."""
    if not found.path:
        return [_PROGRAM]
    told = [
        f"core {found.sha256[:8]} of {found.path}",
        f"trained on {len(found.kinds)} kinds of rules: {', '.join(found.kinds)}",
        *([f"beliefs judged by trust {found.trust_sha256[:8]}"] if found.trust_sha256 else []),
        f"told from a belief of: {_numbers(found.floors)}",
        f"confidence from its logit: {_numbers(found.calibration)}",
        "",
    ]
    if not found.layers:
        return [*told, _NO_USE]
    told.append("How far the busiest expert is above the mean (MaxVio), and how much experts know")
    told.append("of rules (NMI), on cameras that were not trained on:")
    for number, layer in enumerate(found.layers, start=1):
        balance, knowledge = layer.max_violation, layer.shared_information
        told.append(f"  layer {number}: MaxVio {balance:.2f}, NMI {knowledge:.2f}")
    told += ["", "Experts that each kind of rule asks most (share of all it asks), layer by layer:"]
    width = max(map(len, found.kinds), default=0)
    for kind in found.kinds:
        cells = [
            " ".join(
                f"{expert:>2} ({share:3.0%})" for expert, share in layer.most_asked(kind, _MOST)
            )
            for layer in found.layers
        ]
        told.append(f"  {kind:<{width}}  {'   '.join(cells)}")
    return told


def _numbers(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in found.items())
