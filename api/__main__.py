"""``vigil``: reads the settings once and hands over to a command."""

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import Any, Final

from api.console import complain
from api.observability import set_up_logging
from api.settings_file import load_settings
from contracts.errors import VigilError

VERSION: Final = "0.1.0"

COMMANDS: Final = {
    "run": ("api.commands.run", "watch the cameras: all stages, or one"),
    "analyze": ("api.commands.analyze", "look through recorded files as fast as possible"),
    "evaluate": ("api.commands.evaluate", "score a folder of labelled clips"),
    "backtest": ("api.commands.backtest", "say what rules would have fired in the last days"),
    "probe": ("api.commands.probe", "say what a camera sends and what to change about it"),
    "discover": ("api.commands.discover", "list the ONVIF cameras that answer in the network"),
    "check-config": ("api.commands.check_config", "check settings and rules files"),
    "models": ("api.commands.models", "list, fetch, check and time detectors"),
    "model": ("api.commands.model", "say who reasons and what its experts have become"),
    "doctor": ("api.commands.doctor", "say what is installed, reachable and missing"),
    "fsck": ("api.commands.fsck", "check evidence against the rows that name it"),
    "sign-in-link": ("api.commands.sign_in_link", "make a link that signs in once"),
}
"""Module of each command; only the one that is called is imported, since some load a lot."""

_DESCRIPTION: Final = """\
Vigil watches security cameras and tells people what is happening that they should know, with the
evidence that proves it. It is self-hosted; no picture leaves the site.

  vigil run                          watch the demo camera, or the cameras of vigil.toml
  vigil analyze yard.mp4             look through a recorded file
  vigil doctor                       see what is missing
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0: well, 1: not well, 2: the user must change something."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = _make_parser(given)
    parsed = parser.parse_args(given)
    if parsed.command is None:
        parser.print_help()
        return 2
    module: Any = importlib.import_module(COMMANDS[parsed.command][0])
    parsed.environment = dict(os.environ)
    try:
        settings = load_settings(
            environment=os.environ, file=parsed.settings, overrides=_overrides(parsed, module)
        )
        set_up_logging(level=settings.log_level, form=settings.log_format)
        return int(module.run(parsed, settings))
    except VigilError as error:
        complain(f"vigil {parsed.command}: {error}")
        return 2
    except KeyboardInterrupt:
        return 130


def _make_parser(given: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vigil", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"vigil {VERSION}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    shared.add_argument("--data-dir", type=Path, metavar="DIR", help="where state is kept")
    shared.add_argument(
        "--log-level", choices=["debug", "info", "warning", "error"], help="least severe log line"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (module_name, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, parents=[shared])
        if name in given:
            importlib.import_module(module_name).add_arguments(command)
    return parser


def _overrides(parsed: argparse.Namespace, module: Any) -> dict[str, Any]:  # noqa: ANN401  # a command's module
    given = {"data_dir": parsed.data_dir, "log_level": parsed.log_level}
    overrides: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if hasattr(module, "overrides"):
        overrides.update(module.overrides(parsed))
    return overrides


if __name__ == "__main__":
    sys.exit(main())
