from dataclasses import replace

import pytest

from alerts.wording import rule_confidence, summary_of, title_of
from contracts.geometry import Line
from contracts.incidents import Incident
from contracts.rules import RuleKind
from tests.alerts.builders import incident

GATE = Line(line_id="gate", points=((0.5, 0.0), (0.5, 1.0)), name="the gate")


def of_kind(kind: RuleKind, **changes: object) -> Incident:
    made = incident()
    [event] = made.rule_events
    changed = replace(event, kind=kind, **changes)  # type: ignore[arg-type]  # by name
    return replace(made, kind=kind, rule_events=(changed,), lines=(GATE,))


@pytest.mark.parametrize(
    ("kind", "changes", "title"),
    [
        (RuleKind.INTRUSION, {}, "Person in Loading dock"),
        (RuleKind.ZONE_ENTRY, {}, "Person entered Loading dock"),
        (RuleKind.LOITER, {}, "Person staying in Loading dock"),
        (RuleKind.LINE_CROSS, {"zone_id": "", "line_id": "gate"}, "Person crossed the gate"),
        (RuleKind.LINE_CROSS, {"zone_id": "", "line_id": "x"}, "Person crossed line x"),
        (RuleKind.INTRUSION, {"zone_id": "y"}, "Person in zone y"),
        (RuleKind.INTRUSION, {"track_id": "t9"}, "Object in Loading dock"),
    ],
)
def test_the_title_says_who_did_what_where(
    kind: RuleKind, changes: dict[str, object], title: str
) -> None:
    assert title_of(of_kind(kind, **changes)) == title


def test_several_objects_are_counted() -> None:
    made = incident()
    [event] = made.rule_events

    both = replace(made, rule_events=(event, replace(event, event_id="re_2", track_id="t2")))

    assert title_of(both) == "2 objects in Loading dock"


def test_the_summary_gives_the_measurement_and_the_threshold() -> None:
    assert summary_of(incident()) == (
        "Person in Loading dock at Loading yard: rule keep_out measured 1.40 s, its threshold is "
        "1.00 s. Not reasoned yet."
    )


@pytest.mark.parametrize(
    ("value", "sigma", "confidence"),
    [(1.0, 0.1, 0.5), (1.1, 0.1, 0.8413), (1.2, 0.1, 0.9772), (1.0, 0.0, 1.0), (0.9, 0.0, 0.0)],
)
def test_confidence_follows_the_margin(value: float, sigma: float, confidence: float) -> None:
    measured = of_kind(RuleKind.INTRUSION, value=value, sigma=sigma)

    assert rule_confidence(measured) == pytest.approx(confidence, abs=1e-4)
