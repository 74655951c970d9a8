"""``vigil discover``: which ONVIF cameras answer in this machine's networks."""

import argparse
import json

from api.console import say
from api.plain import to_plain
from contracts.clock import SystemClock
from contracts.settings import Settings
from ingest.onvif.discovery import WAIT_S, FoundDevice, discover


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.description = (
        "Ask by multicast which ONVIF cameras there are, and list what answers. Routers pass no "
        "multicast on: a camera in another network, or one with ONVIF switched off, is not found."
    )
    parser.add_argument("--seconds", type=float, default=WAIT_S, help="how long to listen")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what answered; 1 if nothing did."""
    del settings
    found = discover(clock=SystemClock(), wait_s=arguments.seconds)
    if arguments.json:
        say(json.dumps({"items": to_plain(found)}))
    else:
        _print(found, seconds=arguments.seconds)
    return 0 if found else 1


def _print(found: tuple[FoundDevice, ...], *, seconds: float) -> None:
    for device in found:
        what = ", ".join(part for part in (device.name, device.hardware, device.location) if part)
        say(f"{device.url}  {what or 'says nothing of itself'}")
        for sentence in device.advice:
            say(f"  -> {sentence}")
    if not found:
        say(f"nothing answered within {seconds:g} s; cameras answer where ONVIF (and with some")
        say("brands, its discovery) is switched on, in the same network, by multicast over IPv4")
