"""A scenario from a Bayesian network: its observable variables become investigations, the target's states conditions.

The scenario's joint law of the target and all that can be observed is exactly the network's. What is neither is summed
out or becomes a latent finding or an unrevealed comorbidity. Whatever the network does not say (costs, what a decision
is worth) is stated as assumed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import isfinite, prod
from pathlib import Path

from workup.envs.compile.faults import check_scenario
from workup.envs.model.network import Network
from workup.errors import ScenarioError, UnknownNameError, WorkupError, suggestion
from workup.importers.networks.files import load_network
from workup.importers.networks.prices import Price, read_prices
from workup.importers.networks.scenario import ImportedNetwork, ScenarioOfNetwork
from workup.importers.reduction import core_of, reduced
from workup.scenarios.language.lint.lint import faults_of
from workup.scenarios.language.reading.reader import interpret
from workup.scenarios.language.reading.yaml_tree import parse
from workup.scenarios.language.schema import Scenario

MOST_STATES = 2**15
"""Most joint states of the variables that others depend on: a posterior is kept over these for every patient at once."""


def import_network(
    file: Path,
    *,
    target: str,
    tests: str | None = None,
    costs: Path | None = None,
    cost_gbp: float = 10.0,
    wrong_gbp: float = 1000.0,
    id: str | None = None,
) -> ImportedNetwork:
    """Make a scenario of the network in `file`.

    Args:
        file: as `workup.load_network` reads it.
        target: the variable whose states become the conditions.
        tests: 'a,b,panel=c+d': variables that can be observed, or groups of them observed together; None: every
            other variable by itself or, where that is too large, those on which no other depends.
        costs: CSV with a header; columns test and cost_gbp, and if wanted tier, turnaround ('2 h'), discomfort_gbp,
            dose_msv and label. A row for each test and no other.
        cost_gbp: what a test costs where `costs` is None, in pounds.
        wrong_gbp: what deciding for a wrong condition loses, in pounds.
        id: of the scenario; None: the file's name and the target.

    Raises:
        FileFormatError: the network's or the costs' file, with `file:line`.
        UnknownNameError: a target or test that is not in the network, or a cost for what is no test.
        WorkupError: the network is too large for this target and these tests, with its size.
    """
    network = load_network(file)
    groups, only_leaves = _tests(network, target, tests)
    if any(not (isfinite(amount) and amount >= 0) for amount in (cost_gbp, wrong_gbp)):
        raise WorkupError("the default cost and the loss of a wrong decision are 0 pounds or more")
    prices = read_prices(costs, groups) if costs else {name: Price(cost_gbp) for name in groups}
    observed = [name for group in groups.values() for name in group]
    small = reduced(network, target, observed)
    _refuse_if_large(small, network, target, groups)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return ScenarioOfNetwork(small, target, groups, prices).made(
        name=id or f"{file.stem}_{target}", file=file.name, digest=digest, costs=costs, wrong_gbp=wrong_gbp,
        only_leaves=only_leaves,
    )  # fmt: skip


def checked(made: ImportedNetwork, file: str) -> Scenario:
    """The scenario, once the linter has nothing to say of it.

    Args:
        made: as `import_network` returns it.
        file: where it is going to stand, for messages.

    Raises:
        ScenarioError: it cannot be written in the language, mostly because it is too long.
    """
    tree = parse(made.text.encode(), file)
    reading = interpret(tree)
    faults = faults_of(reading)
    if reading.scenario is not None and not faults:
        faults = check_scenario(reading.scenario, tree)
    if faults or reading.scenario is None:
        raise ScenarioError(faults)
    return reading.scenario


def _tests(network: Network, target: str, tests: str | None) -> tuple[dict[str, tuple[str, ...]], bool]:
    """Test -> what it shows, and whether all that none depends on was chosen."""
    if len(network.variable(target).values) < 2:
        raise WorkupError(f"the target {target} has one state only; there is nothing to tell apart")
    if tests is None:
        return _all_or_leaves(network, target)
    groups: dict[str, tuple[str, ...]] = {}
    seen: dict[str, str] = {}
    for part in (part.strip() for part in tests.split(",")):
        name, equals, members = part.partition("=")
        if part in network.by_name or not equals:
            name, members = part, part
        shown = (part,) if part in network.by_name else tuple(m.strip() for m in members.split("+"))
        if name in groups:
            raise WorkupError(f"the test {name!r} is named twice; name each once")
        for member in shown:
            if member not in network.by_name:
                raise UnknownNameError(f"test {name!r}: no variable {member!r}{suggestion(member, network.by_name)}")
            if member == target:
                raise WorkupError(f"test {name!r}: {target} is the target, which no test shows; leave it out")
            if len(network.variable(member).values) < 2:
                raise WorkupError(f"test {name!r}: {member} has one value only, so it shows nothing; leave it out")
            if member in seen:
                raise WorkupError(f"{member} is shown by {seen[member]!r} and {name!r}; expected one test")
            seen[member] = name
        groups[name] = shown
    return groups, False


def _all_or_leaves(network: Network, target: str) -> tuple[dict[str, tuple[str, ...]], bool]:
    listed = [v.name for v in network.variables if v.name != target and len(v.values) > 1]
    if not listed:
        raise WorkupError(f"the network has nothing but {target} to observe")
    if _states(reduced(network, target, listed), target) <= MOST_STATES:
        return {name: (name,) for name in listed}, False
    leaves = _leaves(network, target)
    return {name: (name,) for name in listed if name in leaves} or {name: (name,) for name in listed}, True


def _leaves(network: Network, target: str) -> set[str]:
    """Variables on which no other depends."""
    parents = {parent for v in network.variables for parent in v.parents}
    return {v.name for v in network.variables if v.name not in parents and v.name != target}


def _states(network: Network, target: str) -> int:
    return prod(core_of(network, target).values())


def _refuse_if_large(small: Network, whole: Network, target: str, groups: Mapping[str, Sequence[str]]) -> None:
    core = core_of(small, target)
    if _states(small, target) <= MOST_STATES:
        return
    shown = ", ".join(f"{name} ({size})" for name, size in list(core.items())[:12])
    more = f" and {len(core) - 12} more" if len(core) > 12 else ""
    raise WorkupError(
        f"{target} with {len(groups)} tests: {len(core)} variables on which others depend have "
        f"{_states(small, target):,} joint states: {shown}{more}. Exact posteriors are kept for at most "
        f"{MOST_STATES:,}. Name fewer --tests, first those on which no other variable depends (there are "
        f"{len(_leaves(whole, target))}); whatever is not named is summed out"
    )
