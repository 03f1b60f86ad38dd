"""What masked PPO sees of the journeys: inputs, masks and the shaped reward, as a native SB3 `VecEnv`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from workup.agents.deciding import at_stake
from workup.agents.learned.ppo.inputs import Inputs
from workup.agents.opening import open_journeys
from workup.agents.planning.expected import ExpectedChange
from workup.envs.engine.engine import Engine
from workup.envs.model.population import Population

REWARD_UNIT_GBP = 100.0
SCREENED = 4096
"""Patients whose presentations are looked at together, to choose those to learn from."""


class Presentations:
    """Patients to learn from, without end: half as they come, half in proportion to what is at stake.

    At stake is what knowing the condition would be worth at the presentation. Drawing more of the presentations where
    much is at stake leaves the law of what follows from each as it is, so the best policy stays the best; it only
    meets the one patient in seventy with a cancer more often. What they earn is divided by how much more often they
    come, so that every patient counts as in life, and rewards are of more equal size. Patients are drawn only once the
    whole screen is known, by systematic resampling, so some come twice.
    """

    def __init__(self, population: Population, *, seed: int, first_patient: int) -> None:
        self._at_stake = at_stake(population.world)
        self._engine = Engine(population, SCREENED, seed=seed, first_patient=first_patient, view="belief")
        self._next = first_patient
        self._rng = np.random.Generator(np.random.Philox(key=[seed, first_patient]))
        self._waiting, self._often = np.empty(0, dtype=np.int64), np.empty(0)

    def take(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(count,) ids of patients, and (count,) how much more often than in life such a patient comes."""
        while len(self._waiting) < count:
            patients, often = self._screen()
            self._waiting = np.concatenate([self._waiting, patients])
            self._often = np.concatenate([self._often, often])
        taken = self._waiting[:count], self._often[:count]
        self._waiting, self._often = self._waiting[count:], self._often[count:]
        return taken

    def _screen(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        patients = self._next + np.arange(SCREENED)
        self._next += SCREENED
        self._engine.reset(patients=patients)
        open_journeys(self._engine)
        stake = self._at_stake(self._engine.observation)
        share = 0.5 / SCREENED + 0.5 * stake / stake.sum() if stake.sum() > 0 else np.full(SCREENED, 1 / SCREENED)
        points = (self._rng.random() + np.arange(SCREENED)) / SCREENED
        drawn = np.minimum(np.searchsorted(share.cumsum(), points), SCREENED - 1)
        drawn = self._rng.permutation(drawn)
        return patients[drawn], share[drawn] * SCREENED


class ShapedJourneys(VecEnv):
    """n journeys from their presentation on, with new patients without end.

    Observation: `Inputs.of`. Action: the world's, narrowed by `Inputs.narrow`. Reward: in hundreds of pounds (of
    fewer for `Presentations` that come more often), the decision scored by its posterior expected utility. In the `belief` preset plus potential(after) - potential(before),
    the potential being what the best decision now would be worth, and 0 at the end: each order is paid at once what it
    changed, and no policy's rank changes.

    Source: Ng, Harada and Russell, Policy invariance under reward transformations, ICML 1999.
    """

    def __init__(self, population: Population, inputs: Inputs, n: int, *, seed: int, first_patient: int) -> None:
        # Where the law is not known, the posterior is a fitted model's, and what is true of a row counts.
        world, drawn = population.world, population.law_known
        self._engine = Engine(population, n, seed=seed, view=inputs.view, score="posterior" if drawn else "truth")
        self._patients = Presentations(population, seed=seed, first_patient=first_patient)
        self._inputs, self._shaped = inputs, inputs.view == "belief"
        self._expected = ExpectedChange(world) if self._shaped and drawn else None
        self._mask = np.empty((n, len(world.actions)), dtype=np.bool_)
        self._potential = np.zeros(n)
        self._unit_gbp = np.full(n, REWARD_UNIT_GBP)
        self._actions = np.zeros(n, dtype=np.int64)
        self._infos: list[dict[str, Any]] = [{} for _ in range(n)]
        self.render_mode = None
        space = spaces.Box(-1.0, 1.0, (inputs.size,), np.float32)
        super().__init__(n, space, spaces.Discrete(len(world.actions)))

    def reset(self) -> NDArray[np.float32]:
        """(n, inputs) of the first patients; SB3 calls it once."""
        self._begin(np.ones(self.num_envs, dtype=np.bool_))
        return self._show()

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Take note of the actions."""
        self._actions = actions

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], list[dict[str, Any]]]:
        """Step, and begin the next patient where a journey ended; being truncated is an end like any other."""
        expected = None if self._expected is None else self._expected.of(self._engine, self._actions)
        step = self._engine.step(self._actions)
        done = step.terminated | step.truncated
        reward = step.reward + np.where(done, 0.0, self._best_now()) - self._potential
        if expected is not None:
            reward = np.where(done, reward, expected)
        reward = reward / self._unit_gbp
        if done.any():
            self._begin(done)
        return self._show(), reward, done, self._infos

    def action_masks(self) -> NDArray[np.bool_]:
        """(n, A) what may be chosen now."""
        return self._mask

    def _begin(self, slots: NDArray[np.bool_]) -> None:
        patients = np.full(self.num_envs, -1, dtype=np.int64)
        patients[slots], often = self._patients.take(int(slots.sum()))
        self._unit_gbp[slots] = REWARD_UNIT_GBP * often
        self._engine.reset(patients=patients)
        open_journeys(self._engine, slots)

    def _show(self) -> NDArray[np.float32]:
        observation = self._engine.observation
        self._potential = self._best_now()
        self._mask = self._inputs.narrow(observation, self._engine.mask)
        return self._inputs.of(observation)

    def _best_now(self) -> NDArray[np.float64]:
        return self._engine.best_expected_utility if self._shaped else np.zeros(self.num_envs)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Only `action_masks` exists; one row a journey."""
        if method_name != "action_masks":
            raise AttributeError(method_name)
        return list(self._mask)

    def has_attr(self, attr_name: str) -> bool:
        """Whether every journey has that attribute."""
        return attr_name == "action_masks"

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """SB3 asks for `render_mode` alone."""
        return [getattr(self, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Nothing can be set."""
        raise AttributeError(attr_name)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Journeys are never wrapped."""
        return [False] * self.num_envs

    def close(self) -> None:
        """Nothing to close."""
