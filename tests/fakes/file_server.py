"""A real https server on loopback with a certificate authority of its own, and its misbehaviour."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(slots=True)
class FileServer:
    """What the server offers and how it misbehaves; change it between requests.

    Attributes:
        authority: PEM file of its certificate, which is its own authority.
        url: ``https://127.0.0.1:port``.
        files: Content by path.
        etags: By path; none is sent without.
        redirects: Target by path.
        cut_after: By path, how many bytes of each next answer are sent before the connection
            ends; the list is used up.
        requests: Path and ``Range`` of every request, in order.
    """

    authority: Path
    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    has_ranges: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)

    def trust(self) -> ssl.SSLContext:
        """Return a context that trusts this server only."""
        return ssl.create_default_context(cafile=str(self.authority))


@contextmanager
def serve_files(folder: Path) -> Iterator[FileServer]:
    """Run a server; its certificate is written into the folder."""
    certificate, key = _write_certificate(folder)
    state = FileServer(authority=certificate)

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, state)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = _QuietServer(("127.0.0.1", 0), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    state.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us, or goes away, is what some tests are about."""


def _answer(request: BaseHTTPRequestHandler, state: FileServer) -> None:
    path = request.path.partition("?")[0]
    wanted = request.headers.get("Range", "")
    state.requests.append((path, wanted))
    if path in state.redirects:
        _finish(request, 302, {"Location": state.redirects[path]})
        return
    if path in state.statuses or path not in state.files:
        _finish(request, state.statuses.get(path, 404), {})
        return
    content, etag = state.files[path], state.etags.get(path, "")
    headers = {"ETag": etag} if etag else {}
    if_range = request.headers.get("If-Range", etag)
    first = 0
    status = 200
    if wanted and state.has_ranges and if_range == etag:
        first = int(wanted.removeprefix("bytes=").partition("-")[0])
        if first >= len(content):
            _finish(request, 416, {"Content-Range": f"bytes */{len(content)}"})
            return
        status = 206
        headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
    _finish(request, status, headers, content[first:], cuts=state.cut_after.get(path, []))


def _finish(
    request: BaseHTTPRequestHandler,
    status: int,
    headers: dict[str, str],
    body: bytes = b"",
    *,
    cuts: list[int] | None = None,
) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if cuts:
        body = body[: cuts.pop(0)]
        request.close_connection = True
    request.wfile.write(body)
    request.wfile.flush()


def _write_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vigil's tests")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = (folder / "authority.pem", folder / "key.pem")
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
