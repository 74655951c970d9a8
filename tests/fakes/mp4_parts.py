"""Looks into MP4 files: where their parts end, and how many pictures decode."""

from pathlib import Path

import av


def whole_parts(content: bytes) -> list[int]:
    """Return where each part (moof and mdat) that is there to its last byte ends."""
    ends, at = [], 0
    while at + 8 <= len(content):
        size, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        at += size
        if kind == b"mdat" and at <= len(content):
            ends.append(at)
    return ends


def pictures_in(path: Path) -> int:
    """Return how many pictures decode, up to the first that was cut off."""
    count = 0
    try:
        with av.open(str(path), format="mp4") as container:
            for _ in container.decode(video=0):
                count += 1
    except av.FFmpegError:
        pass
    return count
