"""Two clinicians: the same one-step planner, on a noisier and on a better knowledge of the same scenario."""

from __future__ import annotations

from workup.agents.base import Agent, AgentFactory
from workup.envs.compile.compile import KnowledgeNoise, compile_world
from workup.envs.model.world import World

JUNIOR_SD = 1.0
SENIOR_SD = 0.35
"""Standard deviation of the errors in the log-odds of every prior and every result's law.

Assumed, not measured. At 1.0 two figures in three are within a factor of e (2.7) in odds of the truth: '5%' is taken
for anything from 2% to 13%. At 0.35 within a factor of 1.4: from 3.6% to 6.9%. Surveys of clinicians find errors of the
first size, mostly overestimates (Morgan et al., JAMA Intern Med 2021;181:747, recalled): the noise here has no direction.
"""

_JUNIOR_STREAM, _SENIOR_STREAM = 101, 202


def clinician(world: World, name: str, *, sd: float, seed: int) -> Agent:
    """A one-step planner whose knowledge of the world has errors of `sd` in log-odds.

    Args:
        world: where it acts; costs, utilities and mechanisms switched off are known to it exactly.
        name: what it is called.
        sd: standard deviation of the errors, natural log-odds.
        seed: which clinician of that kind; the same errors for every patient.
    """
    from workup.agents.baselines.voi import VoiAgent

    weights = dict(zip(("cost", "harm", "delay", "utility"), map(float, world.weights), strict=True))
    knowledge = compile_world(
        world.scenario,
        preset=world.preset,
        weights=weights,
        switched_off=world.switched_off,
        noise=KnowledgeNoise(sd=sd, seed=seed),
    )
    return VoiAgent(knowledge, name=name)


def _junior(world: World, *, seed: int) -> Agent:
    return clinician(world, "junior", sd=JUNIOR_SD, seed=seed * 1000 + _JUNIOR_STREAM)


def _senior(world: World, *, seed: int) -> Agent:
    return clinician(world, "senior", sd=SENIOR_SD, seed=seed * 1000 + _SENIOR_STREAM)


AGENTS: dict[str, AgentFactory] = {"junior": _junior, "senior": _senior}
