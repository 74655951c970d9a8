"""What a camera wants to hear from whom it serves. Sources: RFC 7616, RFC 7617, RFC 2326."""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.quirkcam.quirks import Scheme

_REALM: Final = "quirkcam"


@dataclass(slots=True, kw_only=True)
class Gatekeeper:
    """Checks the requests of one connection.

    Attributes:
        nonce_lasts: So many requests, then it is stale; 0 is for ever.
        refusals: Requests whose credentials were wrong, not merely missing or stale.
    """

    user: str
    password: str
    scheme: Scheme
    nonce_lasts: int = 0
    refusals: int = 0
    _nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    _uses: int = 0

    def check(self, method: str, headers: Mapping[str, str]) -> list[str]:
        """Return the lines that challenge a request; none if it may pass."""
        if not self.user:
            return []
        given = headers.get("authorization", "")
        if given.startswith("Basic ") and self.scheme in ("basic", "both"):
            if self._is_basic(given):
                return []
        elif given.startswith("Digest ") and self.scheme != "basic":
            fields = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
            if fields.get("nonce") == self._nonce and self._is_digest(fields, method):
                self._uses += 1
                if not self.nonce_lasts or self._uses <= self.nonce_lasts:
                    return []
                return self._renew(is_stale=True)
            if fields.get("nonce") != self._nonce:
                return self._renew(is_stale=True)
        if given:
            self.refusals += 1
        return self._renew(is_stale=False)

    def _renew(self, *, is_stale: bool) -> list[str]:
        if is_stale:
            self._nonce, self._uses = secrets.token_hex(8), 0
        stale = ", stale=true" if is_stale else ""
        algorithm = "SHA-256" if self.scheme == "digest-sha256" else "MD5"
        digest = (
            f'WWW-Authenticate: Digest realm="{_REALM}", nonce="{self._nonce}", '
            f"algorithm={algorithm}{stale}"
        )
        basic = f'WWW-Authenticate: Basic realm="{_REALM}"'
        return {"basic": [basic], "both": [digest, basic]}.get(self.scheme, [digest])

    def _is_basic(self, given: str) -> bool:
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return given == f"Basic {token}"

    def _is_digest(self, fields: Mapping[str, str], method: str) -> bool:
        secret = self._hash(f"{self.user}:{_REALM}:{self.password}")
        request = self._hash(f"{method}:{fields.get('uri', '')}")
        return fields.get("response") == self._hash(f"{secret}:{self._nonce}:{request}")

    def _hash(self, text: str) -> str:
        if self.scheme == "digest-sha256":
            return hashlib.sha256(text.encode()).hexdigest()
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
