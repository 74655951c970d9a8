"""Answers to a camera's challenge: Basic and Digest, so that libav never learns a password.

Sources: RFC 7617 (Basic), RFC 7616 (Digest, MD5 and SHA-256), RFC 2326 (RTSP uses both).
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_PARAMETER: Final = re.compile(r'([a-zA-Z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_SCHEME: Final = re.compile(r"\s*(Basic|Digest)\b\s*(.*)", re.IGNORECASE | re.DOTALL)
_ALGORITHMS: Final = ("SHA-256", "MD5")
"""Best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One ``WWW-Authenticate`` header."""

    scheme: str
    realm: str = ""
    nonce: str = ""
    opaque: str = ""
    algorithm: str = "MD5"
    has_qop: bool = False

    @property
    def rank(self) -> int:
        """The lower the better; see ``choose``."""
        if self.scheme == "basic":
            return len(_ALGORITHMS)
        return _ALGORITHMS.index(self.algorithm)


def choose(headers: Sequence[str]) -> Challenge | None:
    """Return the strongest challenge that can be answered; None if there is none."""
    found = [challenge for header in headers if (challenge := _parse(header)) is not None]
    return min(found, key=lambda challenge: challenge.rank, default=None)


def _parse(header: str) -> Challenge | None:
    match = _SCHEME.match(header)
    if match is None:
        return None
    scheme = match[1].lower()
    given = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(match[2])}
    algorithm = given.get("algorithm", "MD5").upper()
    offered = re.split(r"[\s,]+", given.get("qop", ""))
    if scheme == "digest" and (algorithm not in _ALGORITHMS or "nonce" not in given):
        return None
    return Challenge(
        scheme=scheme,
        realm=given.get("realm", ""),
        nonce=given.get("nonce", ""),
        opaque=given.get("opaque", ""),
        algorithm=algorithm,
        has_qop="auth" in offered,
    )


@dataclass(slots=True, kw_only=True)
class Login:
    """A user and a password, and how often they answered the present challenge."""

    user: str = field(repr=False)
    password: str = field(repr=False)
    challenge: Challenge | None = None
    _count: int = 0

    def take(self, challenge: Challenge) -> None:
        """Answer this challenge from now on."""
        self.challenge, self._count = challenge, 0

    def header(self, *, method: str, uri: str) -> str:
        """Return the value of ``Authorization`` for a request; empty before any challenge."""
        asked = self.challenge
        if asked is None:
            return ""
        if asked.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        digest = _Digest(asked.algorithm)
        secret = digest.of(f"{self.user}:{asked.realm}:{self.password}")
        request = digest.of(f"{method}:{uri}")
        fields = {"username": self.user, "realm": asked.realm, "nonce": asked.nonce, "uri": uri}
        bare = ""
        if asked.has_qop:
            self._count += 1
            count, own = f"{self._count:08x}", secrets.token_hex(8)
            response = digest.of(f"{secret}:{asked.nonce}:{count}:{own}:auth:{request}")
            bare = f", qop=auth, nc={count}"
            fields["cnonce"] = own
        else:
            response = digest.of(f"{secret}:{asked.nonce}:{request}")
        fields["response"] = response
        if asked.opaque:
            fields["opaque"] = asked.opaque
        if asked.algorithm != "MD5":  # old cameras stumble over the name of their only one
            bare += f", algorithm={asked.algorithm}"
        return "Digest " + ", ".join(f'{name}="{text}"' for name, text in fields.items()) + bare


class _Digest:
    def __init__(self, algorithm: str) -> None:
        self._name = {"MD5": "md5", "SHA-256": "sha256"}[algorithm]

    def of(self, text: str) -> str:
        return hashlib.new(self._name, text.encode(), usedforsecurity=False).hexdigest()
