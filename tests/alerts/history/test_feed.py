import threading
from concurrent.futures import ThreadPoolExecutor

from alerts.history.sql import History, open_history
from contracts.alerts import FeedType
from tests.alerts.builders import alert, incident, next_revision, told


def test_the_feed_is_empty_at_first(history: History) -> None:
    assert history.archive.last_feed_seq() == 0
    assert history.archive.feed_after(0, limit=10) == []


def test_entries_come_back_in_order_after_a_number(history: History) -> None:
    opened = alert()
    entries = [told(opened), told(next_revision(opened), FeedType.ALERT_REVISED)]
    for item, entry in entries:
        history.alerts.store_alert(item, entry)

    [second] = history.archive.feed_after(1, limit=10)

    assert second.seq == 2
    assert second.event_id == entries[1][1].event_id
    assert second.feed_type is FeedType.ALERT_REVISED
    assert second.at == entries[1][1].at
    assert second.cloud_event == entries[1][1].cloud_event
    assert [entry.seq for entry in history.archive.feed_after(0, limit=1)] == [1]


def test_a_reader_never_misses_an_entry_of_writers_at_once(history_url: str) -> None:
    """Numbers must appear in the order of commits: a reader does not look behind itself."""
    writers, alerts_each = 4, 10
    histories = [open_history(history_url) for _ in range(writers)]
    reader = open_history(history_url)
    done = threading.Event()
    seen: list[int] = []

    def write(number: int) -> None:
        for index in range(alerts_each):
            opened = alert(incident(f"ev_{number}_{index}"))
            assert histories[number].alerts.store_alert(*told(opened))

    def read() -> None:
        last_seq = 0
        while True:
            was_done = done.is_set()
            for entry in reader.archive.feed_after(last_seq, limit=5):
                seen.append(entry.seq)
                last_seq = entry.seq
            if was_done and last_seq == reader.archive.last_feed_seq():
                return

    reading = threading.Thread(target=read)
    reading.start()
    try:
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(write, range(writers)))
    finally:
        done.set()
        reading.join()
        for opened_history in (*histories, reader):
            opened_history.close()

    assert seen == list(range(1, writers * alerts_each + 1))
