"""``vigil doctor``: what is installed, reachable and missing, and how to get it."""

import argparse
import json

from api.console import say
from api.doctor import CheckState, examine, is_healthy
from api.plain import to_plain
from contracts.settings import Settings

_MARKS = {CheckState.OK: "ok    ", CheckState.NOTE: "note  ", CheckState.FAILED: "FAILED"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="measure torch on the CPU as well, which compiles for most of a minute",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the checks; 1 if something that Vigil needs is missing."""
    checks = examine(settings, is_compiling=arguments.measure)
    if arguments.json:
        say(json.dumps(to_plain(checks), indent=2))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            say(f"{_MARKS[check.state]}  {check.name:<{width}}  {check.found}")
            if check.remedy:
                say(f"        {'':<{width}}  -> {check.remedy}")
    return 0 if is_healthy(checks) else 1
