from datetime import timedelta

import pytest

from alerts.history.ports import NewFeedEntry
from alerts.payload import alert_data
from contracts.alerts import Alert, AlertState
from tests.fakes.archive import InMemoryHistory
from tests.fakes.clock import START
from tests.fakes.web import FakeWeb, WebClient
from tests.fakes.web_alerts import alert, several, store, with_state


def ids_of(client: WebClient, query: str = "") -> list[str]:
    answer = client.get(f"/api/v1/alerts{query}")
    assert answer.status_code == 200, answer.text
    return [item["alert_id"] for item in answer.json()["items"]]


def test_alerts_are_listed_newest_first_page_by_page(web: FakeWeb, client: WebClient) -> None:
    stored = [item.alert_id for item in several(web.history, 5)]

    first = client.get("/api/v1/alerts?limit=3").json()
    second = client.get(f"/api/v1/alerts?limit=3&cursor={first['next_cursor']}").json()

    listed = [item["alert_id"] for item in first["items"] + second["items"]]
    assert listed == stored[::-1]
    assert second["next_cursor"] is None


def test_each_filter_restricts(web: FakeWeb, client: WebClient) -> None:
    stored = several(web.history, 6)
    with_state(web.history, stored[0], AlertState.ACKNOWLEDGED)
    ids = [item.alert_id for item in stored]

    assert ids_of(client, "?camera=cam1") == [ids[5], ids[3], ids[1]]
    assert ids_of(client, "?camera=cam1&camera=cam0") == ids[::-1]
    assert ids_of(client, "?min_severity=high") == [ids[4], ids[3]]
    assert ids_of(client, "?state=acknowledged") == [ids[0]]
    assert ids_of(client, "?kind=loiter") == []
    assert ids_of(client, "?from=2026-03-01T12:04:00Z") == [ids[5], ids[4]]
    assert ids_of(client, "?to=2026-03-01T13:01:00%2B01:00") == [ids[0]]


@pytest.mark.parametrize(
    "query", ["?min_severity=loud", "?from=yesterday", "?from=2026-03-01T12:00:00", "?limit=201"]
)
def test_a_filter_that_makes_no_sense_is_refused(client: WebClient, query: str) -> None:
    assert client.get(f"/api/v1/alerts{query}").status_code == 422


def test_an_alert_is_shown_in_the_one_wire_form(web: FakeWeb, client: WebClient) -> None:
    stored = store(web.history, alert())

    shown = client.get(f"/api/v1/alerts/{stored.alert_id}").json()

    assert shown["alert_id"] == stored.alert_id
    assert shown == alert_data(stored)


def test_acknowledging_is_a_revision_that_everybody_is_told_of(
    web: FakeWeb, client: WebClient
) -> None:
    stored = store(web.history, alert())

    answer = client.post(f"/api/v1/alerts/{stored.alert_id}/ack")

    assert answer.json()["state"] == "acknowledged"
    assert answer.json()["revision"] == stored.revision + 1
    kept = web.history.alert(stored.alert_id)
    assert kept is not None
    assert (kept.state, kept.acknowledged_by) == (AlertState.ACKNOWLEDGED, "admin")
    told = web.history.feed_after(0, limit=10)[-1]
    assert told.feed_type.value == "vigil.alert.acknowledged.v1"
    assert told.cloud_event["data"]["state"] == "acknowledged"  # type: ignore[index]  # JSON


def test_acknowledging_twice_changes_nothing(web: FakeWeb, client: WebClient) -> None:
    stored = store(web.history, alert())
    first = client.post(f"/api/v1/alerts/{stored.alert_id}/ack").json()

    again = client.post(f"/api/v1/alerts/{stored.alert_id}/ack").json()

    assert again == first
    assert len(web.history.feed_after(0, limit=10)) == 2


def test_a_note_is_kept_once_and_told_to_everybody(web: FakeWeb, client: WebClient) -> None:
    stored = store(web.history, alert())
    path = f"/api/v1/alerts/{stored.alert_id}"
    client.post(f"{path}/ack", json={"note": " Guard is on the way.\n"})
    client.post(f"{path}/ack", json={"note": "Guard is on the way."})

    answer = client.post(f"{path}/resolve", json={"note": "It was the courier."}).json()

    assert [(note["state"], note["by"], note["text"]) for note in answer["notes"]] == [
        ("acknowledged", "admin", "Guard is on the way."),
        ("resolved", "admin", "It was the courier."),
    ]
    told = [entry.cloud_event["data"] for entry in web.history.feed_after(0, limit=10)]
    assert len(told) == 3, "the repeat told nobody anything"
    assert told[-1]["notes"] == answer["notes"]  # type: ignore[index]  # JSON


@pytest.mark.parametrize("body", [{"note": "x" * 2001}, {"remark": "hello"}])
def test_a_note_that_cannot_be_kept_moves_nothing(
    web: FakeWeb, client: WebClient, body: dict[str, str]
) -> None:
    stored = store(web.history, alert())

    answer = client.post(f"/api/v1/alerts/{stored.alert_id}/ack", json=body)

    assert answer.status_code == 422
    assert web.history.alert(stored.alert_id) == stored


def test_a_resolved_alert_is_not_acknowledged_any_more(web: FakeWeb, client: WebClient) -> None:
    stored = store(web.history, alert())
    resolved = client.post(f"/api/v1/alerts/{stored.alert_id}/resolve")

    answer = client.post(f"/api/v1/alerts/{stored.alert_id}/ack")

    assert resolved.json()["state"] == "resolved"
    assert (answer.status_code, answer.json()["code"]) == (409, "already-resolved")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/ack"), ("POST", "/resolve")])
def test_an_unknown_alert_is_not_found(client: WebClient, method: str, path: str) -> None:
    assert client.request(method, f"/api/v1/alerts/al_none{path}").status_code == 404


class RevisedMeanwhile(InMemoryHistory):
    """The alerts stage stores a revision between our reading and our writing, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def store_alert(self, alert: Alert, entry: NewFeedEntry) -> bool:
        if alert.state is not AlertState.OPEN and self.times:
            self.times -= 1
            known = self.alerts[alert.alert_id]
            newer = store_of(known)
            assert super().store_alert(newer, entry)
        return super().store_alert(alert, entry)


def store_of(known: Alert) -> Alert:
    return alert(
        known.incident,
        revision=known.revision + 1,
        opened_at=START + timedelta(seconds=known.revision),
        title="Revised meanwhile",
    )


def test_a_revision_at_the_same_moment_is_not_lost() -> None:
    web = FakeWeb(history=RevisedMeanwhile(times=2))
    stored = store(web.history, alert())
    with WebClient(web.app()) as client:
        answer = client.sign_in(web).post(f"/api/v1/alerts/{stored.alert_id}/ack").json()

    assert (answer["title"], answer["state"]) == ("Revised meanwhile", "acknowledged")


def test_an_alert_that_never_stands_still_is_left_for_later() -> None:
    web = FakeWeb(history=RevisedMeanwhile(times=100))
    stored = store(web.history, alert())
    with WebClient(web.app()) as client:
        answer = client.sign_in(web).post(f"/api/v1/alerts/{stored.alert_id}/ack")

    assert answer.status_code == 503
