"""How fast the environments are, as ratios within one run: rates differ between machines, ratios hardly do.

Counted per CPU second of this process, legal actions, fresh patients, automatic reset; the time to choose actions is
left out on both sides, the time to deliver observation, mask and reward components is counted.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, Literal, NotRequired, TypedDict

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from workup.envs.views.registration import environment_id

SIZES = (1, 64, 4096)
_CHUNK = 256
"""Single-environment steps timed between two looks at the clock."""


class Learning(TypedDict):
    """The environment's share of the wall time of `MaskablePPO.learn`, spent in its step and reset."""

    share: float
    frames_per_s: float
    env_steps_per_s: float


class SpeedBench(TypedDict):
    """What `workup bench speed --json` writes; by numbers of environments."""

    scenario: str
    view: str
    ratios: dict[str, float]
    """To CartPole in the same run."""
    cartpole_steps_per_cpu_s: float
    steps_per_cpu_s: dict[str, float]
    memory_mb: dict[str, float]
    """What the environment and one step's results hold."""
    learning: NotRequired[Learning]


def speed(
    scenario: str = "weight_loss",
    view: Literal["raw", "belief"] = "raw",
    seconds: float = 12.0,
    sizes: tuple[int, ...] = SIZES,
) -> SpeedBench:
    """Steps per CPU second of a scenario relative to `gym.make("CartPole-v1")` in the same run.

    Args:
        scenario: id of a scenario that comes with workup.
        view: what is observed.
        seconds: CPU seconds spent, shared by all measurements; five rounds are interleaved and medians taken.
        sizes: numbers of environments; 1 goes through `gym.make`.
    """
    rounds = 5
    share = seconds / rounds / (len(sizes) + 1)
    name = environment_id(scenario)
    runs: dict[str, Callable[[float], float]] = {"cartpole": single_rate(gym.make("CartPole-v1"), any_action)}
    memory = {str(size): _memory_mb(name, view, size) for size in sizes if size > 1}
    runs |= {str(size): rate_of(name, view, size) for size in sizes}
    for run in runs.values():
        run(0.05)  # compile, and warm the caches
    rates: dict[str, list[float]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            rates[key].append(run(share))
    steps = {key: statistics.median(found) for key, found in rates.items()}
    base = steps.pop("cartpole")
    ratios = {
        key: statistics.median(a / b for a, b in zip(rates[key], rates["cartpole"], strict=True)) for key in steps
    }
    return {
        "scenario": scenario,
        "view": view,
        "ratios": ratios,
        "cartpole_steps_per_cpu_s": base,
        "steps_per_cpu_s": steps,
        "memory_mb": memory,
    }


def learning_share(
    scenario: str = "weight_loss", num_envs: int = 1024, steps: int = 65_536, view: Literal["raw", "belief"] = "belief"
) -> Learning:
    """The environment's share of the wall time of `MaskablePPO.learn`."""
    from sb3_contrib import MaskablePPO

    from workup.envs.views.sb3 import JourneyVecEnv

    env = JourneyVecEnv(scenario, num_envs, view=view, score="posterior", seed=0)
    env.step(np.zeros(num_envs, np.int64))  # compile
    spent = _Stopwatch()
    for method in ("step", "reset"):
        setattr(env, method, spent.around(getattr(env, method)))
    length = 16
    model = MaskablePPO(
        "MlpPolicy", env, n_steps=length, batch_size=num_envs * length // 4, n_epochs=4, seed=0, device="cpu"
    )
    begun = time.perf_counter()
    model.learn(steps)
    total = time.perf_counter() - begun
    return {
        "share": spent.seconds / total,
        "frames_per_s": model.num_timesteps / total,
        "env_steps_per_s": model.num_timesteps / spent.seconds,
    }


class _Stopwatch:
    """Adds up the wall time spent in functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            result = function(*args, **kwargs)
            self.seconds += time.perf_counter() - begun
            return result

        return timed


def single_rate(
    env: gym.Env[Any, Any], choose: Callable[[Any, dict[str, Any], float], Any]
) -> Callable[[float], float]:
    """Rate of one environment. Timing each step would cost as much as the step: the same actions are first chosen
    in a rehearsal from the same state, then replayed against the clock."""
    draws = np.random.default_rng(0)

    def run(seconds: float) -> float:
        spent, steps = 0.0, 0
        while spent < seconds:
            script = _rehearse(env, choose, draws)
            step, reset = env.step, env.reset
            reset(seed=script[0])
            begun = time.process_time()
            for action in script[1]:
                _, _, terminated, truncated, _ = step(action)
                if terminated or truncated:
                    reset()
            spent += time.process_time() - begun
            steps += len(script[1])
        return steps / spent

    return run


def _rehearse(env: gym.Env[Any, Any], choose: Callable[..., Any], draws: np.random.Generator) -> tuple[int, list[Any]]:
    seed = int(draws.integers(2**31))
    _, info = env.reset(seed=seed)
    actions = []
    for u in draws.random(_CHUNK):
        actions.append(choose(env, info, float(u)))
        _, _, terminated, truncated, info = env.step(actions[-1])
        if terminated or truncated:
            _, info = env.reset()
    return seed, actions


def any_action(env: Any, info: dict[str, Any], u: float) -> Any:
    """Any action of a discrete space, by a uniform number."""
    return np.int64(u * env.action_space.n)


def _legal_action(env: Any, info: dict[str, Any], u: float) -> Any:
    legal = np.flatnonzero(info["action_mask"])
    return legal[int(u * len(legal))]


def rate_of(name: str, view: str, size: int) -> Callable[[float], float]:
    """Steps per CPU second of an environment, measured for at least so many CPU seconds; 1 goes through `gym.make`."""
    return single_rate(gym.make(name, view=view), _legal_action) if size == 1 else _batch_rate(name, view, size)


def _batch(name: str, view: str, size: int) -> Any:
    return gym.make_vec(name, num_envs=size, vectorization_mode="vector_entry_point", view=view)


def _memory_mb(name: str, view: str, size: int) -> float:
    warm = _batch(name, view, 1)
    warm.reset(seed=0)
    warm.step(np.zeros(1, np.int64))
    gc.collect()
    tracemalloc.start()
    envs = _batch(name, view, size)
    envs.reset(seed=0)
    held = envs.step(np.zeros(size, np.int64))
    memory = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    del held
    return memory


def _batch_rate(name: str, view: str, size: int) -> Callable[[float], float]:
    envs, draws = _batch(name, view, size), np.random.default_rng(0)
    mask: NDArray[np.bool_] = envs.reset(seed=0)[1]["action_mask"]

    def run(seconds: float) -> float:
        nonlocal mask
        spent, steps = 0.0, 0
        while spent < seconds:
            actions = legal_actions(mask, draws)
            begun = time.process_time()
            _, _, _, _, info = envs.step(actions)
            spent += time.process_time() - begun
            mask = info["action_mask"]
            steps += size
        return steps / spent

    return run


def legal_actions(mask: NDArray[np.bool_], draws: np.random.Generator) -> NDArray[np.int64]:
    """One legal action for each row of (n, A), all equally likely."""
    count = mask.sum(axis=1)
    pick = (draws.random(len(mask)) * count).astype(np.int64)
    return np.argmax(mask.cumsum(axis=1) > pick[:, None], axis=1)
