"""How much of a fragmented MP4 that was cut off is whole (ISO 14496-12, 4.2 and 8.8)."""

import io
from typing import BinaryIO, Final

_HEADER_BYTES: Final = 8
_LARGE_BYTES: Final = 16
_TO_THE_END, _IS_LARGE = 0, 1


def whole_length(file: BinaryIO) -> int:
    """Return where the last whole fragment ends; 0 if there is none to be played."""
    file.seek(0, io.SEEK_END)
    size = file.tell()
    at = whole = 0
    before = ""
    seen: set[str] = set()
    while at + _HEADER_BYTES <= size:
        file.seek(at)
        header = file.read(_LARGE_BYTES)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8].decode("latin-1")
        smallest = _HEADER_BYTES
        if length == _IS_LARGE:
            length, smallest = int.from_bytes(header[8:16], "big"), _LARGE_BYTES
        if length == _TO_THE_END or length < smallest or at + length > size:
            break
        at += length
        seen.add(kind)
        if kind == "mdat" and before == "moof" and "moov" in seen:
            whole = at
        before = kind
    return whole
