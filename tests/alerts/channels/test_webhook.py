import json
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from alerts.channels.webhook import WebhookChannel, WebhookError, fitting_body
from alerts.lifecycle import revise
from alerts.payload import feed_entry
from contracts.alerts import FeedType
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.settings import AlertSettings
from tests.alerts.builders import SECRET, alert, claim, finding
from tests.alerts.channels.receiver import WebhookReceiver, status

EVENT = feed_entry(alert(), FeedType.ALERT_OPENED).cloud_event


def channel(
    *,
    allow_private: bool = True,
    timeout_s: float = 5.0,
    addresses: Sequence[str] = ("127.0.0.1",),
) -> WebhookChannel:
    settings = AlertSettings(allow_private_webhooks=allow_private, webhook_timeout_s=timeout_s)
    return WebhookChannel(settings, clock=SystemClock(), resolver=lambda host, port: addresses)


def send(url: str, *, by: WebhookChannel | None = None) -> int:
    return (by or channel()).send(EVENT, url=url, secret=SECRET, message_id="ce_1")


def refusal_of(url: str, *, by: WebhookChannel | None = None) -> WebhookError:
    with pytest.raises(WebhookError) as refusal:
        send(url, by=by)
    assert "hunter2" not in str(refusal.value)
    assert SECRET not in str(refusal.value)
    return refusal.value


def test_a_receiver_gets_the_signed_event() -> None:
    with WebhookReceiver() as receiver:
        assert send(receiver.url) == 204

        [request] = receiver.requests
        assert receiver.events == [json.loads(json.dumps(EVENT))]
    assert request["webhook-id"] == "ce_1"
    assert request["content-type"] == "application/cloudevents+json"
    assert request["user-agent"].startswith("vigil-webhooks/")
    assert request["path"] == "/hook?token=hunter2"


def test_the_name_is_resolved_once_and_the_connection_goes_to_the_checked_address() -> None:
    asked: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    with WebhookReceiver() as receiver:
        rebinding = WebhookChannel(
            AlertSettings(allow_private_webhooks=True), clock=SystemClock(), resolver=resolver
        )
        send(f"http://receiver.example:{receiver.port}/hook", by=rebinding)

        assert asked == [("receiver.example", receiver.port)]
        assert receiver.requests[0]["host"] == f"receiver.example:{receiver.port}"


def test_a_private_address_is_not_called_unless_allowed() -> None:
    with WebhookReceiver() as receiver:
        error = refusal_of(receiver.url, by=channel(allow_private=False))

        assert receiver.requests == []
    assert "allow_private_webhooks" in str(error)
    assert not error.is_permanent


def test_the_next_address_is_tried_if_the_first_does_not_answer() -> None:
    with WebhookReceiver() as receiver:
        url = f"http://receiver.example:{receiver.port}/"

        assert send(url, by=channel(addresses=["127.9.9.9", "127.0.0.1"])) == 204


def test_a_redirect_is_not_followed() -> None:
    with WebhookReceiver() as inner, WebhookReceiver(status(302, Location=inner.url)) as outer:
        error = refusal_of(outer.url)

        assert inner.requests == []
    assert error.status == 302
    assert "redirects are not followed" in str(error)


@pytest.mark.parametrize(
    ("code", "is_permanent"),
    [(400, True), (413, True), (422, True), (401, False), (404, False), (429, False), (500, False)],
)
def test_what_is_refused_for_good(code: int, is_permanent: bool) -> None:
    with WebhookReceiver(status(code)) as receiver:
        error = refusal_of(receiver.url)

    assert (error.status, error.is_permanent, error.is_gone) == (code, is_permanent, False)


def test_an_endpoint_that_is_gone_says_so() -> None:
    with WebhookReceiver(status(410)) as receiver:
        error = refusal_of(receiver.url)

    assert error.is_gone
    assert error.is_permanent


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [("120", 120.0), ("0", 0.0), ("999999999", 86_400.0), ("soon", None), ("-5", None), ("", None)],
)
def test_the_receivers_wish_for_a_wait_is_read(value: str, wait_s: float | None) -> None:
    with WebhookReceiver(status(429, Retry_After=value)) as receiver:
        assert refusal_of(receiver.url).retry_after_s == wait_s


def test_the_wish_may_be_a_date() -> None:
    far = format_datetime(datetime(2999, 1, 1, tzinfo=UTC), usegmt=True)
    past = format_datetime(datetime(1999, 1, 1, tzinfo=UTC), usegmt=True)
    with WebhookReceiver(status(503, Retry_After=far), status(503, Retry_After=past)) as receiver:
        assert refusal_of(receiver.url).retry_after_s == 86_400.0
        assert refusal_of(receiver.url).retry_after_s == 0.0


def test_a_receiver_that_drips_is_left_after_the_whole_time() -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not receiver.released.wait(0.05):
            request.wfile.write(b"x")
            request.wfile.flush()

    clock = SystemClock()
    with WebhookReceiver(drip) as receiver:
        began_s = clock.monotonic_s()
        error = refusal_of(receiver.url, by=channel(timeout_s=0.4))
        receiver.released.set()

    assert 0.3 < clock.monotonic_s() - began_s < 3.0
    assert str(error) == "webhook: no answer within 0.4 s"
    assert not error.is_permanent


def test_a_large_answer_is_not_read() -> None:
    def flood(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(10**12))
        request.end_headers()

    with WebhookReceiver(flood) as receiver:
        assert send(receiver.url) == 200


def test_nobody_listening_is_worth_a_retry() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = refusal_of(f"http://127.0.0.1:{unused.getsockname()[1]}/?token=hunter2")

    assert error.status is None
    assert not error.is_permanent


def test_a_name_that_is_not_known_is_worth_a_retry() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(f"{host} is not known")

    lost = WebhookChannel(AlertSettings(), clock=SystemClock(), resolver=unknown)
    error = refusal_of("https://nowhere.example/?token=hunter2", by=lost)

    assert str(error) == "webhook: its host name cannot be resolved"


def test_something_that_does_not_speak_http_is_worth_a_retry() -> None:
    def babble(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"220 mail.example ready\r\n")

    with WebhookReceiver(babble) as receiver:
        assert not refusal_of(receiver.url).is_permanent


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A TLS server whose certificate nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver.example")])
    now = SystemClock().now()
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "key_and_certificate.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        connection, _ = listener.accept()
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()

    thread = threading.Thread(target=accept)
    thread.start()
    yield int(listener.getsockname()[1])
    thread.join()
    listener.close()


def test_an_untrusted_certificate_is_refused(tls_port: int) -> None:
    error = refusal_of(f"https://receiver.example:{tls_port}/?token=hunter2")

    assert str(error) == "webhook: its TLS certificate is not valid"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://receiver.example/hunter2", "must begin with https:// or http://"),
        ("receiver.example/hunter2", "must begin with https:// or http://"),
        ("https:///hunter2", "no valid host name"),
        ("https://user:hunter2@receiver.example/", "user names and passwords"),
        ("https://receiver.example\\@inner.example/hunter2", "no valid host name"),
        ("https://receiver.example:port/hunter2", "cannot be parsed"),
        ("https://a b/hunter2", "no valid host name"),
    ],
)
def test_urls_that_cannot_be_called_are_refused_when_they_are_added(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        channel().check_url(url)

    assert "hunter2" not in str(refusal.value)
    assert refusal_of(url).is_permanent


def test_a_private_url_is_refused_when_it_is_added_unless_allowed() -> None:
    with pytest.raises(ConfigError, match="allow_private_webhooks"):
        channel(allow_private=False).check_url("https://receiver.example/")
    channel(allow_private=True).check_url("https://receiver.example/")
    channel(allow_private=False, addresses=["93.184.216.34"]).check_url("https://receiver.example/")


def test_a_bad_secret_is_refused_for_good() -> None:
    with pytest.raises(WebhookError, match="webhook secret") as refusal:
        channel().send(EVENT, url="http://127.0.0.1/", secret="no secret", message_id="ce_1")  # noqa: S106  # no secret

    assert refusal.value.is_permanent


def large_event(*, claims: int, text_length: int, title_length: int = 20) -> dict[str, Any]:
    long = tuple(claim(f"c{number}", text="x" * text_length) for number in range(claims))
    revised = revise(alert(), incident=None, finding=finding(claims=long), now=alert().opened_at)
    assert revised is not None
    event = dict(feed_entry(revised, FeedType.ALERT_REVISED).cloud_event)
    event["data"] = {**event["data"], "title": "t" * title_length}  # type: ignore[dict-item]  # a dict
    return event


def test_a_small_event_is_sent_whole() -> None:
    assert json.loads(fitting_body(EVENT)) == json.loads(json.dumps(EVENT))


def test_a_large_event_loses_its_claims_texts_first() -> None:
    body = fitting_body(large_event(claims=20, text_length=2_000))

    content = json.loads(body)["data"]
    assert len(body) <= 20_000
    assert content["is_thin"]
    assert content["url"] == f"/api/v1/alerts/{alert().alert_id}"
    assert content["objects"]
    assert content["reasoning"]["claims"][0] == {
        "id": "c0",
        "role": "observation",
        "type": "dwell",
        "status": "supported",
    }


def test_a_huge_event_keeps_what_names_and_ranks_the_alert() -> None:
    body = fitting_body(large_event(claims=2_000, text_length=10, title_length=50_000))

    event = json.loads(body)
    assert len(body) <= 20_000
    assert event["data"]["alert_id"] == alert().alert_id
    assert event["data"]["severity"] == "high"
    assert len(event["data"]["title"]) == 300
    assert "reasoning" not in event["data"]
