"""Looks for cameras, and probes them in a process of its own: what decodes may crash."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from api.problems import Refusal
from contracts.cameras import SourceSettings, SourceType
from ingest.onvif.discovery import FoundDevice

_AT_ONCE: Final = 2
_SECONDS: Final = 6.0
_PATIENCE_S: Final = 45.0


class Seeker:
    """Looks for ONVIF devices, once at a time: each look sends multicast to everybody."""

    def __init__(self, look: Callable[[float], Sequence[FoundDevice]]) -> None:
        self._look = look
        self._free = threading.Semaphore(1)

    def discover(self, wait_s: float) -> Sequence[FoundDevice]:
        """Return what answered.

        Raises:
            Refusal: 429, somebody is looking already.
        """
        if not self._free.acquire(blocking=False):
            raise Refusal(429, "discovery-busy", "somebody is looking already; try again in 5 s")
        try:
            return self._look(wait_s)
        finally:
            self._free.release()


class Prober:
    """Runs ``vigil probe``; the URL travels in the environment, never on the command line.

    Args:
        environment: Of the child beside the source.
        command: What is run; for tests.
    """

    def __init__(
        self, environment: dict[str, str] | None = None, *, command: list[str] | None = None
    ) -> None:
        self._environment = environment or {}
        self._command = command or [sys.executable, "-m", "api", "probe", "--json"]
        self._free = threading.Semaphore(_AT_ONCE)

    def probe(self, source: SourceSettings) -> dict[str, Any]:
        """Return the report, or ``problem``.

        Raises:
            Refusal: 429, too many probes run already.
        """
        if not self._free.acquire(blocking=False):
            raise Refusal(429, "probes-busy", f"{_AT_ONCE} probes run already; try again in 10 s")
        try:
            return self._run(source)
        finally:
            self._free.release()

    def _run(self, source: SourceSettings) -> dict[str, Any]:
        prefix = "synthetic:" if source.source_type is SourceType.SYNTHETIC else ""
        arguments = ["--seconds", f"{_SECONDS:g}", "--transport", source.transport.value]
        try:
            ended = subprocess.run(  # noqa: S603  # our own interpreter and module
                [*self._command, *arguments],
                env={**self._environment, "VIGIL_SOURCE": prefix + source.url},
                capture_output=True,
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"problem": f"no answer within {_PATIENCE_S:g} s"}
        for line in reversed(ended.stdout.splitlines()):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict) and "problem" in found:
                return found
        how = f"signal {-ended.returncode}" if ended.returncode < 0 else f"{ended.returncode}"
        return {"problem": f"the probe broke off (exit {how}); is the video damaged?"}
