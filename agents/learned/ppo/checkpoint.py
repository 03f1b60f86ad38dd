"""Where a run of masked PPO stands, on disk: written between rollouts, so that a run that was killed goes on from there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from sb3_contrib import MaskablePPO

from workup.agents.saved import SavedPolicy, Strict, faults_of, read_policy, write_policy
from workup.envs.model.world import World
from workup.errors import FileFormatError, WorkupError

CHECKPOINT = "checkpoint"


class CurvePoint(Strict):
    """One point of a learning curve."""

    steps: Annotated[int, Field(ge=0)]
    """Environment steps seen."""
    seconds: Annotated[float, Field(ge=0)]
    """Wall-clock time since the start of training, interruptions left out."""
    value: float
    """Mean value per patient of the greedy policy on the validation patients, pounds."""


class RunState(Strict):
    """The JSON of a checkpoint."""

    settings: dict[str, Any]
    steps: Annotated[int, Field(ge=0)] = 0
    seconds: Annotated[float, Field(ge=0)] = 0.0
    curve: list[CurvePoint] = []
    best: CurvePoint | None = None
    finished: bool = False
    numpy_rng_position: Annotated[int, Field(ge=0, le=624)] = 0


def resumed(out: Path, world: World, asked: dict[str, Any]) -> tuple[RunState, dict[str, NDArray[Any]]]:
    """Where the run in `out` stands; the beginning if there is none."""
    path = out / f"{CHECKPOINT}.json"
    if not path.exists():
        return RunState(settings=asked), {}
    saved = read_policy(out, world, kind="ppo checkpoint", stem=CHECKPOINT)
    try:
        found = RunState.model_validate(saved.spec)
    except ValidationError as error:
        raise FileFormatError(f"{path}: spec: {faults_of(error)}") from error
    names = sorted(set(found.settings) | set(asked))
    differing = [n for n in names if found.settings.get(n) != asked.get(n)]
    if differing:
        told = "; ".join(f"{n} was {found.settings.get(n)}, now {asked.get(n)}" for n in differing)
        raise WorkupError(f"{out} holds a run with other settings ({told}). Give the same ones, or another directory")
    return found, dict(saved.tensors)


def restore(model: MaskablePPO, before: RunState, tensors: dict[str, NDArray[Any]], out: Path) -> None:
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


def save(model: MaskablePPO, state: RunState, out: Path, world: World) -> None:
    """Write the state of a run, its weights, optimiser and random numbers."""
    tensors: dict[str, NDArray[Any]] = {f"policy.{k}": v.numpy() for k, v in model.policy.state_dict().items()}
    for index, moments in model.policy.optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": value.numpy() for name, value in moments.items()}
    _, keys, position, *_ = np.random.get_state()
    tensors |= {"rng.numpy": np.asarray(keys, np.uint32), "rng.torch": torch.get_rng_state().numpy()}
    spec = state.model_copy(update={"numpy_rng_position": int(position)}).model_dump()
    write_policy(out, SavedPolicy("ppo checkpoint", spec, tensors), world, stem=CHECKPOINT)
