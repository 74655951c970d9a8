"""RTSP on the wire: messages and, between them, packets of media. Pure.

Source: RFC 2326, 10.12 (interleaved data: ``$``, channel, length of two bytes).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HEAD_MAX_BYTES: Final = 32_768
BODY_MAX_BYTES: Final = 262_144
_DOLLAR: Final = 0x24
_LINE_ENDS: Final = b"\r\n"
_WORD_BYTES: Final = 9
"""Of ``RTSP/1.0 ``: fewer bytes may be the beginning of an answer."""
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_FIRST_LINE: Final = re.compile(rb"RTSP/1\.0 |[A-Z_]{3,20} [^\r\n]{1,2048} RTSP/1\.0")
_UNFINISHED: Final = re.compile(rb"[A-Z_]{3,20} [!-~]*(?: [RTSP/1.0]*)?\Z")
_NEXT: Final = re.compile(rb"\$|RTSP/1\.0 ")


class MessageTooLong(Exception):  # noqa: N818  # named as the condition, as httpx does
    """A head without end, or a body that nobody needs."""


@dataclass(slots=True, kw_only=True)
class Message:
    """A request or an answer; header lines keep their order and spelling."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """Return the values of all headers of a name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str:
        """Return the first value of a header; empty if it is not there."""
        return next(iter(self.values(name)), "")

    def set(self, name: str, value: str) -> None:
        """Replace a header, or add it."""
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        self.headers.append((name, value))

    @property
    def status(self) -> int:
        """Of an answer; 0 for a request."""
        words = self.start.split(maxsplit=2)
        is_answer = len(words) > 1 and words[0].startswith("RTSP/") and words[1].isdigit()
        return int(words[1]) if is_answer else 0

    def encode(self) -> bytes:
        """Return it as it is sent."""
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + self.body


class Splitter:
    """Cuts a stream of bytes into messages and everything else, which is passed on as it is."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Message | bytes]:
        """Yield what is complete now, in order.

        Raises:
            MessageTooLong: A message has no end within what is allowed.
        """
        self._buffer += chunk
        while self._buffer:
            size = self._media_bytes()
            if size:
                media = bytes(self._buffer[:size])
                del self._buffer[:size]
                yield media
                continue
            if self._buffer[0] == _DOLLAR:
                return  # a packet that is not whole yet
            message = self._message()
            if message is None:
                return
            yield message

    def _media_bytes(self) -> int:
        """Return how many bytes of whole packets, and of garbage, the buffer begins with."""
        at, held = 0, self._buffer
        while at < len(held):
            if held[at] == _DOLLAR:
                if at + 4 > len(held):
                    break
                end = at + 4 + int.from_bytes(held[at + 2 : at + 4], "big")
                if end > len(held):
                    break
                at = end
            elif held[at] in _LINE_ENDS:
                at += 1
            elif self._is_message(at):
                break
            elif found := _NEXT.search(held, at):
                at = found.start()
            else:
                at = len(held) - _WORD_BYTES
                break
        return at

    def _is_message(self, at: int) -> bool:
        """Whether a message begins there, or may, once more is here."""
        rest_bytes = len(self._buffer) - at
        return (
            rest_bytes < _WORD_BYTES
            or _FIRST_LINE.match(self._buffer, at) is not None
            or (rest_bytes < HEAD_MAX_BYTES and _UNFINISHED.match(self._buffer, at) is not None)
        )

    def _message(self) -> Message | None:
        end = _HEAD_END.search(self._buffer)
        if end is None:
            if len(self._buffer) > HEAD_MAX_BYTES:
                raise MessageTooLong(f"a head of more than {HEAD_MAX_BYTES} bytes")
            return None
        lines = self._buffer[: end.start()].decode("utf-8", "surrogateescape").splitlines()
        pairs = [line.partition(":") for line in lines[1:] if ":" in line]
        headers = [(name.strip(), value.strip()) for name, _, value in pairs]
        message = Message(start=lines[0] if lines else "", headers=headers)
        given = message.value("Content-Length")
        length = int(given) if given.isdigit() else 0
        if end.start() > HEAD_MAX_BYTES or length > BODY_MAX_BYTES:
            raise MessageTooLong(f"a message of {end.start()} + {length} bytes")
        if len(self._buffer) < end.end() + length:
            return None
        message.body = bytes(self._buffer[end.end() : end.end() + length])
        del self._buffer[: end.end() + length]
        return message
