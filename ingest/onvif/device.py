"""What an ONVIF device is, which streams it has, and which of them to look at."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final
from xml.sax.saxutils import escape

from contracts.cameras import redact_url
from contracts.clock import Clock
from ingest.onvif.places import DevicePlace, Resolver, resolve
from ingest.onvif.services import EVENTS, MEDIA, MEDIA2, OnvifServices
from ingest.onvif.soap import SoapFault, plain
from ingest.onvif.xml_reader import Node
from ingest.sources.http_body import HttpRefused

ANALYSIS_WIDTH: Final = 640
"""Pixels that are analysed; a stream of more costs decoding for nothing."""
_SKEW_MAX_S: Final = 5.0
_LARGE_WIDTH: Final = 1280
_PROFILES_MAX: Final = 256
_TOPICS_MAX: Final = 64
_LOCATED_MAX: Final = 8
_MEDIA1_URI: Final = (
    "<trt:GetStreamUri><trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream>"
    "<tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup>"
    "<trt:ProfileToken>{}</trt:ProfileToken></trt:GetStreamUri>"
)
_MEDIA2_URI: Final = (
    "<tr2:GetStreamUri><tr2:Protocol>RTSP</tr2:Protocol>"
    "<tr2:ProfileToken>{}</tr2:ProfileToken></tr2:GetStreamUri>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaProfile:
    """One stream that a device offers, as it describes it; nothing of it is measured.

    Attributes:
        profile_id: By which the device knows it.
        source: Of video: a recorder has one for each of its cameras.
        codec: ``h264``, ``h265``, ``jpeg`` or what the device calls it.
        fps: At most; 0 if it does not say.
        url: Of its stream, as it may be shown; empty where it was not asked for.
    """

    profile_id: str
    name: str = ""
    source: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    kbit_per_second: int = 0
    url: str = ""

    @property
    def pixels(self) -> int:
        """Of one picture."""
        return self.width * self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """What a device says of itself.

    Attributes:
        clock_offset_s: Our clock minus the device's; None if it does not say.
        analysis: Token of the profile that is analysed: the sub-stream, if there is one.
        evidence: Token of the main stream; empty if it is the one that is analysed.
        topics: Of the events that it can send.
        advice: What to change, in sentences.
    """

    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    clock_offset_s: float | None = None
    profiles: tuple[MediaProfile, ...] = ()
    analysis: str = ""
    evidence: str = ""
    topics: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class OnvifDevice:
    """Asks one device. Every method raises as ``OnvifServices`` does.

    Args:
        url: ``onvif://user:password@host``; see ``DevicePlace``.
        timeout_s: For each answer.
        clock: Of this machine.
        resolver: Finds the device's addresses.

    Raises:
        ValueError: It is no such URL.
    """

    url: str = field(repr=False)
    timeout_s: float
    clock: Clock
    resolver: Resolver = resolve
    place: DevicePlace = field(init=False)
    services: OnvifServices = field(init=False)
    _is_media2: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.place = DevicePlace.of(self.url)
        self.services = OnvifServices(
            place=self.place, timeout_s=self.timeout_s, clock=self.clock, resolver=self.resolver
        )

    def profiles(self) -> tuple[MediaProfile, ...]:
        """Return what it can stream, in its own order; those without video are left out."""
        with _faults_told():
            for space, body in (
                (MEDIA2, "<tr2:GetProfiles><tr2:Type>All</tr2:Type></tr2:GetProfiles>"),
                (MEDIA, "<trt:GetProfiles/>"),
            ):
                if url := self.services.service(space):
                    found = self._listed(url, body, is_last=space == MEDIA)
                    if found:
                        self._is_media2 = space == MEDIA2
                        return found
        return ()

    def stream_url(self, profile: MediaProfile) -> str:
        """Return a profile's URL, with our credentials and on the device itself."""
        url = self.services.service(MEDIA2 if self._is_media2 else MEDIA)
        body = _MEDIA2_URI if self._is_media2 else _MEDIA1_URI
        with _faults_told():
            answer = self.services.ask(url, body.format(escape(profile.profile_id)))
        told = next(answer.all("Uri"), None)
        return self.place.stream("" if told is None else told.text)

    def wanted(self, profiles: Sequence[MediaProfile]) -> MediaProfile | None:
        """Return the profile that the URL asks for; the sub-stream if it asks for none.

        None if it asks for the main stream and the one that is analysed is that.

        Raises:
            HttpRefused: There is no such profile.
        """
        asked = self.place.wanted
        if token := asked.get("profile"):
            found = next((one for one in profiles if one.profile_id == token), None)
            if found is None:
                raise HttpRefused(0, f"it has no profile {plain(token, most=40)!r}")
            return found
        analysis, evidence = choose(profiles, source=asked.get("source", ""))
        if analysis is None:
            raise HttpRefused(0, "it offers no video")
        return evidence if asked.get("stream") == "main" else analysis

    def describe(self) -> DeviceReport:
        """Return all that it says of itself."""
        self.services.own_clock()
        with _faults_told():
            told = self.services.ask(self.services.device(), "<tds:GetDeviceInformation/>")
        profiles = self.profiles()
        analysis, evidence = choose(profiles, source=self.place.wanted.get("source", ""))
        report = DeviceReport(
            manufacturer=_said(told, "Manufacturer"),
            model=_said(told, "Model"),
            firmware=_said(told, "FirmwareVersion"),
            clock_offset_s=self.services.offset_s,
            profiles=tuple(self._located(profiles)),
            analysis="" if analysis is None else analysis.profile_id,
            evidence="" if evidence is None else evidence.profile_id,
            topics=self.topics(),
        )
        return replace(report, advice=tuple(self._advice(report, analysis, evidence)))

    def _located(self, profiles: Sequence[MediaProfile]) -> Iterator[MediaProfile]:
        """Yield profiles with their URLs; of a recorder, those of the camera that is looked at."""
        source = self.place.wanted.get("source", "") or next((p.source for p in profiles), "")
        left = _LOCATED_MAX
        for profile in profiles:
            if profile.source != source or not left:
                yield profile
                continue
            left -= 1
            yield replace(profile, url=redact_url(self.stream_url(profile)))

    def topics(self) -> tuple[str, ...]:
        """Return which events it can send; none if it has no such service."""
        url = self.services.service(EVENTS)
        if not url:
            return ()
        try:
            answer = self.services.ask(url, "<tev:GetEventProperties/>")
        except (SoapFault, HttpRefused):
            return ()
        topics = next(answer.all("TopicSet"), None)
        return tuple(_topics(topics))[:_TOPICS_MAX] if topics is not None else ()

    def _listed(self, url: str, body: str, *, is_last: bool) -> tuple[MediaProfile, ...]:
        try:
            answer = self.services.ask(url, body)
        except SoapFault:
            if is_last:
                raise
            return ()  # many name Media2 and cannot do it
        found = [_profile(node) for node in answer.all("Profiles")]
        return tuple(one for one in found if one is not None)[:_PROFILES_MAX]

    def _advice(
        self,
        report: DeviceReport,
        analysis: MediaProfile | None,
        evidence: MediaProfile | None,
    ) -> Iterator[str]:
        if analysis is None:
            yield "it offers no video: add a media profile in the camera's own pages"
        elif evidence is None and analysis.width > _LARGE_WIDTH:
            yield (
                f"it has no sub-stream: switch one on in it ({ANALYSIS_WIDTH} pixels wide), "
                f"since {analysis.width} x {analysis.height} costs much to decode"
            )
        if analysis is not None and analysis.codec == "jpeg":
            yield "its smaller stream is MJPEG, which takes ten times the network: set H.264"
        skew_s = report.clock_offset_s
        if skew_s is not None and abs(skew_s) > _SKEW_MAX_S:
            yield f"its clock is {skew_s:+.0f} s behind ours: set NTP in the camera"
        if self.services.is_elsewhere:
            yield (
                f"it names its services by another host than {self.place.host}: right for a camera "
                "behind NAT, else set its own address in the camera"
            )
        if not self.services.is_trusted:
            yield "its certificate is not trusted: what it says can be forged"


@contextmanager
def _faults_told() -> Iterator[None]:
    """Say a fault as a refusal."""
    try:
        yield
    except SoapFault as fault:
        what = "does not know the request" if fault.is_unknown else "refuses the request"
        raise HttpRefused(0, f"it {what}: {fault.reason or '/'.join(fault.codes)}") from None


def choose(
    profiles: Sequence[MediaProfile], *, source: str = ""
) -> tuple[MediaProfile | None, MediaProfile | None]:
    """Return which profile to analyse, and which to keep as evidence where that is another.

    Args:
        profiles: As the device lists them.
        source: Of video; empty takes that of the first profile.
    """
    source = source or next((one.source for one in profiles), "")
    own = [one for one in profiles if one.source == source]
    if not own:
        return None, None
    evidence = max(own, key=lambda one: (one.codec != "jpeg", one.pixels))
    analysis = min(
        own,
        key=lambda one: (
            one.codec == "jpeg",
            one.width < ANALYSIS_WIDTH / 2,  # a thumbnail
            abs(one.width - ANALYSIS_WIDTH),
            one.pixels,
        ),
    )
    return analysis, (None if evidence.pixels <= analysis.pixels else evidence)


def _profile(node: Node) -> MediaProfile | None:
    encoder = node.find("VideoEncoderConfiguration") or node.find("Configurations", "VideoEncoder")
    if encoder is None:
        return None
    source = node.find("VideoSourceConfiguration") or node.find("Configurations", "VideoSource")
    codec = encoder.text_at("Encoding").lower()
    return MediaProfile(
        profile_id=node.attributes.get("token", "")[:200],
        name=plain(node.text_at("Name")),
        source="" if source is None else plain(source.text_at("SourceToken")),
        codec={"hevc": "h265"}.get(codec, plain(codec, most=20)),
        width=_whole(encoder.text_at("Resolution", "Width")),
        height=_whole(encoder.text_at("Resolution", "Height")),
        fps=float(_whole(encoder.text_at("RateControl", "FrameRateLimit"))),
        kbit_per_second=_whole(encoder.text_at("RateControl", "BitrateLimit")),
    )


def _said(answer: Node, name: str) -> str:
    found = next(answer.all(name), None)
    return "" if found is None else plain(found.text)


def _whole(text: str) -> int:
    """Return a number as cameras write it (``25``, ``25.0``); 0 if it is none."""
    try:
        return max(0, min(int(float(text)), 1_000_000))
    except (ValueError, OverflowError):
        return 0


def _topics(node: Node, path: str = "") -> Iterator[str]:
    for child in node.children:
        here = f"{path}/{child.name}" if path else child.name
        if child.attributes.get("topic", "").lower() in ("true", "1"):
            yield plain(here)
        yield from _topics(child, here)
