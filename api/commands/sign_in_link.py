"""``vigil sign-in-link``: a link that signs in once, for whoever can read the data folder."""

import argparse

from api.console import say
from api.wiring.first_start import sign_in_link
from contracts.clock import SystemClock
from contracts.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.description = (
        "Print a link that signs the administrator in once, within 24 hours. Whoever can read "
        "the data folder may make one: it is how to get back in after a lost password."
    )
    parser.add_argument("--url", metavar="URL", help="address at which browsers reach Vigil")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the link."""
    api = settings.api
    base_url = arguments.url or api.public_url or f"http://{api.host}:{api.port}"
    say(sign_in_link(settings, SystemClock(), base_url))
    return 0
