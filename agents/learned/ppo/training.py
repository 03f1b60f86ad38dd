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
from pydantic import ValidationError
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback

from workup.agents.learned.ppo.env import ShapedJourneys
from workup.agents.learned.ppo.inputs import Inputs, Preset
from workup.agents.learned.ppo.policy import PolicySpec, PPOAgent
from workup.agents.planning.expected import expected_value
from workup.agents.saved import SavedPolicy, Strict, faults_of, read_policy, write_policy
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import FileFormatError, WorkupError
from workup.files import write_whole

TRAINING_SEED, VALIDATION_SEED = 7_000_000, 8_000_000
"""Added to a run's seed, so that it trains and is validated on patients that an evaluation does not draw."""

CHECKPOINT = "checkpoint"


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


class CurvePoint(Strict):
    """One point of a learning curve."""

    steps: int
    """Environment steps seen."""
    seconds: float
    """Wall-clock time since the start of training, interruptions left out."""
    value: float
    """Mean value per patient of the greedy policy on the validation patients, pounds."""


@dataclass(frozen=True, eq=False)
class TrainedPolicy:
    """A finished run."""

    agent: PPOAgent
    directory: Path
    curve: tuple[CurvePoint, ...]
    """Also in `learning_curve.jsonl`, one object a line."""
    best: CurvePoint
    """The point whose policy was kept."""


class _Progress(Strict):
    """The JSON of a checkpoint."""

    settings: dict[str, Any]
    steps: int = 0
    seconds: float = 0.0
    curve: list[CurvePoint] = []
    best: CurvePoint | None = None
    finished: bool = False
    numpy_rng_position: int = 0


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
    settings = settings or Settings()
    population = Population.of(who)
    world = population.world
    before, tensors = _resumed(out, world, _asked(preset, seed, seconds, steps, settings))
    if before.finished and before.best is not None:
        return TrainedPolicy(PPOAgent.load(out, world), out, tuple(before.curve), before.best)
    inputs = Inputs(world, preset)
    _compile(population, inputs)
    started = time.monotonic()
    with _torch_settings(settings.threads):
        journeys = ShapedJourneys(
            population, inputs, settings.n_envs, seed=TRAINING_SEED + seed, first_patient=before.steps
        )
        model = _CheckedPPO(
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
        if tensors:
            _restore(model, before, tensors, out)
        run = _Run(population, out, preset, seed, settings, seconds, steps, before, started, progress)
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
        population: Population,
        out: Path,
        preset: Preset,
        seed: int,
        settings: Settings,
        seconds: float | None,
        steps: int | None,
        before: _Progress,
        started: float,
        progress: Callable[[float, CurvePoint | None], None] | None,
    ) -> None:
        super().__init__()
        self._population, self._out, self._preset, self._seed = population, out, preset, seed
        self._settings, self._seconds, self._steps = settings, seconds, steps
        self._before, self._started, self._progress = before, started, progress
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
        by_time = self.seconds / self._seconds if self._seconds is not None else 0.0
        by_steps = self.steps / self._steps if self._steps is not None else 0.0
        return min(1.0, max(by_time, by_steps))

    def _on_rollout_start(self) -> None:
        if self.seconds - self._validated_at >= self._settings.validate_every_s:
            self.validate()
        done, settings = self.share_done, self._settings
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
        agent = PPOAgent(self._population.world, self._preset, weights)
        patients, seed = self._settings.validation_patients, VALIDATION_SEED + self._seed
        value = expected_value(self._population, agent.choose, patients=patients, seed=seed)
        point = CurvePoint(steps=self.steps, seconds=self.seconds, value=value)
        self.curve.append(point)
        if self.best is None or value >= self.best.value:
            self.best = point
            self._save_policy(weights)
        lines = "".join(p.model_dump_json() + "\n" for p in self.curve)
        write_whole(self._out / "learning_curve.jsonl", lines.encode())
        self._save_checkpoint(finished)
        if self._progress is not None and finished:
            self._progress(1.0, point)

    def _save_policy(self, weights: dict[str, NDArray[np.float32]]) -> None:
        assert self.best is not None
        spec = PolicySpec(
            preset=self._preset,
            layers=list(self._settings.layers),
            activation="relu",
            seed=self._seed,
            steps=self.best.steps,
            seconds=self.best.seconds,
            validation_value_gbp=self.best.value,
        )
        write_policy(self._out, SavedPolicy("ppo", spec.model_dump(), weights), self._population.world)

    def _save_checkpoint(self, finished: bool) -> None:
        _, keys, position, *_ = np.random.get_state()
        spec = _Progress(
            settings=_asked(self._preset, self._seed, self._seconds, self._steps, self._settings),
            steps=self.steps,
            seconds=self.seconds,
            curve=self.curve,
            best=self.best,
            finished=finished,
            numpy_rng_position=int(position),
        )
        policy = self.model.policy
        tensors: dict[str, NDArray[Any]] = {f"policy.{k}": v.numpy() for k, v in policy.state_dict().items()}
        for index, state in policy.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value.numpy() for name, value in state.items()}
        tensors |= {"rng.numpy": np.asarray(keys, np.uint32), "rng.torch": torch.get_rng_state().numpy()}
        saved = SavedPolicy("ppo checkpoint", spec.model_dump(), tensors)
        write_policy(self._out, saved, self._population.world, stem=CHECKPOINT)


def _asked(preset: Preset, seed: int, seconds: float | None, steps: int | None, settings: Settings) -> dict[str, Any]:
    """What a checkpoint must agree with, as JSON gives it back."""
    asked = {"preset": preset, "seed": seed, "seconds": seconds, "steps": steps, **asdict(settings)}
    return dict(json.loads(json.dumps(asked)))


def _actor_of(policy: Any) -> dict[str, NDArray[np.float32]]:
    linear = [layer for layer in policy.mlp_extractor.policy_net if isinstance(layer, torch.nn.Linear)]
    weights: dict[str, NDArray[np.float32]] = {}
    for i, layer in enumerate([*linear, policy.action_net]):
        weights[f"weight_{i}"] = layer.weight.detach().numpy().copy()
        weights[f"bias_{i}"] = layer.bias.detach().numpy().copy()
    return weights


def _resumed(out: Path, world: World, asked: dict[str, Any]) -> tuple[_Progress, dict[str, NDArray[Any]]]:
    """Where the run in `out` stands; the beginning if there is none."""
    path = out / f"{CHECKPOINT}.json"
    if not path.exists():
        return _Progress(settings=asked), {}
    saved = read_policy(out, world, kind="ppo checkpoint", stem=CHECKPOINT)
    try:
        found = _Progress.model_validate(saved.spec)
    except ValidationError as error:
        raise FileFormatError(f"{path}: spec: {faults_of(error)}") from error
    names = sorted(set(found.settings) | set(asked))
    differing = [n for n in names if found.settings.get(n) != asked.get(n)]
    if differing:
        told = "; ".join(f"{n} was {found.settings.get(n)}, now {asked.get(n)}" for n in differing)
        raise WorkupError(f"{out} holds a run with other settings ({told}). Give the same ones, or another directory")
    return found, dict(saved.tensors)


def _restore(model: MaskablePPO, before: _Progress, tensors: dict[str, NDArray[Any]], out: Path) -> None:
    """Put weights, optimiser and random numbers back; every tensor must be the one expected."""
    current = {f"policy.{k}": tuple(v.shape) for k, v in model.policy.state_dict().items()}
    parameters = list(model.policy.parameters())
    for index, parameter in enumerate(parameters):
        shapes = {"step": (), "exp_avg": tuple(parameter.shape), "exp_avg_sq": tuple(parameter.shape)}
        current |= {f"adam.{index}.{name}": shape for name, shape in shapes.items()}
    current |= {"rng.numpy": (624,), "rng.torch": tuple(torch.get_rng_state().shape)}
    started = any(name.startswith("adam.") for name in tensors)
    expected = {name: shape for name, shape in current.items() if started or not name.startswith("adam.")}
    found = {name: array.shape for name, array in tensors.items()}
    if found != expected:
        wrong = sorted(n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n))
        raise FileFormatError(f"{out / CHECKPOINT}.json: tensors {wrong[:6]} are not those of this learner")
    given = {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}
    model.policy.load_state_dict({k.removeprefix("policy."): v for k, v in given.items() if k.startswith("policy.")})
    if started:
        state = {
            index: {name: given[f"adam.{index}.{name}"] for name in ("step", "exp_avg", "exp_avg_sq")}
            for index in range(len(parameters))
        }
        groups = model.policy.optimizer.state_dict()["param_groups"]
        model.policy.optimizer.load_state_dict({"state": state, "param_groups": groups})
    np.random.set_state(cast(Any, ("MT19937", tensors["rng.numpy"], before.numpy_rng_position)))
    torch.set_rng_state(given["rng.torch"])


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
