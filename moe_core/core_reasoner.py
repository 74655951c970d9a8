"""The trained reasoner: chooses among what can be measured, and knows how sure it is.

It chooses which claims of the draft are told and whether they amount to what the rule looks for;
everything is checked as the program's chain is. Where it cannot be asked (a kind it was not trained
on, nothing to claim, an error, an answer that is no number, no time left) the program's finding
stands and says so.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from contracts.clock import Clock
from contracts.incidents import Incident
from contracts.reasoning import Finding
from moe_core.checkers.case import Case
from moe_core.conclude import concluded
from moe_core.confidence import confidence_of
from moe_core.core_chain import chain_of, drafted
from moe_core.decoding import Floats, Written, decode, sigmoid
from moe_core.model.weights import TrainedCore
from moe_core.program import ProgramReasoner
from moe_core.shipped import CORE
from moe_core.tokens.prompt import Prompt, prompt_of
from moe_core.trust import Judged
from moe_core.trust_rows import Believed, log_odds

log = structlog.get_logger()

LOWEST: Final = 0.01
HIGHEST: Final = 0.99
_TOLD_EXPERTS: Final = 3


class CoreReasoner:
    """Reasons with trained weights over the program's draft.

    The same incident and the same weights give the same finding, always.

    Args:
        core: The weights.
        clock: For times and durations.
        deadline_s: The core is given up after so long and the program's finding stands.
    """

    name = CORE

    def __init__(self, core: TrainedCore, clock: Clock, *, deadline_s: float = 0.5) -> None:
        self._core = core
        self._clock = clock
        self._deadline_s = deadline_s
        self._program = ProgramReasoner(clock)

    def reason(self, incident: Incident) -> Finding:
        """Return the finding about this revision of the incident.

        Raises:
            ChainError: The program's chain breaks the grammar, which is a fault there.
        """
        started_s = self._clock.monotonic_s()
        if str(incident.kind) not in self._core.kinds:
            return self._by_program(incident, started_s, "not_trained_on_this_kind")
        try:
            case = Case(incident)
            draft = drafted(case)
            prompt = prompt_of(case, draft)
            if not len(prompt.proposals):
                return self._by_program(incident, started_s, "nothing_to_claim")
            written = write(
                self._core,
                prompt,
                program_chance=confidence_of(case, draft),
                is_late=lambda: self._clock.monotonic_s() - started_s > self._deadline_s,
            )
            claims = chain_of(case, prompt, written.chain)
        except TimeoutError:
            return self._by_program(incident, started_s, "out_of_time")
        except Exception as error:  # loop boundary: the program's word must go on
            log.exception(
                "the trained core failed, the program reasons",
                camera_id=incident.camera_id,
                incident_id=incident.incident_id,
            )
            return self._by_program(incident, started_s, type(error).__name__)
        attributes = {"experts": experts_of(written)}
        if self._core.trust is not None:
            attributes["trust"] = self._core.trust.sha256
        if prompt.left_out:
            attributes["facts_left_out"] = str(prompt.left_out)
        return concluded(
            case,
            claims,
            reasoner=self.name,
            confidence=min(HIGHEST, max(LOWEST, chance_of(self._core, written))),
            basis="calibrated",
            clock=self._clock,
            started_s=started_s,
            model_sha256=self._core.sha256,
            attributes=attributes,
        )

    def _by_program(self, incident: Incident, started_s: float, cause: str) -> Finding:
        finding = self._program.reason(incident)
        return replace(
            finding,
            attributes={**finding.attributes, "core": cause},
            reasoned_ms=(self._clock.monotonic_s() - started_s) * 1000,
        )


def write(
    core: TrainedCore,
    prompt: Prompt,
    *,
    program_chance: float,
    is_late: Callable[[], bool] = lambda: False,
) -> Written:
    """Write the chain of one incident, its claims judged by the core's trust where it has one.

    Args:
        core: To ask.
        prompt: What is read.
        program_chance: The program's confidence in the same draft, 0..1.
        is_late: Asked before and after the reading; True gives up.

    Raises:
        ModelError: The network's answer is no number.
        TimeoutError: It was late.
    """
    trust = core.trust
    if trust is None:
        return decode(core.network, prompt, floors=core.floors, is_late=is_late)

    def judged(claims_C: Floats, real: float) -> Judged:
        believed = Believed(claims_C=claims_C, real=real, program=log_odds(program_chance))
        return trust.judge(prompt, believed)

    return decode(core.network, prompt, floors=trust.floors, is_late=is_late, trusts=judged)


def chance_of(core: TrainedCore, written: Written) -> float:
    """Return the chance, 0..1, that what the incident is about really happened."""
    if written.chance is not None:
        return written.chance
    logit = core.calibration.scale * written.real_logit + core.calibration.shift
    return float(sigmoid(logit))


def experts_of(written: Written) -> str:
    """Return who spoke: for each layer the experts that were asked most, with their share."""
    told = []
    for number, routed in enumerate(written.routed, start=1):
        asked = Counter(routed.experts_TK.flatten().tolist())
        total = sum(asked.values())
        most = ", ".join(
            f"{expert} ({count / total:.0%})" for expert, count in asked.most_common(_TOLD_EXPERTS)
        )
        told.append(f"layer {number}: {most}")
    return "; ".join(told)
