"""What is wrong with a scenario that only the compiled model can tell: used by `workup lint`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from workup.envs.compile.compile import compile_world
from workup.envs.compile.targets import evaluate_target
from workup.envs.engine.cases import stated_posterior
from workup.envs.model.facts import compile_when, vocabulary
from workup.envs.model.world import World
from workup.errors import Fault, ScenarioError, WorkupError
from workup.scenarios.language.lint.lint import check
from workup.scenarios.language.reading.yaml_tree import Path as Place
from workup.scenarios.language.reading.yaml_tree import Tree
from workup.scenarios.language.schema import Rule, Scenario

Found = tuple[Place, str]
T = TypeVar("T")


def lint_compiled(path: Path) -> tuple[Fault, ...]:
    """Every fault of the scenario at `path`: those of the language or, where there are none, of the compiled model."""
    try:
        reading, faults = check(path)
    except ScenarioError as error:
        return error.faults
    if faults or reading.scenario is None:
        return faults
    return check_scenario(reading.scenario, reading.tree)


def check_scenario(scenario: Scenario, tree: Tree | None = None, *, path: str = "") -> tuple[Fault, ...]:
    """Every fault of the compiled scenario: what cannot be compiled, conditions on facts that nothing reveals,
    vignettes that cannot occur (with the fact at fault), and calibration targets missed (with by how much).

    Args:
        scenario: as read, without other faults.
        tree: the file as read, for exact lines; without it, those of the nearest figure.
        path: the file named in the faults if there is no tree.
    """
    worlds: list[World] = []
    found = [
        fault
        for preset in scenario.rewards
        for fault in _attempt(("rewards", preset), lambda p: worlds.append(compile_world(scenario, preset=p)), preset)
    ]
    if worlds:
        found += [*_conditions(worlds[0]), *_vignettes(worlds[0]), *_targets(worlds[0])]
    return tuple(dict.fromkeys(_placed(scenario, tree, path, where, message) for where, message in found))


def _attempt(where: Place, action: Callable[[T], object], of: T) -> Iterator[Found]:
    """What `action` finds wrong with `of`."""
    try:
        action(of)
    except WorkupError as error:
        for line in str(error).splitlines():
            yield where, line


def _conditions(world: World) -> Iterator[Found]:
    words = vocabulary(world)
    rules: dict[Place, Rule] = {("guideline", i): rule for i, rule in enumerate(world.scenario.guideline)}
    for name, version in world.scenario.guideline_versions.items():
        rules |= {("guideline_versions", name, "rules", i): rule for i, rule in enumerate(version.rules)}
    for place, rule in rules.items():
        yield from _attempt((*place, "when"), lambda when: compile_when(when, words), rule.when)
    for name, vignette in world.scenario.vignettes.items():
        for i, expectation in enumerate(vignette.expect):
            when = expectation.when
            if when is not None:
                where = ("vignettes", name, "expect", i, "when")
                yield from _attempt(where, lambda when: compile_when(when, words), when)


def _vignettes(world: World) -> Iterator[Found]:
    for name, vignette in world.scenario.vignettes.items():
        yield from _attempt(("vignettes", name), lambda vignette: stated_posterior(world, vignette), vignette)


def _targets(world: World) -> Iterator[Found]:
    for name in world.scenario.targets:
        where = ("targets", name)
        try:
            result = evaluate_target(world, name)
        except WorkupError as error:
            yield where, str(error)
            continue
        if not result.ok:
            kind = "relative" if result.measure == "likelihood_ratio" else "absolute"
            message = (
                f"the model gives a {result.measure.replace('_', ' ')} of {result.value:.4g}; expected "
                f"{result.published:g} within {result.tolerance:g} ({kind}). It is off by {result.off_by:.3g}: change "
                "the tables it rests on"
            )
            yield (*where, "value"), message


def _placed(scenario: Scenario, tree: Tree | None, path: str, where: Place, message: str) -> Fault:
    if tree is not None:
        return tree.fault(where, message)
    dotted = ".".join(map(str, where))
    lines = [of.line for of in scenario.figures for at in (of.path, *of.copies) if f"{at}.".startswith(f"{dotted}.")]
    return Fault(path, min(lines, default=1), message)
