from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.history.ports import AlertFilter
from alerts.history.sql import History
from alerts.lifecycle import revise
from contracts.alerts import Alert, FeedType
from contracts.incidents import EvidenceKind
from contracts.rules import Severity
from tests.alerts.builders import (
    alert,
    clip,
    finding,
    incident,
    next_revision,
    told,
    webhook,
)
from tests.fakes.clock import START


def store(history: History, item: Alert, feed_type: FeedType = FeedType.ALERT_OPENED) -> bool:
    return history.alerts.store_alert(*told(item, feed_type))


def test_an_alert_comes_back_whole(history: History) -> None:
    opened = alert()
    revised = revise(opened, incident=None, finding=finding(), now=START)
    assert revised is not None

    store(history, opened)
    store(history, revised, FeedType.ALERT_REVISED)

    assert history.archive.alert(opened.alert_id) == revised
    assert history.alerts.alert_of_incident("ev_1") == revised
    assert history.archive.finding_of_incident("ev_1") == finding()


def test_what_is_unknown_is_none(history: History) -> None:
    assert history.archive.alert("al_none") is None
    assert history.alerts.alert_of_incident("ev_none") is None
    assert history.alerts.incident("ev_none") is None
    assert history.alerts.newest_finding("ev_none") is None


def test_a_repeated_alert_changes_nothing(history: History) -> None:
    history.webhooks.add_webhook(webhook())
    assert store(history, alert())

    assert not store(history, replace(alert(), title="something else"))

    [entry] = history.archive.feed_after(0, limit=10)
    assert entry.seq == 1
    assert len(history.webhooks.deliveries("wh_1", limit=10)) == 1
    assert history.archive.list_alerts(AlertFilter(), cursor=None, limit=10).items == (alert(),)


def test_an_event_that_was_told_is_not_told_again_under_a_new_revision(history: History) -> None:
    opened, entry = told(alert())
    history.alerts.store_alert(opened, entry)

    assert not history.alerts.store_alert(next_revision(opened), entry)

    stored = history.archive.alert(opened.alert_id)
    assert stored is not None
    assert stored.revision == 1


def test_of_two_writers_of_one_revision_the_first_wins(history: History) -> None:
    opened = alert()
    store(history, opened)
    first = next_revision(opened, title="first")
    second = next_revision(opened, title="second")

    assert store(history, first, FeedType.ALERT_REVISED)
    assert not store(history, second, FeedType.ALERT_ACKNOWLEDGED)

    assert history.archive.alert(opened.alert_id) == first


def test_writers_at_once_open_an_alert_once(history: History) -> None:
    history.webhooks.add_webhook(webhook())

    with ThreadPoolExecutor(8) as writers:
        outcomes = list(writers.map(lambda _: store(history, alert()), range(8)))

    assert sorted(outcomes) == [False] * 7 + [True]
    assert history.archive.last_feed_seq() == 1
    assert len(history.webhooks.deliveries("wh_1", limit=10)) == 1


def test_an_alert_shows_its_incident_at_the_newest_revision(history: History) -> None:
    store(history, alert())

    assert history.alerts.store_incident(incident(revision=2))

    stored = history.alerts.alert_of_incident("ev_1")
    assert stored is not None
    assert stored.incident.revision == 2


def test_an_older_revision_of_an_incident_does_not_overwrite_a_newer_one(history: History) -> None:
    assert history.alerts.store_incident(incident(revision=2))

    assert not history.alerts.store_incident(incident(revision=1))
    assert not history.alerts.store_incident(incident(revision=2))

    assert history.alerts.incident("ev_1") == incident(revision=2)


def test_late_evidence_survives_the_next_revision(history: History) -> None:
    history.alerts.store_incident(incident())
    assert history.alerts.add_evidence("ev_1", clip())

    history.alerts.store_incident(incident(revision=2))

    stored = history.alerts.incident("ev_1")
    assert stored is not None
    assert stored.revision == 2
    assert [item.kind for item in stored.evidence] == [EvidenceKind.FRAME, EvidenceKind.CLIP]


def test_the_same_evidence_is_added_once(history: History) -> None:
    history.alerts.store_incident(incident())

    assert history.alerts.add_evidence("ev_1", clip())
    assert history.alerts.add_evidence("ev_1", clip())

    stored = history.alerts.incident("ev_1")
    assert stored is not None
    assert stored.evidence.count(clip()) == 1


def test_evidence_of_an_unknown_incident_is_refused(history: History) -> None:
    assert not history.alerts.add_evidence("ev_unknown", clip())


def test_the_newest_finding_is_the_one_about_the_newest_revision(history: History) -> None:
    about_second = finding(revision=2)
    later_about_first = finding(
        revision=1, finding_id="fi_other", created_at=START + timedelta(hours=1)
    )

    history.alerts.store_finding(about_second)
    history.alerts.store_finding(later_about_first)
    history.alerts.store_finding(later_about_first)

    assert history.alerts.newest_finding("ev_1") == about_second


def test_the_latest_alerts_are_those_of_one_rule_since_a_time(history: History) -> None:
    def opened(incident_id: str, *, at_s: float, camera_id: str = "cam") -> Alert:
        return alert(incident(incident_id, at_s=at_s, camera_id=camera_id))

    early, late = opened("ev_1", at_s=10), opened("ev_2", at_s=20)
    for item in (early, late, opened("ev_3", at_s=20, camera_id="other")):
        store(history, item)

    since = START + timedelta(seconds=5)
    assert list(history.alerts.latest_alerts("cam", "keep_out", since=since)) == [late, early]
    since = START + timedelta(seconds=15)
    assert list(history.alerts.latest_alerts("cam", "keep_out", since=since)) == [late]
    assert list(history.alerts.latest_alerts("cam", "another_rule", since=since)) == []


def test_alerts_wait_for_reasoning_until_they_have_it(history: History) -> None:
    opened = alert()
    store(history, opened)
    after = opened.updated_at + timedelta(seconds=1)

    assert list(history.alerts.alerts_awaiting_reasoning(before=after, limit=5)) == [opened]
    before = opened.updated_at - timedelta(microseconds=1)
    assert list(history.alerts.alerts_awaiting_reasoning(before=before, limit=5)) == []

    revised = revise(opened, incident=None, finding=finding(), now=after)
    assert revised is not None
    store(history, revised, FeedType.ALERT_REVISED)

    assert list(history.alerts.alerts_awaiting_reasoning(before=after, limit=5)) == []


def test_a_suppressed_incident_is_kept_and_counted_once(history: History) -> None:
    for _ in range(3):
        history.alerts.store_incident(incident(), suppressed="cool_down")
    history.alerts.store_incident(incident(revision=2), suppressed="cool_down")
    history.alerts.store_incident(incident("ev_2"), suppressed="duplicate")
    history.alerts.store_incident(incident("ev_3"), suppressed="cool_down")

    assert history.archive.suppressed() == {
        "cam/keep_out/cool_down": 2,
        "cam/keep_out/duplicate": 1,
    }
    assert history.archive.incident("ev_1") == incident(revision=2)


def test_each_plain_count_of_a_suppression_counts(history: History) -> None:
    for _ in range(2):
        history.alerts.count_suppressed("cam", "keep_out", "cool_down", at=START)

    assert history.archive.suppressed() == {"cam/keep_out/cool_down": 2}


@pytest.mark.parametrize(
    ("severity", "receivers"),
    [
        pytest.param(Severity.LOW, ["wh_all"], id="below the limit of one endpoint"),
        pytest.param(Severity.HIGH, ["wh_all", "wh_high"], id="at the limit"),
        pytest.param(Severity.CRITICAL, ["wh_all", "wh_high"], id="above the limit"),
    ],
)
def test_an_alert_is_due_at_the_enabled_endpoints_that_want_its_severity(
    history: History, severity: Severity, receivers: list[str]
) -> None:
    history.webhooks.add_webhook(webhook("wh_all"))
    history.webhooks.add_webhook(webhook("wh_high", min_severity=Severity.HIGH))
    history.webhooks.add_webhook(webhook("wh_off", is_enabled=False))

    store(history, alert(incident(severity=severity)))

    now = START + timedelta(hours=1)
    due = history.deliveries.due_deliveries(now=now, limit=10)
    assert sorted(item.webhook.webhook_id for item in due) == receivers


def test_who_was_told_of_an_alert_also_hears_that_it_was_lowered(history: History) -> None:
    history.webhooks.add_webhook(webhook("wh_high", min_severity=Severity.HIGH))
    opened = alert(incident(severity=Severity.HIGH))
    store(history, opened)

    store(history, next_revision(opened, severity=Severity.INFO), FeedType.ALERT_REVISED)

    assert len(history.webhooks.deliveries("wh_high", limit=10)) == 2


def test_an_endpoint_hears_nothing_from_before_it_was_added(history: History) -> None:
    store(history, alert())

    history.webhooks.add_webhook(webhook())

    assert history.webhooks.deliveries("wh_1", limit=10) == []
