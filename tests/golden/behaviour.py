"""What the engine and its users see, as hashes: any change of a bit is noticed.

`PYTHONPATH=tests python tests/golden/behaviour.py [PART ...]` writes behaviour.json anew, which only a deliberate change of behaviour may do. Beside each
hash stand a few sums: machine code for another processor may round otherwise, so where Python, NumPy, numba or processor
are not those that the file names, the sums are compared to a relative 1e-9 instead.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import llvmlite.binding
import numba
import numpy as np
from numpy.typing import NDArray
from support.generated import generate, scenario_of

from workup.agents.registry import make_agent
from workup.envs.compile.compile import compile_world
from workup.envs.engine.cases import vignette_cases
from workup.envs.engine.engine import Engine
from workup.envs.engine.types import Budget
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.records.journeys import Journeys
from workup.envs.records.run import run_journeys
from workup.errors import ScenarioError
from workup.evaluation.optimum import Bookkeeper
from workup.evaluation.run import run_agents
from workup.evaluation.score import score
from workup.report.explain import explanation
from workup.scenarios.language.library import load_scenario, shipped_scenarios
from workup.scenarios.language.lint.lint import faults_of
from workup.scenarios.language.reading.reader import interpret
from workup.scenarios.language.reading.yaml_tree import parse
from workup.scenarios.language.words.prose import explain

FILE = Path(__file__).with_suffix(".json")
GENERATED = 50
MODES: tuple[Literal["at_once"], Literal["delayed"]] = ("at_once", "delayed")
AGENTS = ("none", "all", "random", "guideline", "voi")
BOUNDED = ("tutorial", "control")
"""Scenarios whose bounds are quick."""

Record = dict[str, Any]


def made_with() -> dict[str, str]:
    """What the bits depend on."""
    features = llvmlite.binding.get_host_cpu_features().flatten()
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "cpu": llvmlite.binding.get_host_cpu_name(),
        "cpu_features": hashlib.sha256(features.encode()).hexdigest()[:16],
    }


def digest(arrays: Sequence[NDArray[Any]]) -> Record:
    """SHA-256 of dtypes, shapes and bytes in turn, and of each array the sum of its sizes and one weighted by place."""
    sha, sums = hashlib.sha256(), []
    for array in arrays:
        plain = np.ascontiguousarray(array)
        sha.update(f"{plain.dtype.str}{plain.shape}".encode() + plain.tobytes())
        flat = np.nan_to_num(plain.astype(np.float64).ravel(), nan=-7.0, posinf=9e9, neginf=-9e9)
        weights = np.cos(np.arange(flat.size) + 1.0)
        sums.append([short(np.abs(flat).sum()), short(flat @ weights)])
    return {"sha256": sha.hexdigest(), "sums": sums}


def short(number: float) -> float:
    """Thirteen digits: enough for a comparison to 1e-9."""
    return float(f"{number:.13g}")


def condensed(record: Record) -> Record:
    """With the sums of all arrays in one row."""
    return {**record, "sums": [[short(column) for column in np.sum(record["sums"], axis=0)]]}


def close(found: Record, kept: Record) -> bool:
    """Whether the sums agree to 1e-9 of what was summed."""
    a, b = np.array(found["sums"]), np.array(kept["sums"])
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= 1e-9 * np.maximum(1.0, np.abs(a[:, :1]))))


def text_digest(text: str) -> Record:
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "sums": [[float(len(text))]]}


# ---------------------------------------------------------------- journeys, step by step


def wander(engine: Engine, steps: int, seed: int, *, stay: bool) -> list[NDArray[Any]]:
    """Legal actions at random, now and then one that is not, or none; `stay`: decisions only where nothing else is left."""
    rng = np.random.default_rng(seed)
    first_decision = len(engine.world.actions) - len(engine.world.decisions)
    told: list[list[NDArray[Any]]] = [[engine.observation, engine.mask]]
    mask = engine.mask
    for _ in range(steps):
        wish = rng.uniform(size=mask.shape) * (mask + 1e-6)
        if stay:
            wish[:, first_decision:] *= 1e-3
        actions = wish.argmax(axis=1).astype(np.int64)
        oddity = rng.uniform(size=len(actions))
        actions = np.where(oddity < 0.02, rng.integers(-3, mask.shape[1] + 2, len(actions)), actions)
        actions = np.where(oddity > 0.99, -1, actions)
        step = engine.step(actions)
        told.append([step.observation, step.mask, step.reward, step.components])
        told[-1] += [step.terminated, step.truncated, step.illegal]
        if step.final_mask.size:
            over = step.terminated | step.truncated
            told[-1] += [step.final_observation[over], step.final_mask[over]]
        mask = step.mask
    ended = engine.ended(np.arange(engine.num_envs))
    view = engine.journey_view()
    told.append([ended[name] for name in sorted(ended)])
    told.append([getattr(view, name) for name in VIEW])
    if engine.tracked:
        told.append([engine.best_expected_utility, engine.condition_posterior])
    return gathered(told)


VIEW = (
    "values", "numbers", "status", "failures", "treated", "ordered_at_h", "clock_h", "visit", "step", "cost_gbp", "dose_msv",
    "tests", "waiting_h", "progression_h", "mask",
)  # fmt: skip


def gathered(told: list[list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Arrays of one kind, of all steps, flat in one."""
    kinds: dict[tuple[int, str], list[NDArray[Any]]] = {}
    for arrays in told:
        for place, array in enumerate(arrays):
            kinds.setdefault((place, array.dtype.str), []).append(array.ravel())
    return [np.concatenate(kinds[kind]) for kind in sorted(kinds)]


def engines(world: World, n: int) -> Iterator[tuple[str, Engine, bool]]:
    """Every view and mode of results, with what else an engine can be asked for spread over them."""
    tests = Budget(tests=3)
    money = Budget(cost_gbp=float(np.sort(world.cost_gbp)[-3:].sum()), dose_msv=float(world.dose_msv.max()))
    vignettes = sorted(world.scenario.vignettes)
    cases = vignette_cases(world, vignettes[0], draws=40) if vignettes else None
    modes: list[tuple[str, dict[str, Any], bool]] = [
        ("next step", {"autoreset": "next_step"}, False),
        ("every order", {"autoreset": "next_step", "seed": 5, "first_patient": 1000}, True),
        ("by posterior, same step", {"autoreset": "same_step", "score": "posterior"}, False),
        ("tests limited", {"autoreset": "next_step", "budget": tests}, True),
        ("money and dose limited", {"autoreset": "same_step", "budget": money, "max_steps": 9}, True),
    ]
    if cases is not None:
        modes.append(("a vignette's patients", {"autoreset": "next_step", "cases": cases}, True))
    for view in ("raw", "belief"):
        for results in ("at_once", "delayed"):
            for name, settings, stay in modes:
                chosen = {"seed": 3, **settings}
                who = Population(world, chosen.pop("cases", None))
                engine = Engine(who, n, view=view, results=results, **chosen)
                yield f"{view}, {results}, {name}", engine, stay


def steps_of(world: World, n: int, steps: int) -> dict[str, Record]:
    return {
        name: digest(wander(engine, steps, seed, stay=stay))
        for seed, (name, engine, stay) in enumerate(engines(world, n))
    }


# ---------------------------------------------------------------- journeys, whole


def whole_journeys(name: str, n: int) -> dict[str, Record]:
    world, found = compile_world(load_scenario(name)), {}
    for name in AGENTS:
        for results in MODES:
            agent = make_agent(name, world, seed=1)
            patients = np.arange(n, dtype=np.int64)
            journeys = run_journeys(
                world, agent, name=name, patients=patients, seed=2, results=results, record=True, batch=48
            )
            found[f"{name}, {results}"] = digest(journey_arrays(journeys))
    return found


def journey_arrays(journeys: Journeys) -> list[NDArray[Any]]:
    arrays = {name: of for name, of in sorted(vars(journeys).items()) if isinstance(of, np.ndarray)}
    if np.array_equal(journeys.v0, journeys.v0_open, equal_nan=True):  # nothing is required; it came after most records
        del arrays["v0_open"]
    del arrays["best_at_end"]  # of acts and utilities that are all here; it came after most records
    events = dict(vars(journeys.events))
    if (events["propensity"] == 1.0).all():  # of an agent that draws nothing; the column came after most records
        del events["propensity"]
    return [*arrays.values(), *(events[name] for name in sorted(events))]


def evaluation(world: World, n: int, *, bounded: bool) -> Mapping[str, Any]:
    agents = {name: make_agent(name, world, seed=0) for name in AGENTS}
    journeys = run_agents(world, agents, patients=n, seed=0)
    possible = Bookkeeper(world).possible(patients=n, seed=0, asked=True) if bounded else (None, None, None)
    bounds, refusal, plan = possible
    return score(journeys, bounds, refusal=refusal, plan=plan).as_json()


def numbers_in(tree: Any) -> Iterator[float]:
    """All numbers of a JSON tree, in order of its keys; what is None counts as -7."""
    if isinstance(tree, Mapping):
        for key in sorted(tree):
            yield from numbers_in(tree[key])
    elif isinstance(tree, list | tuple):
        for each in tree:
            yield from numbers_in(each)
    elif tree is None:
        yield -7.0
    elif isinstance(tree, int | float):
        yield float(tree)


# ---------------------------------------------------------------- what is said


def damaged(text: str) -> Iterator[str]:
    """The text with a line dropped, a number changed or a word misspelt, at places spread over it."""
    lines = text.splitlines(keepends=True)
    for share in range(12):
        at = 6 + share * (len(lines) - 7) // 12
        mend = [*lines[:at]]
        if share % 3 == 1:
            mend.append(lines[at].replace("0.", "1.").replace("5", "x"))
        elif share % 3 == 2:
            mend.append(lines[at].replace("e", "ee", 1))
        yield "".join([*mend, *lines[at + 1 :]])


def faults(path: Path) -> str:
    # The mark at the end is left off: where the damage falls depends on the number of lines.
    text = path.read_text(encoding="utf-8").removesuffix("...\n")
    return "\n\n".join("\n".join(faults_in(each)) for each in [text, *damaged(text)])


def faults_in(text: str) -> list[str]:
    try:
        return [str(fault) for fault in faults_of(interpret(parse(text.encode(), "scenario.yaml")))]
    except ScenarioError as error:
        return [str(fault) for fault in error.faults]


# ---------------------------------------------------------------- all of it


def parts() -> dict[str, Callable[[], Record]]:
    """Each part of the file by its name: a test each."""
    found: dict[str, Callable[[], Record]] = {}
    for name in shipped_scenarios():
        found[f"steps of {name}"] = partial(steps_of_scenario, name)
        found[f"journeys of {name}"] = partial(whole_journeys, name, 60)
        found[f"evaluation of {name}"] = partial(evaluation_of, name)
        found[f"words of {name}"] = partial(words_of, name)
    for first in range(0, GENERATED, 10):
        found[f"steps of generated scenarios {first} to {first + 9}"] = partial(steps_of_generated, first)
    return found


def steps_of_scenario(name: str) -> Record:
    return steps_of(compile_world(load_scenario(name)), 60, 60)


def steps_of_generated(first: int) -> Record:
    return {
        f"{seed}: {name}": condensed(record)
        for seed in range(first, first + 10)
        for name, record in steps_of(
            compile_world(scenario_of(generate(seed, locks=False, amounts=False))), 16, 30
        ).items()
    }


def evaluation_of(name: str) -> Record:
    found = evaluation(compile_world(load_scenario(name)), 40, bounded=name in BOUNDED)
    return {"json": {"sha256": None, "sums": [[short(number)] for number in numbers_in(found)]}}


def words_of(name: str) -> Record:
    return {
        "explain": text_digest(explain(load_scenario(name))),
        "page": text_digest(explanation(load_scenario(name), "workup explain")),
        "faults": text_digest(faults(scenario_file(name))),
    }


def scenario_file(name: str) -> Path:
    import workup.scenarios

    return Path(workup.scenarios.__path__[0]) / name / "scenario.yaml"


def text_of(kept: Record) -> str:
    """JSON with a line a record, so that a change shows which records it moved."""
    parts = []
    for part, records in kept.items():
        lines = [f"{json.dumps(name)}:{json.dumps(record, separators=(',', ':'))}" for name, record in records.items()]
        parts.append(f"{json.dumps(part)}:{{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


ANYWHERE = ("words of ", "evaluation of ")


def main(only: Sequence[str]) -> None:
    """All parts, or those named, the others being left as they are: on the machine that made them, but for parts in which no
    hash hangs on how a machine rounds."""
    kept = {"made with": made_with()}
    if only:
        kept = json.loads(FILE.read_text(encoding="utf-8"))
        here = kept["made with"] == made_with() or all(name.startswith(ANYWHERE) for name in only)
        assert here, "the file was made on another machine; write all of it anew"
    kept |= {name: make() for name, make in parts().items() if not only or name in only}
    FILE.write_text(text_of(kept), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
