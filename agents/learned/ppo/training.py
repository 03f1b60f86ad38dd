"""Masked PPO, one linear learner.

    run = train(world, out=Path("runs/ppo"), preset="belief", seed=0, seconds=100)
    agent = PPOAgent.load(Path("runs/ppo"), world)

Called again with the same settings, `train` goes on from the last checkpoint, and returns at once when it is finished.
Resuming begins new patients, so a run that was killed and resumed is not bit for bit the run that was not.

Source: Schulman et al., Proximal policy optimization algorithms, arXiv:1707.06347; Huang and Ontañón, A closer look at
invalid action masking in policy gradient algorithms, FLAIRS 2022; implementation: sb3-contrib's MaskablePPO.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback

from workup.agents.learned.ppo.checkpoint import CurvePoint, RunState, restore, resumed, save
from workup.agents.learned.ppo.env import ShapedJourneys
from workup.agents.learned.ppo.inputs import Inputs, Preset
from workup.agents.learned.ppo.policy import PolicySpec, PPOAgent
from workup.agents.planning.expected import expected_value
from workup.agents.saved import SavedPolicy, write_policy
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.files import write_whole

TRAINING_SEED, VALIDATION_SEED = 7_000_000, 8_000_000
"""Added to a run's seed, so that it trains and is validated on patients that an evaluation does not draw."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Hyperparameters; docs/BENCHMARKS.md has what they reach."""

    n_envs: int = 1024
    rollout_steps: int = 8
    minibatches: int = 4
    epochs: int = 4
    layers: tuple[int, ...] = (128, 128)
    learning_rate: float = 2e-3
    final_learning_rate: float = 5e-5
    entropy: float = 0.02
    final_entropy: float = 0.0005
    gae_lambda: float = 0.95
    clip: float = 0.2
    gradient_norm: float = 0.5
    validate_every_s: float = 15.0
    validation_patients: int = 4096
    threads: int = 1
    """For torch. Two gain little on nets this small, and lose much when something else needs a core."""


@dataclass(frozen=True, eq=False)
class TrainedPolicy:
    """A finished run."""

    agent: PPOAgent
    directory: Path
    curve: tuple[CurvePoint, ...]
    """Also in `learning_curve.jsonl`, one object a line."""
    best: CurvePoint
    """The point whose policy was kept."""


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a run was asked for."""

    population: Population
    out: Path
    preset: Preset
    seed: int
    settings: Settings
    seconds: float | None
    steps: int | None

    def as_json(self) -> dict[str, Any]:
        """What a checkpoint must agree with, as JSON gives it back."""
        limits = {"preset": self.preset, "seed": self.seed, "seconds": self.seconds, "steps": self.steps}
        return dict(json.loads(json.dumps({**limits, **asdict(self.settings)})))


def train(
    who: World | Population,
    *,
    out: Path,
    preset: Preset = "belief",
    seed: int = 0,
    seconds: float | None = 110.0,
    steps: int | None = None,
    settings: Settings | None = None,
    progress: Callable[[float, CurvePoint | None], None] | None = None,
) -> TrainedPolicy:
    """Train a policy and keep the best one by validation; resumable, see the module.

    Args:
        who: the training population; of a world, patients whom its law draws.
        out: directory for policy, checkpoint and learning curve.
        preset: `belief` (posterior observed, shaped reward) or `raw` (neither).
        seed: of patients, network and exploration.
        seconds: wall-clock time, validation and saving included, compiling left out; None: no limit.
        steps: environment steps; None: no limit. A run limited by steps alone can be repeated.
        settings: hyperparameters, by default those of the benchmark.
        progress: called before every rollout with the share done, 0 to 1, and the latest point of the curve.

    Raises:
        WorkupError: neither limit given, `out` holds a run with other settings, or a loss that is not finite.
        FileFormatError: the checkpoint in `out` is damaged.
    """
    if seconds is None and steps is None:
        raise WorkupError("training has no end: neither seconds nor steps is given")
    population = Population.of(who)
    world = population.world
    asked = _Asked(population, out, preset, seed, settings or Settings(), seconds, steps)
    before, tensors = resumed(out, world, asked.as_json())
    if before.finished and before.best is not None:
        return TrainedPolicy(PPOAgent.load(out, world), out, tuple(before.curve), before.best)
    inputs = Inputs(world, preset)
    _compile(population, inputs)
    started = time.monotonic()
    with _torch_settings(asked.settings.threads):
        journeys = ShapedJourneys(
            population, inputs, asked.settings.n_envs, seed=TRAINING_SEED + seed, first_patient=before.steps
        )  # fmt: skip
        model = _model(journeys, asked.settings, seed)
        if tensors:
            restore(model, before, tensors, out)
        run = _Run(asked, before, started, progress)
        model.learn(2**62, callback=run, log_interval=cast(Any, None))
        run.validate(finished=True)
    assert run.best is not None
    return TrainedPolicy(PPOAgent.load(out, world), out, tuple(run.curve), run.best)


def _compile(population: Population, inputs: Inputs) -> None:
    """Take a step with every action, so that compiling, minutes on a fresh machine, is not counted as training."""
    journeys = ShapedJourneys(population, inputs, len(population.world.actions), seed=TRAINING_SEED, first_patient=0)
    journeys.reset()
    legal = journeys.action_masks()
    journeys.step(np.where(legal.diagonal(), np.arange(len(legal)), legal.argmax(axis=1)))


def _model(journeys: ShapedJourneys, settings: Settings, seed: int) -> _CheckedPPO:
    return _CheckedPPO(
        "MlpPolicy",
        journeys,
        n_steps=settings.rollout_steps,
        batch_size=settings.n_envs * settings.rollout_steps // settings.minibatches,
        n_epochs=settings.epochs,
        gamma=1.0,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip,
        max_grad_norm=settings.gradient_norm,
        learning_rate=settings.learning_rate,
        policy_kwargs={
            "net_arch": {"pi": list(settings.layers), "vf": list(settings.layers)},
            "activation_fn": torch.nn.ReLU,
        },
        seed=seed,
        device="cpu",
    )


class _CheckedPPO(MaskablePPO):
    """MaskablePPO that stops at the first loss or weight that is not finite."""

    def train(self) -> None:
        super().train()
        loss = self.logger.name_to_value["train/loss"]
        if not np.isfinite(loss) or not all(bool(torch.isfinite(p).all()) for p in self.policy.parameters()):
            raise WorkupError(
                f"training diverged after {self.num_timesteps:,} steps: the loss is {loss}; expected a finite number. "
                "Lower the learning rate, or look for a utility that is out of scale"
            )


class _Run(BaseCallback):
    """Anneals, validates and saves between rollouts, and ends training when its time or steps are used up."""

    def __init__(
        self,
        asked: _Asked,
        before: RunState,
        started: float,
        progress: Callable[[float, CurvePoint | None], None] | None,
    ) -> None:
        super().__init__()
        self._asked, self._before, self._started, self._progress = asked, before, started, progress
        self._validated_at = -np.inf
        self.curve = list(before.curve)
        self.best = before.best

    @property
    def seconds(self) -> float:
        """Wall-clock time of this run, interruptions left out."""
        return self._before.seconds + time.monotonic() - self._started

    @property
    def steps(self) -> int:
        """Environment steps of this run."""
        return self._before.steps + self.num_timesteps

    @property
    def share_done(self) -> float:
        """0 to 1, by time or by steps, whichever is further."""
        by_time = self.seconds / self._asked.seconds if self._asked.seconds is not None else 0.0
        by_steps = self.steps / self._asked.steps if self._asked.steps is not None else 0.0
        return min(1.0, max(by_time, by_steps))

    def _on_rollout_start(self) -> None:
        if self.seconds - self._validated_at >= self._asked.settings.validate_every_s:
            self.validate()
        done, settings = self.share_done, self._asked.settings
        self.model.ent_coef = settings.entropy * (settings.final_entropy / settings.entropy) ** done  # type: ignore[attr-defined]
        rate = settings.learning_rate + (settings.final_learning_rate - settings.learning_rate) * done
        self.model.lr_schedule = lambda _: rate
        if self._progress is not None:
            self._progress(done, self.curve[-1] if self.curve else None)

    def _on_step(self) -> bool:
        return self.share_done < 1.0

    def validate(self, *, finished: bool = False) -> None:
        """Add a point to the curve, keep the policy if it is the best so far, write the checkpoint."""
        self._validated_at = self.seconds
        weights = _actor_of(self.model.policy)
        agent = PPOAgent(self._asked.population.world, self._asked.preset, weights)
        patients, seed = self._asked.settings.validation_patients, VALIDATION_SEED + self._asked.seed
        value = expected_value(self._asked.population, agent.choose, patients=patients, seed=seed)
        point = CurvePoint(steps=self.steps, seconds=self.seconds, value=value)
        self.curve.append(point)
        if self.best is None or value >= self.best.value:
            self.best = point
            self._save_policy(weights, point)
        lines = "".join(p.model_dump_json() + "\n" for p in self.curve)
        write_whole(self._asked.out / "learning_curve.jsonl", lines.encode())
        state = RunState(
            settings=self._asked.as_json(),
            steps=self.steps,
            seconds=self.seconds,
            curve=self.curve,
            best=self.best,
            finished=finished,
        )
        save(cast(MaskablePPO, self.model), state, self._asked.out, self._asked.population.world)
        if self._progress is not None and finished:
            self._progress(1.0, point)

    def _save_policy(self, weights: dict[str, NDArray[np.float32]], point: CurvePoint) -> None:
        spec = PolicySpec(
            preset=self._asked.preset,
            layers=list(self._asked.settings.layers),
            activation="relu",
            seed=self._asked.seed,
            steps=point.steps,
            seconds=point.seconds,
            validation_value_gbp=point.value,
        )
        write_policy(self._asked.out, SavedPolicy("ppo", spec.model_dump(), weights), self._asked.population.world)


def _actor_of(policy: Any) -> dict[str, NDArray[np.float32]]:
    linear = [layer for layer in policy.mlp_extractor.policy_net if isinstance(layer, torch.nn.Linear)]
    weights: dict[str, NDArray[np.float32]] = {}
    for i, layer in enumerate([*linear, policy.action_net]):
        weights[f"weight_{i}"] = layer.weight.detach().numpy().copy()
        weights[f"bias_{i}"] = layer.bias.detach().numpy().copy()
    return weights


@contextmanager
def _torch_settings(n_threads: int) -> Iterator[None]:
    """Threads, and no validation of distributions, while training; global generators are put back after."""
    threads, numpy_state, torch_state = torch.get_num_threads(), np.random.get_state(), torch.get_rng_state()
    torch.set_num_threads(n_threads)
    torch.distributions.Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.distributions.Distribution.set_default_validate_args(True)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)
