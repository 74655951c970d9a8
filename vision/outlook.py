"""What vision says of a camera's view: for its status, metrics and the log."""

import structlog

from contracts.cameras import CameraState, CameraView
from contracts.frames import FrameHeader
from vision.coverage import Coverage
from vision.cues.tampering import ViewReading
from vision.metrics import COVERED_SECONDS, STATE_NUMBERS, VIEW_STATE

log = structlog.get_logger()


class Outlook:
    """Follows what one camera sees and how much of the time it was watched, across its runs."""

    def __init__(self, camera_id: str) -> None:
        self._camera_id = camera_id
        self._coverage = Coverage()
        self._view = CameraView()

    @property
    def view(self) -> CameraView:
        """What was to be said of the camera last."""
        return self._view

    def look(
        self, reading: ViewReading, header: FrameHeader, *, is_looking: bool = True
    ) -> CameraView:
        """Take the next frame, and return what is to be said of the camera.

        Args:
            reading: What is wrong with its view.
            header: Of the frame.
            is_looking: Objects are looked for in it, unless it is still.
        """
        state = reading.state
        cause = ""
        if state is not CameraState.SEEING and reading.cause is not None:
            cause = reading.cause.label
        is_blind = state is CameraState.BLIND or not is_looking
        covered_s = self._coverage.look(header.captured_at, is_blind=is_blind)
        COVERED_SECONDS.labels(camera=self._camera_id).inc(covered_s)
        VIEW_STATE.labels(camera=self._camera_id).set(STATE_NUMBERS[state])
        if (state, cause) != (self._view.state, self._view.cause):
            log.info(
                "camera view changed", camera_id=self._camera_id, state=state.value, cause=cause
            )
        self._view = CameraView(state=state, cause=cause, coverage=self._coverage.share)
        return self._view
