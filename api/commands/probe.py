"""``vigil probe``: what a camera sends, and what to change about it."""

import argparse
import json
from typing import Any

from api.console import say
from api.plain import to_plain
from api.wiring.cameras import parse_source
from contracts.cameras import Camera, RtspTransport, SourceType, redact_url
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.settings import Settings
from ingest.errors import SourceError
from ingest.onvif.device import DeviceReport
from ingest.probe import WATCH_S, ProbeReport, probe
from ingest.sources.onvif import describe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.description = (
        "Connect to a camera, watch it for some seconds and say what it sends and what to change. "
        "Command lines are public: put a URL with a password into VIGIL_SOURCE instead."
    )
    parser.add_argument("url", nargs="?", help="of the camera; else that of VIGIL_SOURCE")
    parser.add_argument("--transport", choices=list(RtspTransport), default="tcp")
    parser.add_argument("--seconds", type=float, default=WATCH_S, help="how long to watch")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what was found; 1 if there is advice, 2 (by the caller) if nothing could be read."""
    url = arguments.url or settings.source.get_secret_value()
    if not url:
        raise ConfigError(
            "name the camera: vigil probe rtsp://host/path or onvif://host, or set VIGIL_SOURCE"
        )
    source = parse_source(url, transport=RtspTransport(arguments.transport))
    camera = Camera(camera_id="probe", source=source)
    found: dict[str, Any] = {}
    device: DeviceReport | None = None
    try:
        if source.source_type is SourceType.ONVIF:
            device = describe(camera, settings.ingest)
            found["device"] = _plain(device)
            if not arguments.json:
                _print_device(device, shown=redact_url(source.url))
        report = probe(camera, settings.ingest, clock=SystemClock(), watch_s=arguments.seconds)
    except SourceError as error:
        if not arguments.json:
            raise
        say(json.dumps({"problem": error.reason, **found}))
        return 2
    if arguments.json:
        say(json.dumps({"problem": "", **_plain(report), **found}))
    else:
        _print(report, shown=redact_url(source.url))
    return 1 if report.advice or (device is not None and device.advice) else 0


def _plain(report: ProbeReport | DeviceReport) -> dict[str, Any]:
    plain = to_plain(report)
    return dict(plain) if isinstance(plain, dict) else {}


def _print_device(device: DeviceReport, *, shown: str) -> None:
    clock = device.clock_offset_s
    said = "it does not say" if clock is None else f"{clock:+.0f} s behind ours"
    say(f"{shown}, an ONVIF device")
    say(f"  model       {device.manufacturer} {device.model}, firmware {device.firmware}")
    say(f"  its clock   {said}")
    for profile in device.profiles:
        use = {device.analysis: "analysis", device.evidence: "evidence"}.get(profile.profile_id, "")
        size = f"{profile.width} x {profile.height}, {profile.fps:g} a second"
        say(f"  profile     {profile.profile_id}: {profile.codec}, {size}  {use}")
        if profile.url:
            say(f"              {profile.url}")
    say(f"  events      {', '.join(device.topics) or 'none'}")
    for sentence in device.advice:
        say(f"  -> {sentence}")


def _print(report: ProbeReport, *, shown: str) -> None:
    keys, clock = report.key_interval_s, report.clock_offset_s
    say(f"{shown}, watched for {report.watched_s:.1f} s")
    say(f"  video       {report.codec}, {report.width} x {report.height}")
    stated = f"stated: {report.stated_fps:.1f}" if report.stated_fps else "none is stated"
    say(f"  rate        {report.fps:.1f} pictures a second ({stated})")
    say(f"  bits        {report.bits_per_second / 1e6:.2f} Mbit/s")
    say(f"  key frames  {f'every {keys:.1f} s' if keys is not None else 'fewer than two came'}")
    say(f"  first       picture after {report.first_picture_s:.1f} s")
    say(f"  damaged     {report.corrupt} of {report.pictures + report.corrupt} pictures")
    said = "it does not say" if clock is None else f"{clock:+.3f} s behind ours, delay included"
    say(f"  its clock   {said}")
    for sentence in report.advice:
        say(f"  -> {sentence}")
