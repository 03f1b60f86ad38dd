"""Which figures move what is ordered: every figure screened one step ahead, and the heaviest planned anew.

The screen is cheap. Patients are led through their journeys on the figures as they are; then, with one figure moved, each
situation that they met is looked at again, one step ahead. Where another action is now worth more than the one that
was best before, the difference is what keeping to the old figures loses there. Only the figures that lose most are
planned anew (`workup.sensitivity.replanning`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workup.agents.baselines.guideline import GuidelineAgent
from workup.agents.baselines.voi import VoiAgent
from workup.agents.planning.one_step import OneStep
from workup.envs.compile.compile import compile_world
from workup.envs.model.codes import COMPONENTS
from workup.envs.model.world import World
from workup.envs.records.narrative import action as action_words
from workup.errors import WorkupError
from workup.files import WorkingNotes
from workup.scenarios.language.vocabulary import LanguageError
from workup.sensitivity.perturbation import Candidate, moved, moved_value
from workup.sensitivity.situations import SAMPLED, Situations, met_by

F64 = NDArray[np.float64]

TIE_GBP = 1e-6
"""Actions whose worth differs by less are as good as each other: no change."""


@dataclass(frozen=True)
class Move:
    """One figure moved one way."""

    path: str
    up: bool
    value: float
    """What it was moved to."""


@dataclass(frozen=True)
class Swap:
    """The most frequent change of the first order."""

    before: str
    after: str
    share: float
    """Of all presentations."""


@dataclass(frozen=True)
class Screened:
    """What a moved figure does, looking one step ahead."""

    move: Move
    changed: float
    """Share of presentations whose best first action is another."""
    lost_gbp: float
    """Per patient, summed over the steps of the journeys that were met."""
    stirred_gbp: float
    """How far the best promise moves, likewise: ranks figures that change no order."""
    swap: Swap | None
    vignettes: Mapping[str, float]
    """Vignette -> the same loss for one of its patients."""
    fault: str | None = None
    """Why the moved scenario could not be looked at."""


class Screen:
    """Looks at the same situations under many worlds.

    Raises:
        PlanningRefused: something that cannot be looked at one step ahead.
    """

    def __init__(self, world: World, *, patients: int, seed: int, vignettes: Sequence[str] = ()) -> None:
        """Sampled `patients` of `seed`, and the given vignettes, led by the one-step policy and by the guideline."""
        leaders = (VoiAgent(world), GuidelineAgent(world))
        self.world = world
        self.met: Situations = met_by(world, leaders, patients=patients, seed=seed, vignettes=vignettes)
        self._before = self._promises(world)
        self._chosen = self._before.argmax(axis=1)

    def of(self, scenario_world: World, move: Move) -> Screened:
        """What changes if the world is this one."""
        promises = self._promises(scenario_world)
        rows = np.arange(len(promises))
        lost = promises.max(axis=1) - promises[rows, self._chosen]
        lost = np.where(lost > TIE_GBP, lost, 0.0)
        stirred = np.abs(promises.max(axis=1) - self._before.max(axis=1))
        firsts = self.met.firsts
        by_group = {name: float(weight @ lost) for name, weight in self.met.weight.items()}
        return Screened(
            move,
            changed=float(firsts @ (lost > 0.0)),
            lost_gbp=by_group.pop(SAMPLED),
            stirred_gbp=float(self.met.weight[SAMPLED] @ stirred),
            swap=most_frequent_swap(self.world, self._chosen, promises.argmax(axis=1), firsts * (lost > 0.0)),
            vignettes=by_group,
        )

    def _promises(self, world: World) -> F64:
        """(m, A) pounds against the best decision now."""
        return OneStep(world, keys=True).values(self.met.view, np.arange(len(self.met.view.step)))


def most_frequent_swap(world: World, before: NDArray[np.intp], after: NDArray[np.intp], weight: F64) -> Swap | None:
    """The pair of actions that weighs most among those that changed; None if nothing did.

    Args:
        world: for the names.
        before: (m,) actions.
        after: (m,) actions.
        weight: (m,) share of presentations; 0 where nothing changed.
    """
    shares: dict[tuple[int, int], float] = {}
    for pair, share in zip(zip(before.tolist(), after.tolist(), strict=True), weight.tolist(), strict=True):
        shares[pair] = shares.get(pair, 0.0) + share
    (one, other), share = max(shares.items(), key=lambda entry: entry[1])
    return Swap(action_words(world, one), action_words(world, other), share) if share > 0.0 else None


def screen_all(
    world: World,
    found: Sequence[Candidate],
    screen: Screen,
    *,
    factor: float,
    notes: WorkingNotes,
    progress: Callable[[int], None] | None = None,
) -> dict[str, tuple[Screened, Screened]]:
    """Every candidate moved down and up, by path.

    Args:
        world: as it is.
        found: the candidates.
        screen: of this world.
        factor: as in `moved`.
        notes: what is in them is not done again.
        progress: called with 1 for each candidate done.
    """
    out = {}
    for candidate in found:
        both = [_screen_one(world, candidate, up, screen, factor, notes) for up in (False, True)]
        out[candidate.path] = (both[0], both[1])
        if progress is not None:
            progress(1)
    return out


def _screen_one(
    world: World, candidate: Candidate, up: bool, screen: Screen, factor: float, notes: WorkingNotes
) -> Screened:
    def work() -> dict[str, Any]:
        move = Move(candidate.path, up, moved_value(world.scenario, candidate, up=up, factor=factor))
        try:
            return asdict(screen.of(moved_world(world, candidate, up=up, factor=factor), move))
        except (WorkupError, LanguageError) as fault:
            return asdict(Screened(move, 0.0, 0.0, 0.0, None, {}, fault=str(fault)))

    return screened_from(notes.once(f"screen {candidate.path} {'up' if up else 'down'}", work))


def screened_from(record: Mapping[str, Any]) -> Screened:
    """What `asdict` made of a `Screened`, taken back."""
    swap = None if record["swap"] is None else Swap(**record["swap"])
    return Screened(**{**record, "move": Move(**record["move"]), "swap": swap})


def moved_world(world: World, candidate: Candidate, *, up: bool, factor: float) -> World:
    """The world with one figure moved, compiled as the other was."""
    scenario = moved(world.scenario, candidate, up=up, factor=factor)
    weights = dict(zip(COMPONENTS, world.weights.tolist(), strict=True))
    return compile_world(scenario, preset=world.preset, weights=weights, switched_off=world.switched_off)


def heaviest(screened: Mapping[str, tuple[Screened, Screened]], top: int, vignettes: Sequence[str] = ()) -> list[str]:
    """Paths of the candidates to plan anew: those that lose most, in patients first, then in any vignette.

    Of those that lose nothing, the ones that move what the best action promises most come first.

    Args:
        screened: of all candidates.
        top: how many of each of the two.
        vignettes: those that were screened.
    """

    def by(weigh: Callable[[Screened], float]) -> list[str]:
        worst = {path: max((weigh(one), one.stirred_gbp) for one in both) for path, both in screened.items()}
        return sorted(worst, key=lambda path: tuple(-part for part in worst[path]))[:top]

    of_patients = by(lambda one: one.lost_gbp)
    of_vignettes = by(lambda one: max(one.vignettes.values(), default=0.0)) if vignettes else []
    return list(dict.fromkeys([*of_patients, *of_vignettes]))
