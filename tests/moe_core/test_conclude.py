"""From a checked chain to a finding: lowered by contradiction alone, and never below info."""

import pytest

from contracts.incidents import Incident
from contracts.reasoning import Decision, Finding, ReasoningVerdict
from contracts.rules import Severity
from moe_core.chain_writer import MAX_TRACKS, add_verdict
from moe_core.checkers.case import Case
from moe_core.conclude import concluded
from moe_core.verify import verify_case
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import elsewhere, situation, together
from tests.moe_core.checking import ZONE


def finding(
    verdict: ReasoningVerdict, incident: Incident = ZONE, attributes: dict[str, str] | None = None
) -> Finding:
    case, clock = Case(incident), ManualClock()
    claims = verify_case(add_verdict((), verdict), case)
    started_s = clock.monotonic_s()
    clock.advance(0.25)
    return concluded(
        case,
        claims,
        reasoner="core",
        confidence=0.4,
        basis="calibrated",
        clock=clock,
        started_s=started_s,
        model_sha256="5" * 64,
        attributes=attributes,
    )


@pytest.mark.parametrize(
    "verdict", [one for one in ReasoningVerdict if one is not ReasoningVerdict.CONTRADICTED]
)
def test_doubt_lowers_nothing(verdict: ReasoningVerdict) -> None:
    found = finding(verdict)

    assert (found.decision, found.severity) == (Decision.ALERT, ZONE.severity)
    assert found.attributes == {}


@pytest.mark.parametrize("severity", Severity)
def test_contradiction_lowers_by_one_step_and_never_below_info(severity: Severity) -> None:
    found = finding(ReasoningVerdict.CONTRADICTED, elsewhere(situation(severity=severity)))

    assert found.decision is Decision.WATCH
    assert found.severity.rank == max(0, severity.rank - 1)
    assert found.attributes["lowered_from"] == severity


def test_who_reasoned_and_how_long_is_told() -> None:
    found = finding(ReasoningVerdict.UNVERIFIED, attributes={"experts": "layer 1: 3 (50%)"})

    assert found.reasoned_ms == pytest.approx(250.0)
    assert found.reasoning.reasoner == "core"
    assert found.reasoning.model_sha256 == "5" * 64
    assert (found.confidence, found.confidence_basis) == (0.4, "calibrated")
    assert found.attributes == {"experts": "layer 1: 3 (50%)"}


def test_rule_events_that_the_chain_does_not_speak_of_are_counted() -> None:
    crowd = together(*(situation(track_id=f"t{index}") for index in range(6)))

    found = finding(ReasoningVerdict.UNVERIFIED, crowd)

    assert found.attributes["rule_events_left_out"] == str(6 - MAX_TRACKS)


def test_the_attributes_that_were_given_are_left_as_they_are() -> None:
    given = {"experts": "none"}

    finding(ReasoningVerdict.CONTRADICTED, elsewhere(ZONE), attributes=given)

    assert given == {"experts": "none"}
