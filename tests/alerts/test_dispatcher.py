import threading
from dataclasses import replace

from alerts.history.sql import History
from contracts import queues
from contracts.alerts import AlertPhase, FeedType
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.reasoning import ReasoningVerdict
from contracts.rules import Severity
from contracts.settings import AlertSettings
from tests.alerts.bench import Bench, bench_with, counted, ready
from tests.alerts.builders import clip, finding, incident
from tests.fakes.builders import scene


def test_an_incident_is_told_at_once_and_its_finding_under_the_same_id(bench: Bench) -> None:
    bench.step(incident())
    provisional = bench.alert
    bench.clock.advance(0.5)
    bench.step(finding())

    assert provisional.phase is AlertPhase.PROVISIONAL
    assert provisional.opened_at == bench.feed[0].at
    assert bench.alert.alert_id == provisional.alert_id
    assert bench.alert.finding == finding()
    assert bench.told == [FeedType.ALERT_OPENED, FeedType.ALERT_REVISED]
    assert bench.unacknowledged(queues.INCIDENTS) == bench.unacknowledged(queues.FINDINGS) == 0


def test_the_same_on_both_databases(history: History) -> None:
    bench = bench_with(history, AlertSettings())

    bench.step(incident(), finding(), incident(), ready())

    assert bench.told == [
        FeedType.ALERT_OPENED,
        FeedType.ALERT_REVISED,
        FeedType.ALERT_REVISED,
    ]
    assert clip() in bench.alert.incident.evidence


def test_repeats_are_told_once(bench: Bench) -> None:
    for _ in range(3):
        bench.step(incident(), finding(), ready())

    assert bench.told == [
        FeedType.ALERT_OPENED,
        FeedType.ALERT_REVISED,
        FeedType.ALERT_REVISED,
    ]


def test_a_finding_that_overtakes_its_incident_is_told_after_it(bench: Bench) -> None:
    bench.step(finding())
    assert bench.alerts == ()
    assert bench.unacknowledged(queues.FINDINGS) == 0

    bench.step(incident())

    assert bench.told == [FeedType.ALERT_OPENED, FeedType.ALERT_REVISED]
    assert bench.alert.finding == finding()


def test_two_dispatchers_tell_each_thing_once(sqlite_history: History) -> None:
    benches = [bench_with(sqlite_history, AlertSettings()) for _ in range(2)]
    incidents = [
        incident(f"ev_{number}", track_id=f"t{number}", feet=((0.02, 0.5), (0.5, 0.5)))
        for number in range(10)
    ]
    for bench in benches:
        bench.send(*incidents, *(finding(incident_id=item.incident_id) for item in incidents))

    threads = [threading.Thread(target=bench.step) for bench in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    [first, _] = benches
    assert sorted(first.told) == sorted([FeedType.ALERT_OPENED, FeedType.ALERT_REVISED] * 10)
    assert all(alert.finding for alert in first.alerts)


def test_an_alert_that_is_not_reasoned_in_time_says_so_and_stands(bench: Bench) -> None:
    bench.step(incident())
    bench.clock.advance(0.99)
    bench.step()
    assert not bench.alert.is_unreasoned

    bench.clock.advance(0.01)
    bench.step()

    assert bench.alert.is_unreasoned
    assert bench.alert.severity is Severity.HIGH
    assert bench.told == [FeedType.ALERT_OPENED, FeedType.ALERT_REVISED]
    bench.clock.advance(60)
    bench.step()
    assert len(bench.told) == 2


def test_a_restarted_dispatcher_remembers_the_deadline(sqlite_history: History) -> None:
    before = bench_with(sqlite_history, AlertSettings())
    before.step(incident())
    after = bench_with(sqlite_history, AlertSettings())
    after.clock.advance(5)

    after.step()

    assert after.alert.is_unreasoned


def test_a_closed_incident_ends_in_a_final_alert(bench: Bench) -> None:
    bench.step(incident(), finding())
    bench.step(incident(revision=2, is_closed=True), finding(revision=2))

    assert bench.alert.phase is AlertPhase.FINAL
    assert bench.alert.incident.revision == 2


def test_a_late_finding_about_an_older_revision_changes_nothing(bench: Bench) -> None:
    bench.step(incident(revision=2), finding(revision=2))
    known = bench.alert

    bench.step(finding(revision=1, verdict=ReasoningVerdict.CONTRADICTED, severity=Severity.INFO))

    assert bench.alert == known


def test_a_late_clip_is_added_and_told(bench: Bench) -> None:
    bench.step(incident(), finding())

    bench.step(ready())

    assert clip() in bench.alert.incident.evidence
    assert bench.told[-1] is FeedType.ALERT_REVISED
    assert bench.alert.revision == 3


def test_the_word_that_there_is_no_clip_is_kept_and_not_told(bench: Bench) -> None:
    bench.step(incident())

    bench.step(ready(problem="no key frame"))

    assert bench.alert.incident.evidence[-1].problem == "no key frame"
    assert bench.told == [FeedType.ALERT_OPENED]


def test_a_repetition_is_kept_and_counted_and_not_told(bench: Bench) -> None:
    bench.step(incident("ev_1"))

    for _ in range(2):
        bench.step(incident("ev_2", at_s=6.0))

    assert bench.told == [FeedType.ALERT_OPENED]
    assert bench.history.archive.incident("ev_2") == incident("ev_2", at_s=6.0)
    assert bench.history.archive.suppressed() == {"cam/keep_out/duplicate": 1}


def test_a_suppressed_incident_that_grows_is_told(bench: Bench) -> None:
    bench.step(incident("ev_1"))
    bench.step(incident("ev_2", at_s=6.0))

    bench.step(incident("ev_2", at_s=6.0, revision=2, severity=Severity.CRITICAL))

    assert bench.told == [FeedType.ALERT_OPENED, FeedType.ALERT_OPENED]


def test_the_cooldown_comes_from_the_camera(bench: Bench) -> None:
    rules = scene()
    quick = replace(rules, rules=(replace(rules.rules[0], cooldown_s=0.0),))
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    bench.history.cameras.save_camera(Camera(camera_id="cam", source=source, scene=quick))
    bench.step(incident("ev_1"))

    bench.step(incident("ev_2", at_s=6.0))

    assert bench.told == [FeedType.ALERT_OPENED, FeedType.ALERT_OPENED]


def test_what_is_below_the_threshold_is_kept_and_counted(sqlite_history: History) -> None:
    bench = bench_with(sqlite_history, AlertSettings(min_severity="critical"))

    bench.step(incident(), finding())

    assert bench.told == []
    assert bench.history.archive.incident("ev_1") == incident()
    assert bench.history.archive.finding_of_incident("ev_1") == finding()
    assert bench.history.archive.suppressed() == {"cam/keep_out/min_severity": 1}


def test_a_finding_that_raises_the_severity_over_the_threshold_is_told(
    sqlite_history: History,
) -> None:
    bench = bench_with(sqlite_history, AlertSettings(min_severity="critical"))
    bench.step(incident())

    bench.step(finding(severity=Severity.CRITICAL))

    assert bench.told == [FeedType.ALERT_OPENED, FeedType.ALERT_REVISED]
    assert bench.alert.severity is Severity.CRITICAL


def test_an_alert_is_counted_once_by_its_first_verdict(bench: Bench) -> None:
    labels = {"kind": "intrusion", "severity": "high", "verdict": "confirmed"}
    alerts = counted("vigil_alerts_total", **labels)
    latencies = counted("vigil_alert_latency_seconds_count", severity="high")
    verdicts = counted("vigil_verdict_latency_seconds_count", severity="high")

    bench.step(incident(), finding(), incident(revision=2), finding(revision=2))

    assert counted("vigil_alerts_total", **labels) == alerts + 1
    assert counted("vigil_verdict_latency_seconds_count", severity="high") == verdicts + 1
    assert counted("vigil_alert_latency_seconds_count", severity="high") == latencies + 1
