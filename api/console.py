"""What the command line says to people: results on standard output, the rest on standard error."""

import sys


def say(text: str = "") -> None:
    """Write one line of result to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write one line that is no result to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
