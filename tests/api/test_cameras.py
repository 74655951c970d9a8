import threading
from collections.abc import Sequence

from api.access import Identity
from api.camera_audit import CAMERA_REMOVED, MASKS_CHANGED
from api.cameras import CameraDesk
from contracts.cameras import Camera, SourceSettings, SourceType
from tests.fakes.archive import InMemoryHistory
from tests.fakes.clock import START, ManualClock
from tests.fakes.masked import LEFT
from tests.fakes.web import RecordingPublisher

GATE = Camera(camera_id="gate", source=SourceSettings(source_type=SourceType.SYNTHETIC, url="yard"))
SOMEBODY = Identity(
    user_id="u_1",
    name="ada",
    role="admin",
    credential_id="s_1",
    kind="session",
    how="password",
    expires_at=START,
)


class EditedMeanwhile(RecordingPublisher):
    """Somebody else edits while the first list is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.edit: threading.Thread | None = None

    def publish_cameras(self, cameras: Sequence[Camera]) -> None:
        if self.edit is not None and not self.published:
            self.edit.start()
            self.edit.join(0.2)
        super().publish_cameras(cameras)


def test_a_change_that_could_not_be_told_goes_out_with_the_next_publishing() -> None:
    history, publisher = InMemoryHistory(), RecordingPublisher()
    publisher.is_down = True
    desk = CameraDesk(history, publisher, ManualClock())
    desk.add(GATE, is_repeatable=False, identity=SOMEBODY)
    assert publisher.published == []

    publisher.is_down = False
    desk.publish()

    assert publisher.published == [(GATE,)]


def test_a_list_from_before_an_edit_is_not_told_after_it() -> None:
    """The list is repeated every 2 s: an old one would lift a new mask until the next."""
    history, publisher = InMemoryHistory(), EditedMeanwhile()
    history.save_camera(GATE)
    desk = CameraDesk(history, publisher, ManualClock())
    edit = threading.Thread(target=lambda: desk.mask("gate", (LEFT,), identity=SOMEBODY))
    publisher.edit = edit

    desk.publish()
    edit.join()

    assert [[camera.masks for camera in told] for told in publisher.published] == [[()], [(LEFT,)]]


def test_removing_a_camera_tells_who_did_it() -> None:
    history = InMemoryHistory()
    history.save_camera(GATE)
    desk = CameraDesk(history, RecordingPublisher(), ManualClock())

    desk.remove("gate", identity=SOMEBODY)

    [line] = history.audit_lines("gate", action=CAMERA_REMOVED, limit=9)
    assert (line.by, line.how, line.after) == ("ada", "password", None)
    assert history.audit_lines("gate", action=MASKS_CHANGED, limit=9) == []


def test_an_id_made_of_nothing_readable_is_still_valid() -> None:
    desk = CameraDesk(InMemoryHistory(), RecordingPublisher(), ManualClock())

    assert desk.free_id("\u5165\u53e3") == "camera"
    assert desk.free_id("-- A --") == "a"
    assert len(desk.free_id("x" * 100)) <= 63
