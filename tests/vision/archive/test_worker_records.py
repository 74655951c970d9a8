"""What a worker followed is kept, and a back-test over it finds the incident that was live."""

from dataclasses import replace
from datetime import timedelta

from contracts.incidents import IncidentState
from tests.fakes.clock import START
from tests.fakes.pipeline_rig import camera
from tests.fakes.vision_site import Site, clip
from vision.backtest.answer import BackTester


def test_a_back_test_finds_what_was_live() -> None:
    site = Site()
    site.live_through(clip(0, 20))
    site.directory.listed = [replace(camera(version=2), is_enabled=False)]
    site.clock.advance(1.0)
    site.worker.turn()
    [*_, closed] = site.incidents()

    answer = BackTester(site.tracks, close_after_s=10.0, time_zone=None).ask(
        "cam", [camera().scene], start=START - timedelta(hours=1), end=START + timedelta(hours=1)
    )

    assert answer.kept.frames == 20
    assert closed.state is IncidentState.CLOSED
    [found] = answer.outcomes[0].incidents
    assert found.incident_id == closed.incident_id
    assert found.event_ids == tuple(event.event_id for event in closed.rule_events)
    assert found.decisive_at == closed.decisive_at
    assert answer.outcomes[0].rules[0].events == closed.rule_events


def test_a_killed_worker_loses_a_few_seconds_and_the_next_begins_a_sitting() -> None:
    site = Site()
    site.live_through(clip(0, 60))
    site.restart_worker()
    site.live_through(clip(60, 120))

    kept = [int(seq) for part in site.tracks.parts for seq in part.seqs_F]
    first = [part for part in site.tracks.parts if part.seqs_F[-1] < 60]
    assert kept == sorted(set(kept))
    assert {part.sitting for part in first}.isdisjoint(
        {part.sitting for part in site.tracks.parts if part.seqs_F[0] >= 60}
    )
    assert 60 - len([seq for seq in kept if seq < 60]) <= 5.4 * 5
