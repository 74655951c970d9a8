"""Puts what proves an incident into the evidence store: cited frames and one drawn snapshot."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import structlog

from contracts.errors import StorageFull
from contracts.evidence import EvidenceStore
from contracts.geometry import Line, Zone
from contracts.incidents import EvidenceItem, EvidenceKind
from contracts.tracks import Track
from vision.drawing import DrawnBox, doubles, draw_scene, encode_jpeg
from vision.keyframes import KeyFrame
from vision.metrics import EVIDENCE_PROBLEMS

log = structlog.get_logger()

MAX_FRAMES: Final = 24
"""Cited frames kept for one incident, first come."""


def kept_frames(items: Iterable[EvidenceItem]) -> frozenset[str]:
    """Return the ids of the frames that are really in the store."""
    return frozenset(
        item.frame_id for item in items if item.kind is EvidenceKind.FRAME and item.ref
    )


class EvidenceKeeper:
    """Keeps one camera's evidence. A full store costs the picture, never the incident."""

    def __init__(self, store: EvidenceStore, *, camera_id: str) -> None:
        self._store = store
        self._camera_id = camera_id

    def add_frames(
        self, known: Sequence[EvidenceItem], frames: Iterable[KeyFrame]
    ) -> tuple[EvidenceItem, ...]:
        """Return ``known`` and an item for each frame that is not in it yet, oldest first.

        A frame whose id is taken by another frame (of an earlier run of the camera) is left out:
        an id must cite one picture.
        """
        items = list(known)
        taken = {item.frame_id for item in items if item.kind is EvidenceKind.FRAME}
        for frame in sorted(frames, key=lambda one: one.header.captured_at):
            if frame.header.frame_id in taken or len(taken) >= MAX_FRAMES:
                continue
            taken.add(frame.header.frame_id)
            items.append(self._keep(frame, frame.picture.jpeg, kind=EvidenceKind.FRAME))
        return tuple(items)

    def snapshot(
        self,
        frame: KeyFrame,
        *,
        tracks: Iterable[Track],
        alerting: Collection[str],
        zones: Sequence[Zone],
        lines: Sequence[Line],
    ) -> EvidenceItem:
        """Keep a picture of the frame with zones, lines and boxes drawn, alerting ones strongest.

        Args:
            frame: The decisive frame.
            tracks: Of that frame; their labels go into the chips.
            alerting: Ids of the tracks that the incident is about.
            zones: That the incident is about.
            lines: That the incident is about.
        """
        whole = frame.picture.whole()
        if whole is None:
            return self._item(frame, kind=EvidenceKind.SNAPSHOT, problem="unreadable JPEG")
        labels = {track.track_id: track.label for track in tracks}
        hidden = doubles(frame.boxes, alerting=alerting)
        boxes = [
            DrawnBox(
                box=box,
                text=f"{labels.get(track_id, 'object')} {track_id}",
                is_alerting=track_id in alerting,
            )
            for track_id, box in frame.boxes.items()
            if track_id not in hidden
        ]
        drawn_HW3 = draw_scene(whole.pixels_HW3, zones=zones, lines=lines, boxes=boxes)
        return self._keep(frame, encode_jpeg(drawn_HW3), kind=EvidenceKind.SNAPSHOT)

    def _keep(self, frame: KeyFrame, jpeg: bytes, *, kind: EvidenceKind) -> EvidenceItem:
        try:
            return self._item(frame, kind=kind, ref=self._store.put(jpeg, suffix="jpg"))
        except StorageFull as error:
            EVIDENCE_PROBLEMS.labels(camera=self._camera_id).inc()
            log.warning(
                "evidence not kept, storage is full",
                camera_id=self._camera_id,
                frame_id=frame.header.frame_id,
                kind=kind.value,
            )
            return self._item(frame, kind=kind, problem=str(error))

    def _item(
        self, frame: KeyFrame, *, kind: EvidenceKind, ref: str = "", problem: str = ""
    ) -> EvidenceItem:
        return EvidenceItem(
            kind=kind,
            ref=ref,
            frame_id=frame.header.frame_id,
            captured_at=frame.header.captured_at,
            boxes=dict(frame.boxes),
            problem=problem,
        )
