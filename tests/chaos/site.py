"""A whole Vigil with cameras that come and go, and what is seen of it from outside."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import cv2
import httpx
import numpy as np
import psutil

from api.rules_file import dump_rules
from contracts.cameras import RtspTransport
from contracts.frames import BgrImage
from ingest.phases import Phase
from ingest.sources.scenes.yard_truth import YARD_RULES
from tests.chaos.measured import Measured, elapsed_until
from tests.e2e.system import RunningVigil, running
from tests.quirkcam import QuirkCam, timecode
from tests.quirkcam.clips import Clip, media_of
from tests.quirkcam.media import Media

BYSTANDER_FPS: Final = 5.0
_RATE_TOLERANCE: Final = 0.1
_MIN_WATCH_S: Final = 3.0
OUT: Final = ("back_off", "stalled", "failed_auth", "connecting", "handshake")


def bystander_clip() -> Media:
    """What the cameras play that nobody disturbs."""
    return media_of(Clip(duration_s=8.0))


def yard_clip(**changes: Any) -> Clip:  # noqa: ANN401  # fields of Clip
    """The yard from just before its intruder comes until after he has gone."""
    settings: dict[str, Any] = {
        "show": "yard", "width": 640, "height": 360, "fps": 10, "begins_s": 4.0, "duration_s": 20.0,
    }  # fmt: skip
    return Clip(**(settings | changes))


@dataclass(slots=True)
class Site:
    """One running Vigil."""

    vigil: RunningVigil
    cameras: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def running(
        cls, folder: Path, settings: str = "", *, prefix: tuple[str, ...] = ()
    ) -> Iterator[Self]:
        """Start a Vigil without cameras in a folder of its own; stop it at the end."""
        (folder / "yard.rules.json").write_text(json.dumps(dump_rules(YARD_RULES)))
        # The one camera that settings name keeps the demo camera away; it is switched off at once.
        text = f"{settings}\n[[cameras]]\nid = 'nobody'\nurl = 'synthetic:yard'\n"
        with running(folder / "state", text, prefix=prefix) as vigil:
            site = cls(vigil)
            vigil.client.patch("/api/v1/cameras/nobody", json={"enabled": False})
            yield site

    def add(
        self, camera_id: str, url: str, *, transport: str = "tcp", has_rules: bool = False
    ) -> None:
        """Add a camera, watched by the yard's rules or by none but those on by default."""
        body = {"id": camera_id, "source": {"url": url, "transport": transport}}
        self.vigil.client.post("/api/v1/cameras", json=body).raise_for_status()
        self.cameras.append(camera_id)
        if has_rules:
            rules = dump_rules(YARD_RULES)
            self.vigil.client.put(
                f"/api/v1/cameras/{camera_id}/scene", json=rules
            ).raise_for_status()

    def remove(self, camera_id: str) -> None:
        self.vigil.client.delete(f"/api/v1/cameras/{camera_id}").raise_for_status()
        self.cameras.remove(camera_id)

    @contextmanager
    def watching(self, camera_id: str, camera: QuirkCam | str, **how: Any) -> Iterator[None]:  # noqa: ANN401  # of add
        """Have a camera for the length of the block."""
        self.add(camera_id, camera if isinstance(camera, str) else camera.url, **how)
        try:
            yield
        finally:
            self.remove(camera_id)

    def status(self, camera_id: str) -> dict[str, Any]:
        """The camera's status; empty while the web server is away or knows nothing yet."""
        with suppress(httpx.HTTPError):
            answer = self.vigil.client.get(f"/api/v1/cameras/{camera_id}/status")
            if answer.status_code == httpx.codes.OK:
                found: dict[str, Any] = answer.json()
                return found
        return {}

    def phase(self, camera_id: str) -> str:
        return str(self.status(camera_id).get("phase", ""))

    def changes(self, camera_id: str) -> list[str]:
        """The phases that its connection went through, newest first."""
        phases = {phase.value for phase in Phase}
        return [after for after in self._steps(camera_id) if after in phases]

    def carriers(self, camera_id: str) -> list[str]:
        """What it was gone over to for its RTP, newest first."""
        carriers = {transport.value for transport in RtspTransport}
        return [after for after in self._steps(camera_id) if after in carriers]

    def _steps(self, camera_id: str) -> list[str]:
        answer = self.vigil.client.get(f"/api/v1/cameras/{camera_id}/changes")
        answer.raise_for_status()
        return [item["after"] for item in answer.json()["items"]]

    def until(self, is_so: Callable[[], object], *, within_s: float) -> float:
        return elapsed_until(is_so, within_s=within_s)

    def until_live(self, camera_id: str, *, within_s: float) -> float:
        """Wait until it is live with a fresh frame; the seconds that it took."""
        return self.until(lambda: self.is_fresh(camera_id), within_s=within_s)

    def until_out(self, camera_id: str, *, within_s: float) -> float:
        return self.until(lambda: self.phase(camera_id) in OUT, within_s=within_s)

    def is_fresh(self, camera_id: str) -> bool:
        status = self.status(camera_id)
        age_s = status.get("last_frame_age_s")
        return status.get("phase") in ("live", "degraded") and age_s is not None and age_s < 1.5

    def received(self, camera_id: str) -> int:
        return int(self.status(camera_id).get("frames", {}).get("received", 0))

    def picture(self, camera_id: str) -> BgrImage | None:
        """The newest picture that people see."""
        with suppress(httpx.HTTPError):
            answer = self.vigil.client.get(f"/api/v1/cameras/{camera_id}/latest.jpg")
            if answer.status_code == httpx.codes.OK:
                return decoded(answer.content)
        return None

    def lag_s(self, camera_id: str, camera: QuirkCam) -> float:
        """Seconds from the lens to the newest picture that people see, read from its pixels."""
        pixels_HW3 = self.picture(camera_id)
        seen_at = datetime.now(UTC)
        number = None if pixels_HW3 is None else timecode.read(pixels_HW3)
        glass_at = None if number is None else camera.glass_at(number, before=seen_at)
        return float("inf") if glass_at is None else (seen_at - glass_at).total_seconds()

    def alerts(self, camera_id: str, kind: str = "") -> list[dict[str, Any]]:
        where = {"kind": kind} if kind else {}
        with suppress(httpx.HTTPError):
            return [a for a in self.vigil.alerts(**where) if a["camera_id"] == camera_id]
        return []

    def ingest(self) -> dict[int, psutil.Process]:
        """The ingest processes, by their process ids."""
        return {pid: psutil.Process(pid) for pid in self.vigil.ingest_pids().values()}

    def ingest_fds(self) -> int:
        """Open files of all ingest processes."""
        return sum(process.num_fds() for process in self.ingest().values())

    @contextmanager
    def nobody_else_affected(
        self, measured: Measured, *, may_restart: Sequence[str] = ()
    ) -> Iterator[None]:
        """Check that no stage ended and that the undisturbed camera kept its rate."""
        pids, began_s = self.vigil.stage_pids(), time.monotonic()
        before = self.received("bystander")
        yield
        took_s = time.monotonic() - began_s
        if took_s >= _MIN_WATCH_S:
            rate = (self.received("bystander") - before) / took_s
            low, high = (BYSTANDER_FPS * (1 + sign * _RATE_TOLERANCE) for sign in (-1, 1))
            is_kept = low - 1 / took_s <= rate <= high + 1 / took_s
            measured.note(f"bystander {rate:.1f} of {BYSTANDER_FPS:g} fps", holds=is_kept)
        now = self.vigil.stage_pids()
        # A further process of ingest ends in order, once its last camera is taken away.
        ended = [
            stage
            for stage, pid in pids.items()
            if now.get(stage, pid if "-" in stage else None) != pid and stage not in may_restart
        ]
        measured.check(f"stages ended: {', '.join(ended)}", not ended)


def decoded(jpeg: bytes) -> BgrImage:
    pixels_HW3 = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels_HW3 is not None
    return np.asarray(pixels_HW3, np.uint8)
