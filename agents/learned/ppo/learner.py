"""Masked PPO as a learner; torch is imported when it is fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workup.agents.base import Effort, Learner, Progress
from workup.agents.learned.ppo.inputs import Preset
from workup.agents.learned.ppo.policy import PPOAgent
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.wording import pounds

if TYPE_CHECKING:
    from workup.agents.learned.ppo.checkpoint import CurvePoint
    from workup.agents.learned.ppo.training import TrainedPolicy


@dataclass(frozen=True)
class PPOLearner:
    """Masked PPO of one preset; see `training` for what it does and where it comes from."""

    preset: Preset = "belief"
    name = "ppo"
    extra = "train"
    ends_by_itself = False
    needs_rows = False

    def fit(self, population: Population, *, out: Path, seed: int, effort: Effort, progress: Progress) -> PPOAgent:
        """See `Learner.fit`."""
        train = ppo_training()

        def told(share: float, point: CurvePoint | None) -> None:
            progress(share, "" if point is None else f"{pounds(point.value)} per patient after {point.steps:,} steps")

        trained = train(
            population,
            out=out,
            preset=self.preset,
            seed=seed,
            seconds=effort.seconds,
            steps=effort.steps,
            progress=told,
        )
        best = trained.best
        value = f"{pounds(best.value)} per patient on validation patients"
        progress(1.0, f"{value}, after {best.steps:,} steps and {best.seconds:.0f} s")
        return trained.agent

    def load(self, directory: Path, world: World) -> PPOAgent:
        """See `Learner.load`."""
        return PPOAgent.load(directory, world)


def ppo_training() -> Callable[..., TrainedPolicy]:
    """`training.train`. Raises WorkupError, with the remedy, where its packages are not installed."""
    try:
        from workup.agents.learned.ppo.training import train
    except ModuleNotFoundError as error:
        raise WorkupError(
            f"training needs {error.name}, which is not installed; run: pip install 'workup[train]'"
        ) from error
    return train


LEARNERS: dict[str, Learner] = {"ppo": PPOLearner(), "ppo:raw": PPOLearner("raw")}
