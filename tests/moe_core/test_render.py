from dataclasses import replace

import pytest

from contracts.geometry import Zone
from contracts.incidents import FactName, Incident, IncidentState
from contracts.reasoning import Finding
from contracts.rules import RuleKind, Severity
from moe_core.program import ProgramReasoner
from moe_core.render import lowered_text, quantity
from tests.fakes.builders import WHOLE
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import (
    STAY,
    elsewhere,
    situation,
    together,
    with_fact,
    without,
)


def reason(incident: Incident) -> Finding:
    return ProgramReasoner(ManualClock()).reason(incident)


def texts(incident: Incident) -> list[str]:
    return [claim.text for claim in reason(incident).reasoning.claims]


STANDER = situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0, label="object")


@pytest.mark.parametrize(
    ("incident", "title"),
    [
        pytest.param(situation(), "Intrusion: person in Loading dock", id="intrusion"),
        pytest.param(
            situation(kind=RuleKind.ZONE_ENTRY, label="car"),
            "Zone entry: car entered Loading dock",
            id="zone entry",
        ),
        pytest.param(
            situation(kind=RuleKind.LINE_CROSS),
            "Line crossing: person crossed Gate",
            id="line crossing",
        ),
        pytest.param(
            STANDER, "Loitering: something stayed 12 s in Loading dock", id="loitering, unknown"
        ),
        pytest.param(
            together(situation(), situation(track_id="t2")),
            "Intrusion: 2 people in Loading dock",
            id="two of a kind",
        ),
        pytest.param(
            together(situation(label="object"), situation(track_id="t2", label="object")),
            "Intrusion: 2 things in Loading dock",
            id="two of unknown kind",
        ),
        pytest.param(
            together(situation(), situation(track_id="t2", label="dog")),
            "Intrusion: person and 1 more in Loading dock",
            id="two of different kinds",
        ),
        pytest.param(
            elsewhere(situation()),
            "Intrusion, not confirmed: person at Loading dock",
            id="contradicted",
        ),
        pytest.param(
            replace(situation(), facts=()), "Intrusion, not confirmed: something", id="no facts"
        ),
    ],
)
def test_titles(incident: Incident, title: str) -> None:
    assert reason(incident).title == title


def test_the_sentence_of_a_rule_gives_value_and_threshold_with_units() -> None:
    assert "The person stayed 1.2 s in Loading dock; the rule asks for 1 s." in texts(situation())


def test_a_summary_says_what_was_seen_why_it_matters_and_what_speaks_against_it() -> None:
    assert reason(situation()).summary == (
        "A person stayed 1.2 s in Loading dock; the rule asks for 1 s. "
        "Rule keep_out allows nobody there; ruled out: a false detection, a change of light and "
        "a movement of the camera. Nothing that was measured speaks against it."
    )
    assert reason(STANDER).summary.endswith(
        "Against it: its kind is not known, since the detector names none."
    )


def test_an_unknown_kind_is_never_called_a_person() -> None:
    finding = reason(STANDER)

    assert "person" not in " ".join([finding.title, finding.summary, *texts(STANDER)]).lower()


def test_a_kind_that_no_supported_claim_states_is_not_used() -> None:
    """The fact says person, the track says car: then it is something."""
    incident = situation()
    denied = replace(incident, tracks=(replace(incident.tracks[0], label="car"),))

    finding = reason(denied)

    assert finding.title == "Intrusion, not confirmed: something at Loading dock"
    assert "person" not in finding.summary


def test_what_is_contradicted_is_not_in_the_summary() -> None:
    finding = reason(elsewhere(situation()))

    assert "stayed" not in finding.summary
    assert finding.summary == (
        "A rule reported this, but the measurements contradict it. "
        "So it is watched, with severity medium instead of high."
    )


def test_several_tracks_are_told_apart() -> None:
    both = together(situation(), situation(track_id="t2"))

    assert {"Person t1 was followed for 4 s.", "Person t2 was followed for 4 s."} <= set(
        texts(both)
    )


def test_a_long_name_does_not_make_a_long_title() -> None:
    incident = situation()
    zone = replace(incident.zones[0], name="Loading dock of the northern warehouse " * 5)

    title = reason(replace(incident, zones=(zone,))).title

    assert len(title) <= 80
    assert title.endswith("...")


def test_braces_in_a_name_stay_braces() -> None:
    incident = situation()
    zone = replace(incident.zones[0], name="{track} {0}")

    assert reason(replace(incident, zones=(zone,))).title == "Intrusion: person in {track} {0}"


def test_a_zone_without_a_name_goes_by_its_id() -> None:
    incident = situation()
    zone = replace(incident.zones[0], name="")

    assert reason(replace(incident, zones=(zone,))).title == "Intrusion: person in dock"


def test_a_zone_that_is_all_of_the_picture_has_no_edge_to_speak_of() -> None:
    incident = with_fact(situation(), FactName.INSIDE, value=1.0)
    room = replace(incident, zones=(Zone(zone_id="dock", polygon=WHOLE, name="Room"),))

    said = texts(without(room, FactName.DWELL))

    assert "The person stands in Room, which is all of the picture." in said
    assert not any("100 % of the picture" in text for text in said)


def test_every_text_is_a_sentence_without_holes() -> None:
    incidents = [
        situation(others=1, light_change=0.4, state=IncidentState.CLOSED, threshold=1.1),
        situation(kind=RuleKind.LINE_CROSS),
        STANDER,
        elsewhere(situation(kind=RuleKind.LINE_CROSS)),
        together(situation(), situation(track_id="t2", label="object")),
    ]
    for incident in incidents:
        finding = reason(incident)
        for text in (finding.summary, *texts(incident)):
            assert text[0] == text[0].upper()
            assert text.endswith(".")
            assert "{" not in text
            assert "None" not in text
            assert "  " not in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (4.2, "s", "4.2 s"),
        (1.0, "s", "1 s"),
        (12.4, "s", "12 s"),
        (9.96, "s", "10 s"),
        (0.04, "s", "0.04 s"),
        (0.0, "s", "0 s"),
        (0.23, "picture", "23 % of the picture"),
        (-0.05, "picture", "5 % of the picture"),
        (0.0004, "share", "0.04 %"),
        (0.95, "share", "95 %"),
        (0.175, "picture/s", "18 % of the picture per second"),
        (3.0, "1", "3"),
        (12.001, "h", "12:00"),
        (21 + 9 / 60 + 59 / 3600, "h", "21:09"),
        (21.15, "h", "21:09"),
        (23.99999, "h", "00:00"),
        (2.5, "furlongs", "2.5 furlongs"),
    ],
)
def test_quantities_are_rounded_as_people_say_them(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_lowering_is_said_with_both_severities() -> None:
    assert lowered_text(before=Severity.HIGH, after=Severity.MEDIUM) == (
        "So it is watched, with severity medium instead of high."
    )
