import base64
import hashlib
import re

import pytest

from ingest.sources.challenges import Challenge, Login, choose

BASIC = 'Basic realm="camera"'
MD5 = 'Digest realm="camera", nonce="a,b", qop="auth,auth-int", algorithm=MD5'
SHA = 'Digest realm="camera", nonce="n", qop="auth", algorithm=SHA-256, opaque="o"'
URI = "rtsp://camera/live"


def login(header: str) -> Login:
    made = Login(user="admin", password="s:e c")  # noqa: S106  # a test's
    challenge = choose([header])
    assert challenge is not None
    made.take(challenge)
    return made


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ([BASIC, MD5, SHA], ("digest", "SHA-256")),
        ([BASIC, MD5], ("digest", "MD5")),
        ([BASIC, 'Digest realm="c", nonce="n", algorithm=SHA-512-256'], ("basic", "MD5")),
        (["digest realm=camera,nonce=n"], ("digest", "MD5")),
    ],
)
def test_the_strongest_challenge_that_is_understood_is_taken(
    offered: list[str], taken: tuple[str, str]
) -> None:
    challenge = choose(offered)

    assert challenge is not None
    assert (challenge.scheme, challenge.algorithm) == taken


@pytest.mark.parametrize("header", ["Negotiate", "", "Digest realm=x", 'Bearer realm="x"'])
def test_what_cannot_be_answered(header: str) -> None:
    assert choose([header]) is None


def test_quoted_values_may_hold_commas() -> None:
    assert choose([MD5]) == Challenge(
        scheme="digest", realm="camera", nonce="a,b", algorithm="MD5", has_qop=True
    )


def test_basic() -> None:
    header = login(BASIC).header(method="DESCRIBE", uri=URI)

    assert base64.b64decode(header.removeprefix("Basic ")) == b"admin:s:e c"


@pytest.mark.parametrize("name", ["md5", "sha256"])
def test_digest_as_the_rfc_computes_it(name: str) -> None:
    def digest(text: str) -> str:
        return hashlib.new(name, text.encode()).hexdigest()

    made = login(SHA if name == "sha256" else MD5)
    first, second = (made.header(method="PLAY", uri=URI) for _ in range(2))

    for count, header in (("00000001", first), ("00000002", second)):
        given = dict(re.findall(r'(\w+)="([^"]*)"', header))
        secret, request = digest("admin:camera:s:e c"), digest(f"PLAY:{URI}")
        wanted = digest(f"{secret}:{given['nonce']}:{count}:{given['cnonce']}:auth:{request}")
        assert given["response"] == wanted
        assert f"nc={count}" in header


def test_nothing_shows_the_password() -> None:
    assert "s:e c" not in repr(login(SHA))
    assert Login(user="a", password="b").header(method="PLAY", uri=URI) == ""  # noqa: S106
