"""Calls to one device: its services, its clock, its password; one host, bounded answers."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

from contracts.clock import Clock
from ingest.onvif.places import DevicePlace, Resolver, names_itself, private_address, resolve
from ingest.onvif.soap import CONTENT_TYPE, SoapFault, Token, read_answer, request
from ingest.onvif.xml_reader import XML_BYTES_MAX, Node, XmlRefused
from ingest.sources.http_body import HttpCamera, HttpRefused

MEDIA: Final = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2: Final = "http://www.onvif.org/ver20/media/wsdl"
EVENTS: Final = "http://www.onvif.org/ver10/events/wsdl"
_CATEGORIES: Final = {"Media": MEDIA, "Events": EVENTS}
"""As ``GetCapabilities`` calls what ``GetServices`` names by its space."""
_NONCE_BYTES: Final = 16
_DENIED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(slots=True, kw_only=True, eq=False)
class OnvifServices:
    """What one device can be asked. Not for several threads at once.

    Its clock is read before the first request with a password, whose digest holds the time: many
    devices run hours off, and refuse what is not of their own time.

    Args:
        place: With the credentials.
        timeout_s: For each wait, and for each answer as a whole.
        clock: Of this machine.
        resolver: Finds the device's addresses, once.

    Raises:
        HttpRefused: From every method: it refuses, or answers something else than ONVIF.
        OSError: From every method: it is not there, or does not answer in time.
    """

    place: DevicePlace
    timeout_s: float
    clock: Clock
    resolver: Resolver = resolve
    is_elsewhere: bool = field(init=False, default=False)
    """Whether it named its services by a host that is not its own."""
    _address: str = field(init=False, default="")
    _offset: timedelta | None = field(init=False, default=None)
    _is_clock_read: bool = field(init=False, default=False)
    _http: HttpCamera | None = field(init=False, default=None, repr=False)
    _found: dict[str, str] | None = field(init=False, default=None)

    @property
    def offset_s(self) -> float | None:
        """Our clock minus the device's in seconds; None if it did not say."""
        return None if self._offset is None else -self._offset.total_seconds()

    @property
    def is_trusted(self) -> bool:
        """Whether its certificate, if it has one, is known."""
        return self._http is None or self._http.is_verified

    def ask(
        self, url: str, body: str, *, header: str = "", is_open: bool = False, extra_s: float = 0.0
    ) -> Node:
        """Return the ``Body`` of the answer to a request.

        Args:
            url: Of the service, as from ``service``.
            body: In XML.
            header: In XML, beside what proves the password.
            is_open: Send no password.
            extra_s: How much longer the device may take: it was asked to wait for something.
        """
        if self.place.user and not is_open:
            header = f"{self._token().header()}{header}"
        http = self._caller(is_open=is_open)
        http.timeout_s = self.timeout_s + extra_s
        answer = http.post(url, request(body, header=header), content_type=CONTENT_TYPE)
        status = answer.answer.status
        content = answer.read_all(most_bytes=XML_BYTES_MAX)
        try:
            return read_answer(content)
        except SoapFault as fault:
            if fault.is_denied or status in _DENIED:
                raise HttpRefused(HTTPStatus.UNAUTHORIZED, "") from None
            raise
        except XmlRefused as error:
            if status >= HTTPStatus.BAD_REQUEST:
                raise HttpRefused(status, "") from None
            raise HttpRefused(0, f"it answers no ONVIF: {error}") from None

    def device(self) -> str:
        """Return the URL of the device service."""
        self._caller()
        return self.place.at(self._address)

    def service(self, space: str) -> str:
        """Return the URL of another service; empty if the device has none."""
        if self._found is None:
            self._found = self._services() or self._capabilities()
        return self._found.get(space, "")

    def joined(self, reference: str) -> str:
        """Return the URL of an endpoint that the device named, on the device itself."""
        self._caller()
        return self.place.joined(self._address, reference)

    def own_clock(self) -> datetime | None:
        """Return what time the device has; None if it does not say."""
        self._is_clock_read = True
        try:
            body = "<tds:GetSystemDateAndTime/>"
            answer = self.ask(self.device(), body, is_open=True)
        except (HttpRefused, SoapFault):
            return None  # it wants a password even for that
        told = next(answer.all("UTCDateTime"), None)
        now = self.clock.now()
        found = None if told is None else _time_of(told)
        self._offset = None if found is None else found - now
        return found

    def _token(self) -> Token:
        if not self._is_clock_read:
            self.own_clock()
        return Token(
            user=self.place.user,
            password=self.place.password,
            nonce=secrets.token_bytes(_NONCE_BYTES),
            created_at=self.clock.now() + (self._offset or timedelta()),
        )

    def _caller(self, *, is_open: bool = False) -> HttpCamera:
        if self._http is None:
            self._address = private_address(
                self.place.host, self.place.port, resolver=self.resolver
            )
            self._http = HttpCamera(url=self.place.at(self._address), timeout_s=self.timeout_s)
        if is_open:  # one that knows no password: a wrong one is tried once, not for its time too
            nobody = replace(self.place, user="", password="")
            return HttpCamera(url=nobody.at(self._address), timeout_s=self.timeout_s)
        return self._http

    def _services(self) -> dict[str, str]:
        without = "<tds:IncludeCapability>false</tds:IncludeCapability>"
        body = f"<tds:GetServices>{without}</tds:GetServices>"
        try:
            answer = self.ask(self.device(), body)
        except SoapFault:
            return {}  # of before 2011
        except HttpRefused as refusal:
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                raise  # a second try could lock the account
            return {}
        return {
            node.text_at("Namespace"): self._at_home(node.text_at("XAddr"))
            for node in answer.all("Service")
        }

    def _capabilities(self) -> dict[str, str]:
        body = "<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>"
        answer = self.ask(self.device(), body)
        found = {
            space: node.text_at("XAddr")
            for name, space in _CATEGORIES.items()
            for node in answer.all(name)
        }
        return {space: self._at_home(address) for space, address in found.items() if address}

    def _at_home(self, reference: str) -> str:
        if not names_itself(reference, self.place, self._address):
            self.is_elsewhere = True
        return self.joined(reference)


def _time_of(told: Node) -> datetime | None:
    path = (("Date", "Year"), ("Date", "Month"), ("Date", "Day"))
    clock = (("Time", "Hour"), ("Time", "Minute"), ("Time", "Second"))
    try:
        numbers = [int(told.text_at(*where)) for where in (*path, *clock)]
        return datetime(*numbers[:5], min(numbers[5], 59), tzinfo=UTC)  # type: ignore[arg-type, misc]  # six numbers
    except (ValueError, OverflowError):
        return None
