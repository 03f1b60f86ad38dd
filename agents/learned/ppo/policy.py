"""The policy that masked PPO leaves: it needs no torch to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from workup.agents.learned.ppo.inputs import Inputs, Preset
from workup.agents.opening import wait_first
from workup.agents.saved import Strict, faults_of, read_policy
from workup.envs.engine.types import JourneyView
from workup.envs.model.world import World
from workup.errors import FileFormatError, WorkupError


class PolicySpec(Strict):
    """What `policy.json` holds beside the header."""

    preset: Preset
    layers: list[Annotated[int, Field(ge=1)]]
    activation: Literal["relu"]
    seed: int
    steps: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    validation_value_gbp: float


class PPOAgent:
    """The greedy policy of a trained network: the legal action of highest logit, computed in float64 NumPy."""

    def __init__(self, world: World, preset: Preset, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """`weights`: `weight_i` (out, in) and `bias_i` (out,) of layer i, rectified between layers.

        Raises:
            FileFormatError: names or shapes that do not make a network from the preset's inputs to the world's actions.
        """
        self.name = "ppo"
        self.needs: Literal["raw", "belief"] | None = preset
        self._inputs = Inputs(world, preset)
        self._layers = _checked_layers(weights, self._inputs.size, len(world.actions))

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """See `Agent.act`.

        Raises:
            WorkupError: the view has no observation, or one without the posterior that the policy was trained on.
        """
        observation = view.observation
        if observation is None or observation.shape[1] < self._inputs.observed:
            found = "none" if observation is None else f"{observation.shape[1]} numbers"
            raise WorkupError(
                f"a ppo policy of preset {self.needs!r} reads {self._inputs.observed} numbers of the observation; found "
                f"{found}. Ask the engine for view={self.needs!r} and journey_view(observation=True)"
            )
        return wait_first(view, self.choose(observation, view.mask))

    def choose(self, observation: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n,) actions for observations (n, P) and masks (n, A).

        Raises:
            WorkupError: the network's numbers are not finite.
        """
        hidden = self._inputs.of(observation).astype(np.float64)
        for weight, bias in self._layers[:-1]:
            hidden = np.maximum(hidden @ weight.T + bias, 0.0)
        weight, bias = self._layers[-1]
        logits = hidden @ weight.T + bias
        if not np.isfinite(logits).all():
            raise WorkupError(
                "the network of this ppo policy gives no finite numbers for what it observes: its weights or the "
                "observation are out of scale, so that it would choose blindly. Train again"
            )
        legal = self._inputs.narrow(observation, mask)
        return np.where(legal, logits, -np.inf).argmax(axis=1)

    @classmethod
    def load(cls, directory: Path, world: World) -> PPOAgent:
        """The policy that `train` saved.

        Raises:
            FileFormatError: missing, damaged or hostile files, or another scenario.
        """
        path, saved = directory / "policy.json", read_policy(directory, world, kind="ppo")
        try:
            spec = PolicySpec.model_validate(saved.spec)
        except ValidationError as error:
            raise FileFormatError(f"{path}: spec: {faults_of(error)}. Train again") from error
        try:
            agent = cls(world, spec.preset, saved.tensors)
        except FileFormatError as error:
            raise FileFormatError(f"{path}: {error}. Train again") from error
        widths = [len(bias) for _, bias in agent._layers[:-1]]
        if widths != spec.layers:
            raise FileFormatError(
                f"{path}: spec: layers is {spec.layers}, but the tensors are of {widths}. Train again"
            )
        return agent


def _checked_layers(
    weights: Mapping[str, NDArray[np.float32]], inputs: int, outputs: int
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    count = len(weights) // 2
    expected = {f"{kind}_{i}" for i in range(count) for kind in ("weight", "bias")}
    if set(weights) != expected or count == 0:
        raise FileFormatError(
            f"a ppo policy holds tensors {sorted(weights)}; expected weight_i and bias_i of each layer"
        )
    layers = [(weights[f"weight_{i}"], weights[f"bias_{i}"]) for i in range(count)]
    faults, width = [], inputs
    for i, (weight, bias) in enumerate(layers):
        rows = outputs if i == count - 1 else (weight.shape[0] if weight.ndim else 0)
        if (
            weight.shape != (rows, width)
            or bias.shape != (rows,)
            or {weight.dtype, bias.dtype} != {np.dtype("float32")}
        ):
            faults.append(
                f"layer {i} has weight {weight.shape} {weight.dtype} and bias {bias.shape} {bias.dtype}; "
                f"expected ({rows}, {width}) and ({rows},), float32"
            )
        width = rows
    if faults:
        raise FileFormatError("a ppo policy does not fit the scenario: " + "; ".join(faults))
    found = [(weight.astype(np.float64), bias.astype(np.float64)) for weight, bias in layers]
    _require_scale(found)
    return found


def _require_scale(layers: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> None:
    """Inputs lie in [-1, 1]: what the layers can come to must be a float32, as it was in training."""
    reached, most = np.ones(layers[0][0].shape[1]), float(np.finfo(np.float32).max)
    for i, (weight, bias) in enumerate(layers):
        reached = np.abs(weight) @ np.minimum(reached, most) + np.abs(bias)
        if not (reached <= most).all():
            raise FileFormatError(
                f"layer {i} of a ppo policy can come to {reached.max():.3g}, more than a float32 holds: its weights are out "
                f"of scale (the largest is {np.abs(weight).max():.3g}), so that it would choose blindly"
            )
