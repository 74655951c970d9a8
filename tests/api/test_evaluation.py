import pytest

from api.evaluation import LabelledClip, LabelledEvent, RaisedAlert, Score, read_ground_truth, score
from contracts.errors import ConfigError


def clip(*events: tuple[float, float], kind: str = "loiter") -> LabelledClip:
    labelled = tuple(LabelledEvent(kind=kind, start_s=start, end_s=end) for start, end in events)
    return LabelledClip(video="a.mp4", duration_s=1800, events=labelled)


def alert(start_s: float, end_s: float, *, fired_s: float | None = None) -> RaisedAlert:
    fired_s = start_s if fired_s is None else fired_s
    return RaisedAlert(kind="loiter", start_s=start_s, end_s=end_s, fired_s=fired_s)


def only(scores: list[Score]) -> Score:
    [found] = scores
    return found


def test_right_missed_and_false_alerts_are_counted() -> None:
    found = only(
        score([clip((10, 20), (50, 60))], {"a.mp4": [alert(11, 18, fired_s=15), alert(100, 110)]})
    )
    assert (found.true_positives, found.false_positives, found.missed) == (1, 1, 1)
    assert found.precision == found.recall == found.f1 == 0.5
    assert found.false_alarms_per_hour == 2.0
    assert found.median_delay_s == 5.0


def test_a_second_alert_about_one_event_is_a_false_one() -> None:
    found = only(score([clip((10, 20))], {"a.mp4": [alert(11, 14), alert(15, 18)]}))
    assert (found.true_positives, found.false_positives, found.missed) == (1, 1, 0)


@pytest.mark.parametrize(
    ("start_s", "right"),
    [pytest.param(22.0, 1, id="within the tolerance"), pytest.param(22.1, 0, id="beyond it")],
)
def test_an_alert_just_after_its_event_belongs_to_it(start_s: float, right: int) -> None:
    found = only(score([clip((10, 20))], {"a.mp4": [alert(start_s, 30)]}))
    assert found.true_positives == right


def test_a_clip_that_was_not_looked_at_does_not_count() -> None:
    assert score([clip((10, 20))], {}) == []


def test_where_nothing_happened_ratios_are_unknown() -> None:
    found = only(score([clip()], {"a.mp4": [alert(1, 2)]}))
    assert found.recall is None
    assert found.precision == 0.0
    assert found.row()["recall"] is None


def test_context_labels_call_for_no_alert_and_tamper_has_one_kind() -> None:
    [read] = read_ground_truth(
        {
            "videos": [
                {
                    "video": "x.mp4",
                    "duration": 10,
                    "events": [
                        {"type": "person_present", "start_s": 0, "end_s": 1},
                        {"type": "camera_tamper:cover", "start_s": 2, "end_s": 3},
                    ],
                }
            ]
        }
    )
    assert [event.kind for event in read.events] == ["tamper"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "needs an object with a list 'videos'"),
        ({"videos": [3]}, r"videos\[0\]: must be an object"),
        ({"videos": [{"video": "x"}]}, r"videos\[0\]: lacks 'duration'"),
        ({"videos": [{"video": "x", "duration": "long"}]}, r"videos\[0\]: could not convert"),
    ],
)
def test_a_broken_ground_truth_names_the_place(document: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_ground_truth(document)


def test_an_alert_about_tampering_is_to_name_the_cause() -> None:
    document = {
        "videos": [
            {
                "video": f"{what}.mp4",
                "duration": 20.0,
                "events": [{"type": f"camera_tamper:{what}", "start_s": 6, "end_s": 14}],
            }
            for what in ("cover", "freeze")
        ]
    }
    clips = read_ground_truth(document)
    raised = RaisedAlert(kind="tamper", start_s=6.0, end_s=14.0, fired_s=7.4, cause="covered")

    [found] = score(clips, {"cover.mp4": [raised], "freeze.mp4": [raised]})

    assert [event.cause for clip in clips for event in clip.events] == ["covered", "frozen"]
    assert (found.true_positives, found.causes_asked, found.causes_right) == (2, 2, 1)
    assert found.row()["causes_right"] == 1
