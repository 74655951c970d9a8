from api.cameras import CameraDesk
from contracts.cameras import Camera, SourceSettings, SourceType
from tests.fakes.archive import InMemoryHistory
from tests.fakes.clock import ManualClock
from tests.fakes.web import RecordingPublisher

GATE = Camera(camera_id="gate", source=SourceSettings(source_type=SourceType.SYNTHETIC, url="yard"))


def test_a_change_that_could_not_be_told_goes_out_with_the_next_publishing() -> None:
    history, publisher = InMemoryHistory(), RecordingPublisher()
    publisher.is_down = True
    desk = CameraDesk(history, publisher, ManualClock())
    desk.add(GATE, is_repeatable=False)
    assert publisher.published == []

    publisher.is_down = False
    desk.publish()

    assert publisher.published == [(GATE,)]


def test_an_id_made_of_nothing_readable_is_still_valid() -> None:
    desk = CameraDesk(InMemoryHistory(), RecordingPublisher(), ManualClock())

    assert desk.free_id("\u5165\u53e3") == "camera"
    assert desk.free_id("-- A --") == "a"
    assert len(desk.free_id("x" * 100)) <= 63
