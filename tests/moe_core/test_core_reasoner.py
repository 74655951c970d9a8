"""The trained reasoner: the program's word stands whenever the core cannot be asked."""

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from contracts import codec
from contracts.incidents import FactName, Incident
from contracts.reasoning import ClaimStatus, Decision, Finding, ReasoningVerdict
from contracts.rules import RuleKind
from moe_core.claims import MEETS_RULE, check_structure
from moe_core.core_reasoner import HIGHEST, LOWEST, CoreReasoner
from moe_core.decoding import Floors
from moe_core.fact_table import FactTable
from moe_core.model.weights import Calibration, TrainedCore
from moe_core.program import ProgramReasoner
from moe_core.tokens.prompt import MAX_FACTS
from moe_core.trust import Trust
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import situation, with_fact
from tests.moe_core.checking import FALL, ZONE
from tests.moe_core.cores import (
    HALF_REFUTED,
    INCIDENTS,
    REFUTED,
    core_of,
    crowded,
    network_of,
)
from tests.moe_core.trusts import trust_of


class CreepingClock(ManualClock):
    """Goes on by so much each time that it is asked."""

    def __init__(self, step_s: float) -> None:
        super().__init__()
        self._step_s = step_s

    def monotonic_s(self) -> float:
        self.advance(self._step_s)
        return super().monotonic_s()


def reason(incident: Incident, core: TrainedCore | None = None) -> Finding:
    return CoreReasoner(core or core_of(network_of(1, ends_late=True)), ManualClock()).reason(
        incident
    )


def assert_is_the_programs(finding: Finding, incident: Incident, *, cause: str) -> None:
    program = ProgramReasoner(ManualClock()).reason(incident)
    assert finding.attributes["core"] == cause
    assert finding.reasoning == program.reasoning
    assert finding.finding_id == program.finding_id
    assert finding.confidence == program.confidence
    assert finding.confidence_basis == "program"
    assert finding.decision is program.decision
    assert finding.severity is program.severity


def spoiled(names: Iterable[str] = ("end.bias",)) -> TrainedCore:
    network = network_of(1)
    for name in names:
        dict(network.named_parameters())[name].data.fill_(math.nan)
    return core_of(network)


@given(
    seed=st.integers(0, 10_000), name=st.sampled_from(list(INCIDENTS)), floor=st.floats(0.0, 1.1)
)
@settings(max_examples=25, deadline=None)
def test_no_network_lowers_what_measurement_does_not_contradict_as_a_whole(
    seed: int, name: str, floor: float
) -> None:
    incident = INCIDENTS[name]
    floors = Floors(claim=floor, hypothesis=1.1 - floor, context=floor)
    finding = reason(incident, core_of(network_of(seed, ends_late=True), floors=floors))
    refuted = {
        claim.args["track"]
        for claim in finding.reasoning.claims
        if claim.predicate == MEETS_RULE and claim.status is ClaimStatus.CONTRADICTED
    }

    check_structure(finding.reasoning.claims, facts=FactTable(incident.facts).names)
    if refuted != {event.track_id for event in incident.rule_events}:
        assert finding.decision is Decision.ALERT
        assert finding.severity is incident.severity
    assert finding.reasoning.reasoner == "core"
    assert LOWEST <= finding.confidence <= HIGHEST
    assert finding.title
    assert finding.summary


def test_what_measurement_contradicts_as_a_whole_is_lowered_and_said() -> None:
    network = network_of(1)
    network.end.bias.sub_(100)
    finding = reason(
        REFUTED, core_of(network, floors=Floors(claim=1.1, hypothesis=1.1, context=1.1))
    )

    assert finding.reasoning.verdict is ReasoningVerdict.CONTRADICTED
    assert finding.decision is Decision.WATCH
    assert finding.severity.rank == REFUTED.severity.rank - 1
    assert finding.attributes["lowered_from"] == REFUTED.severity


def test_one_refuted_statement_of_two_lowers_nothing() -> None:
    network = network_of(1)
    network.end.bias.sub_(100)
    finding = reason(
        HALF_REFUTED, core_of(network, floors=Floors(claim=1.1, hypothesis=1.1, context=1.1))
    )

    assert finding.reasoning.verdict is ReasoningVerdict.UNVERIFIED
    assert finding.decision is Decision.ALERT
    assert finding.severity is HALF_REFUTED.severity


@pytest.mark.parametrize("incident", INCIDENTS.values(), ids=INCIDENTS)
def test_the_same_incident_gives_the_same_finding(incident: Incident) -> None:
    core = core_of(network_of(5, ends_late=True))

    assert reason(incident, core) == reason(incident, core)


def test_a_finding_says_which_weights_and_which_experts_spoke() -> None:
    core = core_of(network_of(1, ends_late=True))
    finding = reason(ZONE, core)
    layers = finding.attributes["experts"].split("; ")

    assert finding.reasoning.model_sha256 == core.sha256
    assert finding.confidence_basis == "calibrated"
    assert [layer.split(":")[0] for layer in layers] == ["layer 1", "layer 2", "layer 3"]
    assert all("%" in layer for layer in layers)
    assert "core" not in finding.attributes
    assert "facts_left_out" not in finding.attributes
    assert codec.decode(codec.encode(finding), Finding) == finding


def test_the_confidence_is_calibrated() -> None:
    core = core_of(network_of(1))
    flat = replace(core, calibration=Calibration(scale=0.0, shift=math.log(3)))
    sure = replace(core, calibration=Calibration(scale=0.0, shift=1e9))
    unsure = replace(core, calibration=Calibration(scale=0.0, shift=-1e9))

    assert reason(ZONE, flat).confidence == pytest.approx(0.75)
    assert reason(ZONE, sure).confidence == HIGHEST
    assert reason(ZONE, unsure).confidence == LOWEST


def trusting(trust: Trust) -> TrainedCore:
    return replace(core_of(network_of(1)), trust=trust)


def test_the_confidence_is_that_of_trust_where_there_is_one() -> None:
    finding = reason(ZONE, trusting(replace(trust_of(event=1.0), sha256="7" * 64)))

    assert finding.confidence == pytest.approx(1 / (1 + math.exp(-1.0)))
    assert finding.confidence_basis == "calibrated"
    assert finding.attributes["trust"] == "7" * 64
    assert finding.reasoning.verdict is ReasoningVerdict.CONFIRMED
    assert "trust" not in reason(ZONE).attributes


def test_trust_drops_claims_and_annotates_but_suppresses_no_alert() -> None:
    full = reason(ZONE, trusting(trust_of()))
    finding = reason(ZONE, trusting(trust_of(claims=-9.0, event=-9.0)))

    assert len(finding.reasoning.claims) == 1 < len(full.reasoning.claims)
    assert finding.reasoning.verdict is ReasoningVerdict.UNVERIFIED
    assert finding.confidence == LOWEST
    assert finding.decision is Decision.ALERT
    assert finding.severity is ZONE.severity


def test_trust_brings_back_nothing_that_checking_refuted() -> None:
    finding = reason(REFUTED, trusting(trust_of(claims=99.0, event=99.0)))

    assert finding.reasoning.verdict is ReasoningVerdict.CONTRADICTED
    assert all(
        claim.status is ClaimStatus.SUPPORTED
        for claim in finding.reasoning.claims
        if claim.predicate != MEETS_RULE
    )


def test_trust_that_fails_leaves_the_word_to_the_program() -> None:
    broken = replace(trust_of(), finding={})
    with capture_logs():
        finding = reason(ZONE, trusting(broken))

    assert_is_the_programs(finding, ZONE, cause="KeyError")


@pytest.mark.parametrize("name", INCIDENTS)
def test_trust_judges_whatever_is_reported(name: str) -> None:
    finding = reason(INCIDENTS[name], trusting(trust_of(stack={"near": 1.0, "late": -1.0})))

    assert finding.reasoning.reasoner == "core"
    assert LOWEST <= finding.confidence <= HIGHEST


def test_a_kind_that_it_was_not_trained_on_is_left_to_the_program() -> None:
    core = core_of(network_of(1), kinds=frozenset({str(RuleKind.INTRUSION)}))

    assert reason(ZONE, core).reasoning.reasoner == "core"
    assert_is_the_programs(reason(FALL, core), FALL, cause="not_trained_on_this_kind")


def test_an_empty_scene_is_left_to_the_program() -> None:
    empty = replace(ZONE, tracks=(), facts=())

    finding = reason(empty)

    assert_is_the_programs(finding, empty, cause="nothing_to_claim")
    assert finding.decision is Decision.ALERT


@pytest.mark.parametrize("name", ["real.2.bias", "truth.0.weight", "keys"])
def test_weights_that_spoil_in_memory_leave_the_word_to_the_program(name: str) -> None:
    if name == "keys":
        name = "core.layers.1.attention.keys.weight"
    with capture_logs() as logs:
        finding = reason(ZONE, spoiled([name]))

    assert_is_the_programs(finding, ZONE, cause="ModelError")
    [entry] = [one for one in logs if one["log_level"] == "error"]
    assert entry["camera_id"] == ZONE.camera_id
    assert entry["incident_id"] == ZONE.incident_id


def test_an_error_in_the_network_leaves_the_word_to_the_program() -> None:
    network = network_of(1)
    del network.query
    with capture_logs() as logs:
        finding = reason(ZONE, core_of(network))

    assert_is_the_programs(finding, ZONE, cause="AttributeError")
    assert [one["log_level"] for one in logs] == ["error"]


def test_a_core_that_is_late_leaves_the_word_to_the_program() -> None:
    clock = CreepingClock(0.2)
    reasoner = CoreReasoner(core_of(network_of(1)), clock, deadline_s=0.1)

    finding = reasoner.reason(ZONE)

    assert_is_the_programs(finding, ZONE, cause="out_of_time")


def test_the_time_of_a_fallback_is_that_of_core_and_program() -> None:
    """A core that was late looked as fast as none."""
    reasoner = CoreReasoner(core_of(network_of(1)), CreepingClock(0.2), deadline_s=0.1)
    program = ProgramReasoner(CreepingClock(0.2))

    assert reasoner.reason(ZONE).reasoned_ms > program.reason(ZONE).reasoned_ms


def test_a_clock_that_jumps_while_it_reasons_costs_the_core_only() -> None:
    """Steps of the wall clock do not matter; durations that jump count as late."""
    back = CoreReasoner(core_of(network_of(1)), CreepingClock(-3600.0)).reason(ZONE)
    ahead = CoreReasoner(core_of(network_of(1)), CreepingClock(3600.0)).reason(ZONE)

    assert back.reasoning.reasoner == "core"
    assert_is_the_programs(ahead, ZONE, cause="out_of_time")


def test_ten_thousand_facts_are_reasoned_about_and_what_was_not_read_is_said() -> None:
    incident = crowded(ZONE)
    finding = reason(incident)

    assert finding.reasoning.reasoner == "core"
    assert finding.attributes["facts_left_out"] == str(len(incident.facts) - MAX_FACTS)


@pytest.mark.parametrize("seconds", [-1e9, 1e9, math.nan, math.inf])
@pytest.mark.parametrize("name", [FactName.DWELL, FactName.PRESENT, FactName.RULE_VALUE])
def test_facts_of_a_clock_that_jumped_are_reasoned_about(seconds: float, name: FactName) -> None:
    finding = reason(with_fact(ZONE, name, start_s=seconds, end_s=seconds))

    assert finding.reasoning.reasoner == "core"
    assert finding.severity is ZONE.severity


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", [FactName.DWELL, FactName.INSIDE, FactName.HIT_RATIO])
def test_facts_that_are_no_numbers_are_reasoned_about(bad: float, name: FactName) -> None:
    finding = reason(with_fact(ZONE, name, value=bad))

    assert finding.reasoning.reasoner == "core"
    assert finding.decision is Decision.ALERT


def test_a_crowd_of_tracks_is_reasoned_about() -> None:
    tracks = tuple(situation(track_id=f"t{index}").tracks[0] for index in range(1, 50))

    assert reason(replace(ZONE, tracks=tracks)).reasoning.reasoner == "core"
