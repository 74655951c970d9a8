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
_FRAME_BYTES: Final = 4
_RTP_VERSION: Final = 2
"""Of RTP and RTCP, the first two bits of each packet (RFC 3550, 5.1 and 6.4.1)."""
_LINKS: Final = 2
"""So many packets in a row are no chance: of random bytes one in a million would pass."""


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
    """Cuts a stream of bytes into messages and packets of media, and leaves garbage out.

    A camera may break off within a packet, or send what is none. Then the next place is looked for
    from which packets follow one another.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_lost = False

    def feed(self, chunk: bytes) -> Iterator[Message | bytes]:
        """Yield what is complete now, in order.

        Raises:
            MessageTooLong: A message has no end within what is allowed.
        """
        self._buffer += chunk
        while self._buffer:
            if self._is_lost and not self._find_again():
                return
            size = self._media_bytes()
            if size:
                media = bytes(self._buffer[:size])
                del self._buffer[:size]
                yield media
            elif self._is_lost:
                continue
            elif self._buffer[0] == _DOLLAR:
                return  # a packet that is not whole yet
            else:
                message = self._message()
                if message is None:
                    return
                yield message

    def _media_bytes(self) -> int:
        """Return how many bytes of whole packets the buffer begins with; note if it is lost."""
        at, held = 0, self._buffer
        while at < len(held):
            if held[at] == _DOLLAR:
                end = _end_of_packet(held, at)
                if end is None:
                    break
                is_broken = self._is_broken(at, end)
                if is_broken is None:
                    break
                if is_broken:
                    self._lose(at)
                    break
                at = end
            elif held[at] in _LINE_ENDS:
                at += 1
            elif self._is_message(at):
                break
            else:
                self._lose(at)
                break
        return at

    def _lose(self, at: int) -> None:
        """Leave out what lies there, once all before it is passed on."""
        if at == 0:
            self._is_lost = True
            del self._buffer[:1]

    def _is_broken(self, at: int, end: int) -> bool | None:
        """Whether a packet ends within another; None if that cannot be told yet."""
        held = self._buffer
        is_rtp = end - at > _FRAME_BYTES and held[at + _FRAME_BYTES] >> 6 == _RTP_VERSION
        if end == len(held):
            return False if is_rtp else None
        if held[end] == _DOLLAR or held[end] in _LINE_ENDS or self._is_message(end):
            return False
        return not is_rtp or any(
            self._links(place) for place in _places(held, at + 1, end) if held[place] == _DOLLAR
        )

    def _find_again(self) -> bool:
        """Drop what comes before the next sound place; False if there is none yet."""
        held, kept = self._buffer, max(0, len(self._buffer) - _WORD_BYTES)
        for place in _places(held, 0, len(held)):
            is_sound = held[place] != _DOLLAR or self._links(place)
            if is_sound:
                del held[:place]
                self._is_lost = False
                return True
            if is_sound is None:
                kept = min(kept, place)
        del held[:kept]
        return False

    def _links(self, at: int) -> bool | None:
        """Whether packets follow one another from there; None if that cannot be told yet."""
        held = self._buffer
        for _ in range(_LINKS):
            if at + _FRAME_BYTES >= len(held):
                return None
            if held[at] != _DOLLAR:
                return _FIRST_LINE.match(held, at) is not None
            if held[at + _FRAME_BYTES] >> 6 != _RTP_VERSION:
                return False
            end = _end_of_packet(held, at)
            if end is None:
                return None
            at = end
        return True

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


def _end_of_packet(held: bytearray, at: int) -> int | None:
    """Return where the packet that begins there ends; None if that is not here yet."""
    if at + _FRAME_BYTES > len(held):
        return None
    end = at + _FRAME_BYTES + int.from_bytes(held[at + 2 : at + _FRAME_BYTES], "big")
    return end if end <= len(held) else None


def _places(held: bytearray, start: int, end: int) -> Iterator[int]:
    """Yield where a packet or an answer may begin."""
    while found := _NEXT.search(held, start, end):  # finditer would lock the buffer
        start = found.end()
        yield found.start()
