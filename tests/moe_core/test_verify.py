"""The verifier trusts a reasoner with nothing but predicates, arguments and citations."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from moe_core.claims import FACT_ROLES, PREDICATES
from moe_core.verify import verify
from tests.fakes.incidents import situation, together
from tests.moe_core.checking import (
    BY_KIND,
    PAIR,
    SUPPORTED,
    UNKNOWN,
    UNVERIFIABLE,
    ZONE,
    reasoned,
)


def test_frames_and_text_are_the_verifiers_own() -> None:
    lying = [
        replace(claim, frames=("f_999",), text="A tank drove by.", measured=1e9, note="trust me")
        for claim in reasoned(ZONE)
    ]

    for claim in verify(lying, ZONE):
        assert "f_999" not in claim.frames
        assert "tank" not in claim.text
        assert claim.measured != 1e9
        assert claim.note == ""


def test_malformed_claims_are_unverifiable_and_never_raise() -> None:
    good = reasoned(ZONE)[0]
    for broken in (
        replace(good, predicate="nonsense"),
        replace(good, args={}),
        replace(good, args={**good.args, "seconds": "long"}),
        replace(good, evidence=("a999",)),
        replace(good, evidence=()),
    ):
        [checked] = verify([broken], ZONE)
        assert checked.status is UNVERIFIABLE
        assert checked.note


@settings(deadline=None)
@given(data=st.data())
def test_no_altered_claim_stays_supported(data: st.DataObject) -> None:
    """A value beyond its tolerance, another track, zone, rule or word: never supported."""
    incident = data.draw(st.sampled_from([*BY_KIND, UNKNOWN, PAIR]))
    claims = reasoned(incident)
    index = data.draw(st.integers(0, len(claims) - 1))
    claim = claims[index]
    name = data.draw(st.sampled_from(sorted(claim.args)))
    value = claim.args[name]
    if isinstance(value, str):
        other: str | float = data.draw(
            st.sampled_from(["t1", "t2", "dock", "elsewhere", "gate", "person", "left", "sway"])
        )
        if other == value:
            return
    else:
        # A value inside the tolerance is the same measurement.
        # Of a pace the tolerance is the pace's; that of its distance and of its seconds is wider.
        is_pace = len(PREDICATES[claim.predicate].numbers) > 1
        least = 0.5 if is_pace else 0.05
        off = (claim.tolerance or 0.0) * 3 + least + data.draw(st.floats(0, 100))
        other = value + off * data.draw(st.sampled_from([-1, 1]))
    changed = [*claims]
    changed[index] = replace(claim, args={**claim.args, name: other})

    found = verify(changed, incident)[index]

    assert found.status is not SUPPORTED


@settings(deadline=None)
@given(data=st.data())
def test_no_claim_stays_supported_by_other_evidence(data: st.DataObject) -> None:
    both = together(situation(), situation(track_id="t2"))
    claims = reasoned(both)
    index = data.draw(st.integers(0, len(claims) - 1))
    claim = claims[index]
    if claim.role not in FACT_ROLES or claim.predicate == "meets_rule":
        return
    cited = {one.fact_id for one in both.facts if one.fact_id in claim.evidence}
    other = data.draw(st.sampled_from([f for f in both.facts if f.fact_id not in cited]))
    changed = [*claims]
    changed[index] = replace(claim, evidence=(other.fact_id,))
    same = {one.name for one in both.facts if one.fact_id in cited} == {other.name}
    camera_wide = other.subject == "cam"

    found = verify(changed, both)[index]

    if not (same and camera_wide):
        assert found.status is not SUPPORTED
