"""The engine against the kernel before it: the same actions, and every byte that comes out compared.

    PYTHONPATH=tests python -m oracle.against [SCENARIO ...] [--generated N] [--steps N] [--envs N]

goes through the scenarios named (by default all that come with workup) and N generated ones, in every mode and with every option
that an engine has, and prints how many steps were compared. It ends at the first byte that differs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.generated import generate, scenario_of

from oracle.engine import Engine as Before
from workup.envs.compile.compile import compile_world
from workup.envs.engine.cases import vignette_cases
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import Budget
from workup.envs.model.cases import Cases
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import ImpossibleEvidence
from workup.scenarios.language.library import load_scenario, shipped_scenarios

Ways = dict[str, Any]
IDLE = -7


def ways_of(world: World) -> Iterator[Ways]:
    """Every view, mode of results, reset and score, with budgets, limits and a vignette's patients spread over them."""
    budgets = (
        None,
        Budget(tests=3),
        Budget(cost_gbp=float(np.sort(world.cost_gbp)[-3:].sum()), dose_msv=float(world.dose_msv.max())),
    )
    vignettes = sorted(world.scenario.vignettes)
    of_vignette = vignette_cases(world, vignettes[0], draws=40) if vignettes else None
    resets, scores = ("none", "next_step", "same_step"), ("truth", "posterior")
    for number, (view, results, autoreset, score) in enumerate(
        product(("raw", "belief"), ("at_once", "delayed"), resets, scores)
    ):
        for extra in range(2):
            yield {
                "view": view,
                "results": results,
                "autoreset": autoreset,
                "score": score,
                "budget": budgets[(number + 2 * extra) % 3],
                "max_steps": 7 if (number + extra) % 5 == 0 else None,
                "seed": number,
                "first_patient": 1000 * extra,
                "cases": of_vignette if extra else None,
            }


def both(world: World, n: int, ways: Ways) -> tuple[Engine, Before]:
    """The engine and the kernel before, made in the same way."""
    chosen = dict(ways)
    cases: Cases | None = chosen.pop("cases")
    return Engine(Population(world, cases), n, **chosen), Before(Population(world, cases), n, **chosen)


def compared(world: World, n: int, steps: int, ways: Ways) -> int:
    """Steps of journeys taken through both, whose every output was the same.

    Raises:
        AssertionError: something differs; says what, and in which scenario and way.
    """
    try:
        return _compared(world, n, steps, ways)
    except AssertionError as difference:
        raise AssertionError(f"{world.scenario.id}, {ways}: {difference}") from difference


def _compared(world: World, n: int, steps: int, ways: Ways) -> int:
    now, before = both(world, n, ways)
    rng = np.random.default_rng(ways["seed"] + 17)
    taken, kept = 0, None
    same("at the start", facts_of(now), facts_of(before))
    for step in range(steps):
        if step == steps // 3:
            begin_anew(now, before, n, rng)
        if step == steps // 2:
            kept = now.get_state(), before.get_state(), rng.bit_generator.state
        taken += one_step(step, now, before, rng)
        if step % 8 == 5 or step == steps - 1:
            same(f"after step {step}", facts_of(now), facts_of(before))
    if kept is not None:
        now.set_state(kept[0])
        before.set_state(kept[1])
        rng.bit_generator.state = kept[2]
        same("set back", facts_of(now), facts_of(before))
        for step in range(steps, steps + 4):
            taken += one_step(step, now, before, rng)
    same("at the end", facts_of(now), facts_of(before))
    return taken


def begin_anew(now: Engine, before: Before, n: int, rng: np.random.Generator) -> None:
    """A seed for each slot, and some slots left as they are."""
    seeds, patients = rng.integers(0, 1 << 40, n), rng.integers(-2, 50, n)
    for engine in (now, before):
        engine.reset(seed=seeds, patients=patients)


def one_step(step: int, now: Engine, before: Before, rng: np.random.Generator) -> int:
    """One step of all journeys, or now and then of some in another order."""
    rows = rng.permutation(now.num_envs)[: now.num_envs // 2] if step % 7 == 3 else None
    mask = before.mask
    actions = choose(mask if rows is None else mask[rows], len(now.world.decisions), rng, stay=step % 4 != 0)
    told = [tell(engine, actions, rows) for engine in (now, before)]
    same(f"step {step}", *told)
    return len(actions)


def tell(engine: Any, actions: NDArray[np.int64], rows: NDArray[np.int64] | None) -> dict[str, Any]:
    """What a step gives, or that it was refused."""
    try:
        step = engine.step(actions, idle=IDLE, rows=rows)
    except ImpossibleEvidence as error:
        return {"refused": str(error)}
    found = step._asdict()
    over = step.terminated | step.truncated
    for name in ("final_observation", "final_mask"):  # elsewhere undefined
        found[name] = found[name][over] if found[name].size else found[name]
    return found


def choose(mask: NDArray[np.bool_], decisions: int, rng: np.random.Generator, *, stay: bool) -> NDArray[np.int64]:
    """Legal actions at random, mostly no decision if `stay`; now and then one that is not legal, or there, or none."""
    wish = rng.uniform(size=mask.shape) * (mask + 1e-6)
    if stay:
        wish[:, mask.shape[1] - decisions :] *= np.where(rng.uniform(size=(len(mask), 1)) < 0.9, 1e-3, 1.0)
    oddity = rng.uniform(size=len(mask))
    actions = np.where(oddity < 0.03, rng.integers(-3, mask.shape[1] + 3, len(mask)), wish.argmax(axis=1))
    return np.where(oddity > 0.98, IDLE, actions).astype(np.int64)


def facts_of(engine: Any) -> dict[str, Any]:
    """All that an engine can be asked for between steps."""
    slots = np.arange(engine.num_envs)
    found = {f"view: {name}": value for name, value in vars(engine.journey_view(observation=True)).items()}
    del found["view: world"]
    found |= {f"some: {name}": value for name, value in vars(engine.journey_view(slots[::2])).items()}
    del found["some: world"]
    found |= {f"ended: {name}": value for name, value in engine.ended(slots).items()}
    found["one"] = engine.ended_one(0)
    asked = ["observation", "mask", "patient", "next_patient", "seeds", "common_seed", "max_steps", "presented"]
    if engine.tracked:
        asked += ["best_expected_utility", "best_open_utility", "condition_posterior"]
        found["beliefs"], found["profiles"] = engine.beliefs(slots)
    return found | {name: getattr(engine, name) for name in asked}


def same(when: str, now: dict[str, Any], before: dict[str, Any]) -> None:
    """Fail where any byte differs."""
    assert now.keys() == before.keys(), f"{when}: {sorted(now)} against {sorted(before)}"
    for name, value in now.items():
        other = before[name]
        if isinstance(value, np.ndarray):
            assert (value.dtype, value.shape) == (other.dtype, other.shape), f"{when}: {name} is of another kind"
            if value.tobytes() != other.tobytes():
                places = np.argwhere(value != other)
                place = tuple(places[0]) if len(places) else ()
                raise AssertionError(f"{when}: {name}{list(place)} is {value[place]!r}, was {other[place]!r}")
        else:
            assert repr(value) == repr(other), f"{when}: {name} is {value!r}, was {other!r}"


def generated_world(seed: int) -> World:
    """A scenario made by chance, with or without what needs care."""
    return compile_world(scenario_of(generate(seed, locks=seed % 2 == 0, amounts=seed % 3 == 0)))


def main() -> None:
    """Compare all that was asked for, and say how much it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", default=list(shipped_scenarios()))
    parser.add_argument("--generated", type=int, default=200)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--envs", type=int, default=48)
    asked = parser.parse_args()
    total, begun = 0, time.process_time()
    for name in asked.scenarios:
        world = compile_world(load_scenario(name))
        taken = sum(compared(world, asked.envs, asked.steps, ways) for ways in ways_of(world))
        total += taken
        print(f"{name}: {taken} steps, every byte the same", flush=True)
    for seed in range(asked.generated):
        world = generated_world(seed)
        total += sum(compared(world, asked.envs // 4, asked.steps // 2, ways) for ways in ways_of(world))
    print(f"{asked.generated} generated scenarios too; {total} steps in {time.process_time() - begun:.0f} CPU s")


if __name__ == "__main__":
    main()
