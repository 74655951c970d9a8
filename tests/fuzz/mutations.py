"""Bytes that are nearly what is expected: seeds with pieces changed, doubled, moved or left out."""

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

_ODD: Final = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\r\n\r\n",
    b"-1",
    b"99999999999999999999",
    b"1e999",
    b"nan",
    b"[",
    b"]]>",
    b"<a>" * 70,
    b"<![CDATA[x]]>",
    b"&#x0;",
    b"&#1114112;",
    b'xmlns:x=""',
    b"://",
    b"[::1",
    b"%00%",
    "ä\u2028\U0001f600".encode(),
)


@st.composite
def near(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """One seed after one to six changes."""
    content = bytearray(draw(st.sampled_from(list(seeds))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        until = min(len(content), at + draw(st.integers(0, 60)))
        match draw(st.sampled_from(("put", "take", "double", "move", "noise", "flip"))):
            case "put":
                content[at:at] = draw(st.sampled_from(_ODD))
            case "take":
                del content[at:until]
            case "double":
                content[at:at] = content[at:until]
            case "move":
                piece = bytes(content[at:until])
                del content[at:until]
                to = draw(st.integers(0, len(content)))
                content[to:to] = piece
            case "flip" if at < len(content):
                content[at] ^= 1 << draw(st.integers(0, 7))
            case _:
                content[at:until] = draw(st.binary(max_size=20))
    return bytes(content)
