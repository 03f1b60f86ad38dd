"""Two clinicians: the same one-step planner, on a noisier and on a better knowledge of the same scenario."""

from __future__ import annotations

from workup.agents.base import Agent, AgentFactory
from workup.agents.baselines.erring import erring, figure_sd
from workup.envs.model.world import World

JUNIOR_SD = 1.0
SENIOR_SD = 0.35
"""Standard deviation of the errors of log-odds after history and examination (`agents.baselines.erring.figure_sd`).

Assumed, not measured. At 1.0 two beliefs in three are within a factor of e (2.7) in odds of the truth: '5%' is taken
for anything from 2% to 13%. At 0.35 within a factor of 1.4: from 3.6% to 6.9%. Surveys of clinicians find errors of the
first size, mostly overestimates (Morgan et al., JAMA Intern Med 2021;181:747, recalled). No size of that bias was read in a
source, so the errors here have no direction.
"""

_JUNIOR_STREAM, _SENIOR_STREAM = 101, 202


def clinician(world: World, name: str, *, sd: float, seed: int) -> Agent:
    """A one-step planner whose beliefs after history and examination err by `sd` in log-odds.

    Every prior and every law has an error of the same size, so chosen that together they err by that much in this scenario.

    Args:
        world: where it acts; costs, utilities and mechanisms switched off are known to it exactly.
        name: what it is called.
        sd: standard deviation of the errors of log-odds after history and examination, natural.
        seed: which clinician of that kind; the same errors for every patient.
    """
    from workup.agents.baselines.voi import VoiAgent

    return VoiAgent(erring(world, figure_sd(world, sd, seed=seed), seed=seed), name=name)


def _junior(world: World, *, seed: int) -> Agent:
    return clinician(world, "junior", sd=JUNIOR_SD, seed=seed * 1000 + _JUNIOR_STREAM)


def _senior(world: World, *, seed: int) -> Agent:
    return clinician(world, "senior", sd=SENIOR_SD, seed=seed * 1000 + _SENIOR_STREAM)


AGENTS: dict[str, AgentFactory] = {"junior": _junior, "senior": _senior}
