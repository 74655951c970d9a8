"""What a camera's pipeline must find again after ``kill -9``, as bytes."""

from dataclasses import dataclass, replace
from typing import Final, Protocol

from contracts.codec import CodecError, decode, encode
from contracts.incidents import ClipRequest, Incident
from contracts.queues import CLIPS, INCIDENTS
from vision.incidents import OpenIncident
from vision.reports import thinned

VERSION: Final = 1
_POINTS: Final = (240, 120)
"""Track points kept in a checkpoint, of all tracks and of each: enough to tell how it ended."""


class Checkpoints(Protocol):
    """Keeps one checkpoint for each camera, replaced as a whole."""

    def load(self, camera_id: str) -> bytes | None:
        """Return what was saved last, None if nothing was. Raises TransportUnavailable."""
        ...

    def save(self, camera_id: str, content: bytes) -> None:
        """Replace the camera's checkpoint. Raises TransportUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that is about to be published."""

    topic: str
    item_id: str
    payload: bytes


def outgoing(news: Incident | ClipRequest) -> Outgoing:
    """Return the message that tells of an incident, or asks for a clip of it."""
    if isinstance(news, ClipRequest):
        return Outgoing(topic=CLIPS, item_id=news.incident_id, payload=encode(news))
    item_id = f"{news.incident_id}:{news.revision}"
    return Outgoing(topic=INCIDENTS, item_id=item_id, payload=encode(news))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What survives a worker.

    Attributes:
        version: Of this form; another is not read.
        run_id: Of the newest frame seen.
        next_track_number: No id below it may be given again.
        incidents: All that are open.
        unsent: What may not have been published yet. It is published (again) by whoever goes on
            from here, under the same ids: receivers take a repeat for what it is.
    """

    version: int = VERSION
    run_id: str = ""
    next_track_number: int = 1
    incidents: tuple[OpenIncident, ...] = ()
    unsent: tuple[Outgoing, ...] = ()


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the checkpoint as bytes, the tracks of its incidents thinned out."""
    incidents = tuple(
        replace(
            incident,
            tracks={
                track.track_id: track
                for track in thinned(
                    incident.tracks.values(),
                    events=incident.rule_events,
                    facts=incident.facts,
                    points=_POINTS[0],
                    least=_POINTS[1],
                )
            },
        )
        for incident in checkpoint.incidents
    )
    return encode(replace(checkpoint, incidents=incidents))


def decode_checkpoint(content: bytes) -> Checkpoint:
    """Return what the bytes say.

    Raises:
        CodecError: They are no checkpoint of this version.
    """
    checkpoint = decode(content, Checkpoint)
    if checkpoint.version != VERSION:
        raise CodecError(f"checkpoint has version {checkpoint.version}, wanted {VERSION}")
    return checkpoint
