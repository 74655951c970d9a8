"""Follows people's bodies through changes of posture, where boxes are lost and tracks break.

A detector that knows people upright is unsure of them as they come down, and silent once they
lie. So this cue follows on everything that the detector took for a person, however unsure, where
the pictures bear it out; and where there is nothing for a moment, on what has newly come to lie
beside the place where somebody stood.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from contracts.frames import FrameHeader
from contracts.geometry import Box, centre, iou
from contracts.tracks import TrackState
from vision.boxes import overlap, share_within
from vision.cues.body import LIKELY, Body
from vision.cues.body_life import BodyLife, Find, people_in
from vision.cues.port import Glimpse
from vision.cues.recent_pictures import EARLIER_S, RecentPictures, arrived
from vision.descent import Descent, measure
from vision.fall_model import (
    EDGE,
    LEAST_CHANGED,
    FallModels,
    Surroundings,
    shipped_models,
)

BEGINS: Final = 0.5
"""A find of this confidence begins a body; less sure ones continue it."""
LOST_S: Final = 2.0
"""A body that nothing shows for longer is gone."""
REACH: Final = (0.45, 0.5)
"""A body's middle moves by this many body heights between frames, and more for each second
unseen, up to one."""
DOWN_REACH: Final = (0.35, 0.25)
"""The same once it is down."""
SAME: Final = 0.3
"""Boxes that overlap by this much may be the same body, however far their middles are apart."""
STAYED: Final = 0.5
"""A find that overlaps so much with where the body was needs no other proof."""
LEAST_AREA: Final = 0.06
"""Least area of a box of a body, over that of a square as high as the body stands."""
MOST_HEIGHT: Final = (1.6, 0.1)
"""A box is no higher than this many body heights and this much of the picture."""
PART_OF: Final = 0.6
"""A find of which so much lies in a body's box is a part of it, and the other way round."""
FRAGMENT: Final = 0.62
"""A body with a box lower than this share of a find's that covers it was a part of somebody."""
DOUBLE_S: Final = 0.5
DOUBLE: Final = 0.25
"""A body not found for so long, of which so much lies in one that is, was the same one."""
BLIND_AFTER_S: Final = 0.3
"""Where nothing was found for so long, the pictures are asked."""
SINKING: Final = 0.08
"""... if the head had come down by this many body heights when it was last found."""
GONE: Final = 0.45
"""... and so much of its place looks otherwise,"""
CAME: Final = (0.1, 0.8)
"""... and so much is new beside it in one piece, over a square as high as the body,"""
FILLED: Final = 0.3
"""... that fills this share of the box around it."""
HIDING: Final = 1.2
"""A body in the box of one this much higher is a part of it: an arm, a leg."""
MOVING: Final = 0.3
"""... and does not move any more: less of it than this has changed in the last moments,"""
MOMENT_S: Final = 0.4
STRANGER: Final = 0.2
"""... and less of it than this lies in anybody else's box."""
UNFOUND_S: Final = 60.0
"""Somebody who went down and is not found is believed to lie there for so long, while the place
does not look as before."""
LIKELY_S: Final = 0.4
"""A body that more likely fell than not is down once it has been low for so long,"""
RISEN: Final = 0.5
"""... and up again when its head is this share of the way back."""


class BodyCue:
    """The bodies of one camera's run; see ``vision.cues.port.Cue``.

    Args:
        models: Of falls; the shipped ones if None.
    """

    def __init__(self, models: FallModels | None = None) -> None:
        self._models = models or shipped_models()
        self._pictures = RecentPictures()
        self._lives: list[BodyLife] = []

    def look(self, glimpse: Glimpse) -> tuple[Body, ...]:
        """Return everybody who is followed, and once more whoever is no longer."""
        header = glimpse.header
        ended: list[Body] = []
        if not self._pictures.look(glimpse.small):
            ended = self._drop(self._lives)
        finds = people_in(glimpse.detections)
        free = self._continue(finds, header)
        ended += self._end(header)
        ended += self._begin(free, header)
        return (*(self._read(life, header) for life in self._lives), *ended)

    def _is_part_of_another(self, life: BodyLife) -> bool:
        """Say whether it lies within somebody who stands: then it is an arm or a leg."""
        height = life.box[3] - life.box[1]
        return any(
            other is not life
            and not other.is_down
            and other.points[-1].is_observed
            and other.box[3] - other.box[1] > HIDING * height
            and share_within(life.box, other.box) > PART_OF
            for other in self._lives
        )

    def _continue(self, finds: Sequence[Find], header: FrameHeader) -> list[Find]:
        """Give each body the find that fits best, nearest first; return what is left."""
        pairs = sorted(
            (
                (fit, index, number)
                for index, life in enumerate(self._lives)
                for number, find in enumerate(finds)
                if (fit := self._fit(life, find, header)) is not None
            ),
            reverse=True,
        )
        given: dict[int, int] = {}
        # Who was found a moment ago comes before who has been away, and leaves it no part.
        pairs.sort(key=lambda pair: self._is_away(self._lives[pair[1]], header))
        for _, index, number in pairs:
            if index in given or number in given.values():
                continue
            taken = [finds[other].box for other in given.values()]
            if self._is_away(self._lives[index], header) and any(
                _is_same(finds[number].box, box) for box in taken
            ):
                continue
            given[index] = number
        for index, life in enumerate(self._lives):
            if index in given:
                find = finds[given[index]]
                life.add(header, find.box, find=find)
            else:
                self._do_without(life, header)
        return [find for number, find in enumerate(finds) if number not in given.values()]

    def _is_away(self, life: BodyLife, header: FrameHeader) -> bool:
        return header.monotonic_s - life.found_s >= DOUBLE_S and not life.is_down

    def _fit(self, life: BodyLife, find: Find, header: FrameHeader) -> float | None:
        """Return how well a find continues a body; None where it cannot."""
        last, box = life.box, find.box
        height, aspect = life.height(), header.width / header.height
        (was_x, was_y), (x, y) = centre(last), centre(box)
        gone = math.hypot((x - was_x) * aspect, y - was_y) / max(height, 1e-6)
        away_s = header.monotonic_s - life.found_s
        near, by_s = DOWN_REACH if life.is_down else REACH
        reach = near + by_s * min(1.0, away_s)
        overlap = iou(box, last)
        if gone > reach and overlap < SAME:
            return None
        if away_s > BLIND_AFTER_S and not life.is_down and _has_left(last, box):
            return None
        area = (box[2] - box[0]) * aspect * (box[3] - box[1]) / max(height**2, 1e-9)
        if area < LEAST_AREA or box[3] - box[1] > MOST_HEIGHT[0] * height + MOST_HEIGHT[1]:
            return None
        if overlap < STAYED:
            # What was there while the body was elsewhere is a piece of furniture. Who gets up
            # stands as he stood: of him only the last second tells.
            since_s = header.monotonic_s - 1.0
            if not life.is_down:
                since_s = min(life.stood().monotonic_s, since_s)
            if self._pictures.share_changed(box, since_s=since_s) < LEAST_CHANGED:
                return None
        nearness = math.exp(-((gone / reach) ** 2))
        return math.sqrt(find.confidence) * nearness + 0.5 * overlap + 0.5 * min(area, 0.5)

    def _do_without(self, life: BodyLife, header: FrameHeader) -> None:
        """Follow a body that was not found: by what the pictures show, or not at all."""
        box = life.box
        if life.is_down:
            life.add(header, box, is_seen=self._lies_there(life, header))
            return
        fallen = self._sunken(life, header)
        life.add(header, fallen or box, is_seen=fallen is not None)

    def _lies_there(self, life: BodyLife, header: FrameHeader) -> bool:
        """Say whether the place where somebody went down still does not look as before."""
        if not life.before or header.monotonic_s - life.found_s > UNFOUND_S:
            return False
        unlike = self._pictures.share_unlike(life.box, life.before, but=life.stood().box)
        return unlike >= LEAST_CHANGED

    def _is_there(self, life: BodyLife, descent: Descent) -> bool:
        """Say whether no picture from before it came shows the place as it is: bare ground."""
        share, _ = self._pictures.most_like(life.box, until_s=descent.upright.monotonic_s)
        return share >= LEAST_CHANGED

    def _sunken(self, life: BodyLife, header: FrameHeader) -> Box | None:
        """Return what came to lie beside where a sinking body stood; None if nothing did."""
        now_s = header.monotonic_s
        if not BLIND_AFTER_S <= now_s - life.found_s <= LOST_S:
            return None
        found = next(point for point in reversed(life.points) if point.confidence > 0)
        stood = life.stood()
        height = max(stood.box[3] - stood.box[1], 1e-6)
        is_cut = found.box[0] <= EDGE or found.box[2] >= 1 - EDGE
        if is_cut or found.box[1] - stood.box[1] < SINKING * height:
            return None
        if self._pictures.share_changed(head_of(stood.box), since_s=stood.monotonic_s) < GONE:
            return None
        came = arrived(
            self._pictures.changed(since_s=stood.monotonic_s),
            stood.box,
            found.box,
            aspect=header.width / header.height,
        )
        if came is None or not CAME[0] <= came.area <= CAME[1] or came.fill < FILLED:
            return None
        others = [other.box for other in self._lives if other is not life]
        if any(share_within(came.box, other) > STRANGER for other in others):
            return None
        moved = self._pictures.share_changed(came.box, since_s=now_s - MOMENT_S)
        return came.box if moved < MOVING else None

    def _begin(self, finds: Sequence[Find], header: FrameHeader) -> list[Body]:
        """Begin bodies of what is sure and nobody's; return those that were parts of these."""
        replaced: list[Body] = []
        for find in sorted(finds, key=lambda find: -find.confidence):
            if find.confidence < BEGINS:
                break
            parts = [life for life in self._lives if _is_part(life, find)]
            if any(_is_same(life.box, find.box) for life in self._lives if life not in parts):
                continue
            replaced += self._drop(parts)
            taken = {life.name for life in self._lives}
            name = _name(header, taken)
            life = BodyLife(name=name, began=header)
            life.add(header, find.box, find=find)
            self._lives.append(life)
        return replaced

    def _end(self, header: FrameHeader) -> list[Body]:
        now_s = header.monotonic_s
        return self._drop([life for life in self._lives if now_s - life.seen.monotonic_s > LOST_S])

    def _drop(self, over: Sequence[BodyLife]) -> list[Body]:
        """Follow these no longer; return their last words."""
        self._lives = [life for life in self._lives if life not in over]
        return [
            Body(track=life.track(TrackState.ENDED), has_fallen=life.has_fallen) for life in over
        ]

    def _read(self, life: BodyLife, header: FrameHeader) -> Body:
        """Measure one body, and remember whether it is down."""
        before = life.body
        track = life.track(TrackState.CONFIRMED if life.points[-1].is_observed else TrackState.LOST)
        body = Body(track=track)
        aspect = header.width / header.height
        descent = measure(life.points, aspect=aspect, now_s=header.monotonic_s)
        if descent is not None and descent.drop > 0:
            surroundings = Surroundings(
                gone=self._pictures.share_changed(
                    head_of(descent.upright.box), since_s=descent.upright.monotonic_s
                ),
                came=self._pictures.share_new(life.box, since_s=descent.upright.monotonic_s),
            )
            fall = self._models.likelihood(descent, surroundings, life.box)
            body = Body(
                track=track,
                descent=descent,
                surroundings=surroundings,
                fall=fall,
                is_down=fall.share >= LIKELY
                and descent.down_s >= LIKELY_S
                and not self._is_part_of_another(life)
                and (life.is_down or self._is_there(life, descent)),
            )
        if before is not None and before.is_down and before.descent is not None:
            body = _still_down(before, before.descent, body, now_s=header.monotonic_s)
        life.has_fallen = life.has_fallen or body.is_down
        if not body.is_down:
            life.before = ()
        elif not life.before and body.descent is not None:
            stood_s = body.descent.upright.monotonic_s
            life.before = (
                self._pictures.at(stood_s),
                self._pictures.at(stood_s - EARLIER_S),
                self._pictures.most_like(life.box, until_s=stood_s)[1],
            )
        life.body = replace(body, has_fallen=life.has_fallen)
        return life.body


def head_of(box: Box) -> Box:
    """Return the upper third of a standing body's box: head and shoulders."""
    return (box[0], box[1], box[2], box[1] + (box[3] - box[1]) / 3)


def _still_down(before: Body, known: Descent, now: Body, *, now_s: float) -> Body:
    """Return a body that was down: as before, brought up to date, unless it has come up."""
    last = next(point for point in reversed(now.track.points) if point.is_observed)
    tops = [
        point.box[1]
        for point in now.track.points
        if point.is_observed and last.monotonic_s - point.monotonic_s <= 0.5
    ]
    risen_to = (sorted(tops)[len(tops) // 2] - known.top) / known.height
    if risen_to < RISEN * known.drop:
        return replace(now, is_down=False)
    is_same = (
        now.is_down
        and now.descent is not None
        and now.descent.upright.monotonic_s <= known.down_since_s
    )
    if is_same:
        return now
    return replace(before, track=now.track, descent=replace(known, measured_s=now_s), is_down=True)


def _has_left(last: Box, box: Box) -> bool:
    """Say whether a body was at the picture's side when last seen, and a find is not: it left."""
    is_left, is_right = last[0] <= EDGE < box[0], last[2] >= 1 - EDGE > box[2]
    return is_left or is_right


def _is_part(life: BodyLife, find: Find) -> bool:
    """Say whether what was followed is a part of what was found: an arm, the legs of somebody."""
    last = life.box
    is_low = last[3] - last[1] < FRAGMENT * (find.box[3] - find.box[1])
    return is_low and not life.is_down and share_within(last, find.box) > PART_OF


def _is_same(box: Box, other: Box) -> bool:
    return iou(box, other) > SAME or overlap(box, other) > PART_OF


def _name(header: FrameHeader, taken: set[str]) -> str:
    """Return an id that no body of the run has had, whoever counted before: by its time."""
    name = f"rb{round(header.monotonic_s * 1000)}"
    number = 1
    while name in taken:
        number += 1
        name = f"rb{round(header.monotonic_s * 1000)}-{number}"
    return name
