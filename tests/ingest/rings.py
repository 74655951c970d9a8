"""Clip rings filled from a file."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from contracts.settings import IngestSettings
from ingest.clip_ring import ClipRing
from ingest.clip_template import ClipTemplate
from ingest.errors import SourceEnded
from ingest.sources.file import open_file
from ingest.sources.stream import StreamReader
from tests.fakes.clock import START
from tests.ingest.recordings import file_camera


def ring_of(path: Path, *, is_over: bool = True, has_audio: bool = False) -> ClipRing:
    """All of a file as ``run1``, its first packet at ``START``; the file is closed again."""
    opened = open_file(file_camera(path), IngestSettings())
    reader = StreamReader(opened, camera_id="gate", has_audio=has_audio)
    ring = ClipRing(keep_s=1000.0)
    reader.on_audio = ring.add_audio
    ring.begin_run("run1", ClipTemplate(reader.stream, reader.audio))
    first_s: float | None = None
    with suppress(SourceEnded):
        for unit in reader.units():
            if unit.packet is None:
                continue
            first_s = unit.packet.stream_s if first_s is None else first_s
            ring.anchor(START - timedelta(seconds=first_s))
            ring.add(unit.packet)
    opened.close()
    if is_over:
        ring.end_run()
    return ring
