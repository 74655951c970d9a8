"""The cameras that settings and command line declare, and the rules they get by default."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from api.rules_file import SceneRulesParser
from contracts.cameras import Camera, RtspTransport, SourceSettings, SourceType
from contracts.errors import ConfigError
from contracts.geometry import Zone
from contracts.ids import check_name
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from contracts.settings import CameraSettings, Settings
from ingest.onvif.places import main_stream_of
from ingest.sources.scenes.registry import SCENES
from ingest.sources.usb import UsbDevice, is_device

SOURCE_CAMERA_ID: Final = "source"
"""Camera id of what ``make run SOURCE=…`` watches."""

_SYNTHETIC_SCHEME: Final = "synthetic:"
_WEBRTC: Final = "webrtc:"
_SLASH_LACKS: Final = re.compile(r"(?i)(rtsps?|onvifs?|https?|rtmp|udp|srt):")
_LOITER_S: Final = 20.0


def declared_cameras(settings: Settings) -> tuple[Camera, ...]:
    """Return the cameras of the settings file and of ``source``, with their rules.

    Raises:
        ConfigError: An id stands twice, a URL has no known form, or a rules file is bad.
    """
    cameras = [_from_settings(declared, at) for at, declared in enumerate(settings.cameras)]
    source = settings.source.get_secret_value()
    if source:
        cameras.append(
            Camera(
                camera_id=SOURCE_CAMERA_ID,
                name=_source_name(source),
                source=parse_source(source, is_looped=True),
                scene=rules_beside(Path(source)) or default_rules(),
            )
        )
    ids = [camera.camera_id for camera in cameras]
    doubled = sorted({name for name in ids if ids.count(name) > 1})
    if doubled:
        raise ConfigError(f"settings: camera id(s) {doubled} stand more than once")
    return tuple(cameras)


def parse_source(
    url: str, *, transport: RtspTransport = RtspTransport.TCP, is_looped: bool = False
) -> SourceSettings:
    """Return the source that a URL or path means.

    Raises:
        ConfigError: Its scheme is not supported; the URL itself is not echoed.
    """
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme in ("rtsp", "rtsps"):
        _check_address(url)
        return SourceSettings(source_type=SourceType.RTSP, url=url, transport=transport)
    if scheme in ("http", "https"):
        _check_address(url)
        return SourceSettings(source_type=SourceType.HTTP, url=url)
    if scheme in ("onvif", "onvifs"):
        return _onvif_source(url, transport=transport)
    if url.startswith(_SYNTHETIC_SCHEME):
        name = url.removeprefix(_SYNTHETIC_SCHEME)
        if name not in SCENES:
            raise ConfigError(
                f"url: there is no synthetic scene {name[:40]!r}; there are: {sorted(SCENES)}"
            )
        return SourceSettings(source_type=SourceType.SYNTHETIC, url=name, is_looped=True)
    if is_device(url):
        return _usb_source(url)
    if url == _WEBRTC:
        return SourceSettings(source_type=SourceType.WEBRTC, url="")
    if scheme:
        raise ConfigError(
            f"url: scheme {scheme!r} is not supported; use rtsp://, onvif://, http://, "
            "usb:/dev/video0, a file's path, synthetic:yard, or webrtc:"
        )
    if _SLASH_LACKS.match(url):
        raise ConfigError("url: a slash lacks after the scheme; wanted rtsp://host/path")
    return SourceSettings(source_type=SourceType.FILE, url=url, is_looped=is_looped)


def _usb_source(url: str) -> SourceSettings:
    try:
        UsbDevice.of(url)
    except ValueError as error:
        raise ConfigError(f"url: {error}") from None
    return SourceSettings(source_type=SourceType.USB, url=url)


def _onvif_source(url: str, *, transport: RtspTransport) -> SourceSettings:
    try:
        evidence_url = main_stream_of(url)
    except ValueError as error:
        raise ConfigError(
            f"url: {error}; wanted onvif://user:password@host[:port][?stream=main], with odd "
            "characters of the password written as %XX"
        ) from None
    return SourceSettings(
        source_type=SourceType.ONVIF, url=url, evidence_url=evidence_url, transport=transport
    )


def _check_address(url: str) -> None:
    try:
        host, _ = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        raise ConfigError(
            "url: cannot be parsed; wanted rtsp://user:password@host:554/path, with the port a "
            "number and odd characters of the password written as %XX"
        ) from None
    if not host:
        raise ConfigError("url: names no host; wanted rtsp://host/path")


def load_rules(file: Path) -> SceneRules:
    """Return the zones, lines and rules of a JSON file.

    Raises:
        ConfigError: It is missing, no JSON, or says something that does not fit.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: there is no such rules file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read ({type(error).__name__})") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{file}: is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise ConfigError(f"{file}: is nested too deeply to be read") from error
    return SceneRulesParser(str(file)).parse(document)


def rules_beside(video: Path) -> SceneRules | None:
    """Return the rules of ``<video>.rules.json`` or ``<name>.rules.json`` beside it, if any."""
    for name in (f"{video.name}.rules.json", f"{video.stem}.rules.json"):
        file = video.parent / name
        if file.is_file():
            return load_rules(file)
    return None


def default_rules() -> SceneRules:
    """Return what a camera without rules is watched for: who comes in, and who stays.

    The zone leaves a small margin, so that someone who is only half in the picture is not in it.
    """
    corners = ((0.02, 0.02), (0.98, 0.02), (0.98, 0.99), (0.02, 0.99))
    return SceneRules(
        zones=(Zone(zone_id="picture", polygon=corners, name="the picture"),),
        rules=(
            RuleSettings(
                rule_id="comes-in",
                kind=RuleKind.ZONE_ENTRY,
                zone_id="picture",
                severity=Severity.INFO,
            ),
            RuleSettings(
                rule_id="stays",
                kind=RuleKind.LOITER,
                zone_id="picture",
                params={"threshold_s": _LOITER_S},
                severity=Severity.LOW,
            ),
        ),
    )


def _from_settings(declared: CameraSettings, at: int) -> Camera:
    try:
        check_name(declared.id, what="id")
        transport = RtspTransport(declared.transport)
        source = parse_source(declared.url.get_secret_value(), transport=transport)
        if evidence_url := declared.evidence_url.get_secret_value():
            parse_source(evidence_url)
            source = replace(source, evidence_url=evidence_url)
    except ConfigError as error:
        raise ConfigError(f"settings: cameras[{at}] ({declared.id}): {error}") from error
    rules = load_rules(declared.rules_file) if declared.rules_file else None
    return Camera(
        camera_id=declared.id,
        name=declared.name or declared.id,
        place=declared.place,
        source=source,
        scene=rules or default_rules(),
        analysis_fps=declared.analysis_fps,
        is_recorded=declared.record,
        keeps_audio=declared.audio,
    )


def _source_name(source: str) -> str:
    return "Camera" if "://" in source else Path(source).name
