"""What a camera says by itself: motion, tampering, a poor picture. Told on, never an alert.

Source: ONVIF Core 9.2 (real-time pull-point notification), WS-BaseNotification 1.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from xml.sax.saxutils import escape

from contracts.clock import Clock
from ingest.onvif.services import EVENTS, OnvifServices
from ingest.onvif.soap import SoapFault, echo, plain
from ingest.onvif.xml_reader import Node
from ingest.sources.http_body import HttpRefused

_ENDS_S: Final = 120
"""A device forgets a subscription that nobody renews."""
_RENEW_S: Final = 60.0
_WAIT_S: Final = 5
"""How long a device may wait for something to say."""
_MESSAGES_MAX: Final = 64
_VALUE_MAX: Final = 60
_STATES_MAX: Final = 1_000
_TEV: Final = "http://www.onvif.org/ver10/events/wsdl"
_WSN: Final = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager"
_SUBSCRIBE: Final = (
    "<tev:CreatePullPointSubscription>"
    f"<tev:InitialTerminationTime>PT{_ENDS_S}S</tev:InitialTerminationTime>"
    "</tev:CreatePullPointSubscription>"
)
_PULL: Final = (
    f"<tev:PullMessages><tev:Timeout>PT{_WAIT_S}S</tev:Timeout>"
    f"<tev:MessageLimit>{_MESSAGES_MAX}</tev:MessageLimit></tev:PullMessages>"
)
_RENEW: Final = (
    f"<wsnt:Renew><wsnt:TerminationTime>PT{_ENDS_S}S</wsnt:TerminationTime></wsnt:Renew>"
)


class OwnEventKind(StrEnum):
    """What a camera's topic comes to."""

    MOTION = "motion"
    TAMPER = "tamper"
    POOR_PICTURE = "poor_picture"
    SIGNAL_LOSS = "signal_loss"
    OTHER = "other"


_KINDS: Final = (
    ("tamper", OwnEventKind.TAMPER),
    ("globalscenechange", OwnEventKind.TAMPER),
    ("imagetoo", OwnEventKind.POOR_PICTURE),
    ("signalloss", OwnEventKind.SIGNAL_LOSS),
    ("motion", OwnEventKind.MOTION),
)
"""By a part of the topic in lower case; the first that is in it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEvent:
    """Something that a camera said by itself. What it says is its own word, and not checked.

    Attributes:
        at: When it arrived.
        said_at: By the camera's clock; None if it does not say.
        topic: Without prefixes: ``VideoSource/MotionAlarm``.
        is_on: Whether it begins or ends; None for what has no state.
        source: Which rule or input of the camera, as it names it.
    """

    camera_id: str
    at: datetime
    kind: OwnEventKind
    topic: str
    is_on: bool | None
    said_at: datetime | None = None
    source: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class PullPoint:
    """One subscription to a device's events.

    Its methods raise as ``OnvifServices`` does, and SoapFault.

    Args:
        services: Of the device; used by nobody else meanwhile.
        camera_id: For what is returned.
        clock: Of this machine.
    """

    services: OnvifServices
    camera_id: str
    clock: Clock
    _url: str = field(init=False, default="")
    _to: str = field(init=False, default="")
    _echoed: str = field(init=False, default="")
    _renewed_s: float = field(init=False, default=0.0)
    _states: dict[tuple[str, str], bool] = field(init=False, default_factory=dict)

    def open(self) -> bool:
        """Subscribe; False if the device has no events."""
        url = self.services.service(EVENTS)
        if not url:
            return False
        action = f"{_TEV}/EventPortType/CreatePullPointSubscriptionRequest"
        try:
            answer = self.services.ask(url, _SUBSCRIBE, header=_addressed(action))
        except SoapFault as fault:
            if fault.is_unknown:
                return False
            raise
        reference = next(answer.all("SubscriptionReference"), None)
        named = "" if reference is None else reference.text_at("Address")
        if reference is None or not named:
            raise HttpRefused(0, "it subscribes and names no place to ask for events")
        self._url, self._to = self.services.joined(named), named
        parameters = reference.find("ReferenceParameters")
        children = [] if parameters is None else parameters.children
        self._echoed = "".join(echo(child) for child in children)
        self._renewed_s = self.clock.monotonic_s()
        return True

    def pull(self) -> tuple[OwnEvent, ...]:
        """Return what changed; waits for it up to 5 s."""
        if self.clock.monotonic_s() - self._renewed_s >= _RENEW_S:
            self._ask(_RENEW, f"{_WSN}/RenewRequest")
            self._renewed_s = self.clock.monotonic_s()
        answer = self._ask(_PULL, f"{_TEV}/PullPointSubscription/PullMessagesRequest", wait=True)
        return tuple(self._changes(answer))

    def close(self) -> None:
        """Unsubscribe, if the device hears it."""
        if not self._url:
            return
        try:
            self._ask("<wsnt:Unsubscribe/>", f"{_WSN}/UnsubscribeRequest")
        except (HttpRefused, SoapFault, OSError):
            return  # it ends by itself

    def _ask(self, body: str, action: str, *, wait: bool = False) -> Node:
        header = f"{_addressed(action, to=self._to)}{self._echoed}"
        extra_s = float(_WAIT_S) if wait else 0.0
        return self.services.ask(self._url, body, header=header, extra_s=extra_s)

    def _changes(self, answer: Node) -> Iterator[OwnEvent]:
        """Yield what is not known yet: devices repeat all states, and begin with those."""
        for event in read_events(answer, camera_id=self.camera_id, at=self.clock.now()):
            if event.is_on is None:
                yield event
                continue
            key = (event.topic, event.source)
            before = self._states.get(key, False)
            if len(self._states) < _STATES_MAX or key in self._states:
                self._states[key] = event.is_on
            if event.is_on is not before:
                yield event


def read_events(answer: Node, *, camera_id: str, at: datetime) -> Iterator[OwnEvent]:
    """Yield each notification of an answer, at most as many as were asked for."""
    for count, node in enumerate(answer.all("NotificationMessage")):
        message = node.find("Message", "Message")
        topic = _topic(node.text_at("Topic"))
        if message is None or not topic or count >= _MESSAGES_MAX:
            continue
        yield OwnEvent(
            camera_id=camera_id,
            at=at,
            kind=_kind(topic),
            topic=topic,
            is_on=_state(message),
            said_at=_time(message.attributes.get("UtcTime", "")),
            source=_source(message),
        )


def _addressed(action: str, *, to: str = "") -> str:
    return f"<a:Action>{action}</a:Action>" + (f"<a:To>{escape(to)}</a:To>" if to else "")


def _topic(text: str) -> str:
    parts = [part.rpartition(":")[2] for part in plain(text).split("/")]
    return "/".join(parts)


def _kind(topic: str) -> OwnEventKind:
    lowered = topic.lower()
    return next((kind for word, kind in _KINDS if word in lowered), OwnEventKind.OTHER)


def _state(message: Node) -> bool | None:
    data = message.find("Data")
    for item in data.all("SimpleItem") if data is not None else ():
        value = item.attributes.get("Value", "").strip().lower()
        if value in ("true", "false", "1", "0"):
            return value in ("true", "1")
    return None


def _source(message: Node) -> str:
    source = message.find("Source")
    items = source.all("SimpleItem") if source is not None else ()
    values = [plain(item.attributes.get("Value", ""), most=_VALUE_MAX) for item in items]
    return " ".join(value for value in values if value)[:_VALUE_MAX]


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None
