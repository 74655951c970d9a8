from contracts.tracks import TrackState
from tests.fakes.tracks import header_at
from vision.cues.regions import RegionLife, region_id

BOX = (0.1, 0.1, 0.2, 0.2)


def life() -> RegionLife:
    headers = [header_at(1.0), header_at(1.2)]
    return RegionLife("rt5", label="object", headers=headers, box=BOX, confidence=0.8, since_s=0.6)


def test_a_region_began_before_it_was_first_shown() -> None:
    region = life().snapshot()

    assert region.is_region
    assert region.first_seen_s == 0.6
    assert (header_at(1.0).captured_at - region.first_seen_at).total_seconds() == 0.4
    assert [point.seq for point in region.points] == [1000, 1200]
    assert region.hits == 2


def test_what_hides_a_region_counts_once_it_is_seen_again() -> None:
    one = life()
    one.miss(header_at(1.4))
    hidden = one.snapshot()
    one.see(header_at(1.6), box=BOX, confidence=0.9)

    assert hidden.state is TrackState.LOST
    assert not hidden.last.is_observed
    assert hidden.misses == 0
    assert one.snapshot().misses == 1
    assert one.snapshot().state is TrackState.CONFIRMED


def test_an_ended_region_says_so_once() -> None:
    one = life()
    one.end(header_at(2.0))

    assert one.snapshot().state is TrackState.ENDED


def test_old_points_are_forgotten() -> None:
    one = life()
    one.see(header_at(200.0), box=BOX, confidence=0.9)

    assert [point.monotonic_s for point in one.snapshot().points] == [200.0]


def test_ids_of_one_run_differ_by_cue_frame_and_number() -> None:
    ids = {region_id(cue, header_at(at), n) for cue in "tf" for at in (1.0, 2.0) for n in (0, 1)}

    assert len(ids) == 8
    assert all(name.startswith("r") for name in ids)
