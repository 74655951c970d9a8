from contracts.detections import Detections


def test_an_empty_frame_has_no_detections() -> None:
    assert len(Detections.none(("person",))) == 0
