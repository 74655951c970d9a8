"""What an RTSP server hears: requests, and whether they carry the right credentials.

Sources: RFC 2326 (RTSP), RFC 2617 (Basic, Digest).
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import BinaryIO, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a server wants to hear, and how."""

    user: str
    password: str
    scheme: Literal["basic", "digest"]

    def challenge(self, nonce: str) -> str:
        """Return the value of ``WWW-Authenticate``."""
        if self.scheme == "basic":
            return 'Basic realm="camera"'
        return f'Digest realm="camera", nonce="{nonce}", algorithm=MD5'

    def are_met(self, header: str, *, method: str, nonce: str) -> bool:
        """Say whether an ``Authorization`` header is right for this request."""
        if not self.user:
            return True
        if self.scheme == "basic":
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return header == f"Basic {token}"
        fields = dict(re.findall(r'(\w+)="([^"]*)"', header))
        secret = _md5(f"{self.user}:camera:{self.password}")
        request = _md5(f"{method}:{fields.get('uri', '')}")
        wanted = _md5(f"{secret}:{nonce}:{request}")
        return bool(fields.get("nonce") == nonce and fields.get("response") == wanted)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def read_request(reader: BinaryIO) -> tuple[str, str, dict[str, str]] | None:
    """Return method, URL and headers (names in lower case); None at the end of the connection.

    Interleaved RTCP of the client is read and left aside.
    """
    while (first := reader.read(1)) == b"$":
        head = reader.read(3)
        reader.read(int.from_bytes(head[1:], "big"))
    if not first:
        return None
    words = (first + reader.readline()).decode("latin-1").split()
    headers: dict[str, str] = {}
    while line := reader.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    reader.read(int(headers.get("content-length", "0")))
    return (words[0], words[1], headers) if len(words) >= 2 else None
