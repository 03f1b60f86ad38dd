"""What an agent sees and must do: one small, batch-first interface for exact, rule-based and learned agents.

An agent's knowledge is a `World` of its own: the true one, or the same scenario compiled with noise. It
reads codes of revealed values, so both worlds must list the same observables, items and actions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from workup.envs.engine.types import JourneyView
from workup.envs.model.codes import PENDING
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.errors import WorkupError

Needs = Literal["raw", "belief", "posterior"] | None
"""What an agent reads beside revealed facts: the raw or the belief observation; or `view.condition_posterior`, the exact posterior
that the engine follows, with the belief observation."""


class Agent(Protocol):
    """Chooses the next action for each journey of a batch, from what has been revealed alone.

    Anything with these three members is one; it need not inherit from this class.
    One that offers `probabilities` (see `StochasticAgent`) is asked for these instead of `act`.

    Examples:
        >>> import workup
        >>> class FirstLegal:
        ...     name, needs = "first legal", None
        ...
        ...     def act(self, view):
        ...         return view.mask.argmax(axis=1)
        >>> workup.evaluate("tutorial", FirstLegal(), patients=10).agents["first legal"].truncated.mean
        0.0
    """

    @property
    def name(self) -> str:
        """What records and tables call it."""
        ...

    @property
    def needs(self) -> Needs:
        """What it reads from `view.observation` and `view.condition_posterior`, if anything."""
        ...

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """Actions for a batch.

        Args:
            view: revealed facts of n journeys (see `JourneyView`).

        Returns:
            (n,) int64 action indices, each legal under `view.mask`.
        """
        ...


class StochasticAgent(ABC):
    """An agent that says how likely each action is; `run_journeys` draws (`agents.acting.take`) and records the propensity."""

    name: str
    needs: Needs

    @abstractmethod
    def probabilities(self, view: JourneyView) -> NDArray[np.float64]:
        """Probabilities of the actions for a batch.

        Args:
            view: revealed facts of n journeys (see `JourneyView`).

        Returns:
            (n, A) float64, finite and at least 0, rows sum to 1, 0 where `view.mask` is False.
        """

    def act(self, view: JourneyView) -> NDArray[np.int64]:
        """Always raises WorkupError: which action it is depends on the patient, whom the view does not name."""
        raise WorkupError(
            f"the actions of {self.name} are drawn, for a patient of a seed; "
            "use workup.agents.acting.take(agent, view, seed=..., patients=...), or run_journeys"
        )


Progress = Callable[[float, str], None]
"""Told how much of a fit is done, 0 to 1, and in words where it stands."""


@dataclass(frozen=True)
class Effort:
    """How long a learner may learn, whichever limit comes first; None is no limit. One that ends by itself needs neither."""

    seconds: float | None = None
    """Of wall-clock time, compiling left out."""
    steps: int | None = None
    """Of environments."""


class Learner(Protocol):
    """Whatever is fitted to patients and then acts. A module lists its own in `LEARNERS`."""

    @property
    def name(self) -> str:
        """What `workup train --agent` calls it, and the `kind` in the header of what it saves."""
        ...

    @property
    def extra(self) -> str | None:
        """The optional dependencies of workup that fitting needs, as in `pip install 'workup[extra]'`."""
        ...

    @property
    def ends_by_itself(self) -> bool:
        """Whether a fit takes a minute at most whatever the effort, so that it can be asked for by name alone."""
        ...

    @property
    def needs_rows(self) -> bool:
        """Whether it learns from recorded patients only."""
        ...

    def fit(self, population: Population, *, out: Path, seed: int, effort: Effort, progress: Progress) -> Agent:
        """Learn, and leave in `out` what `load` reads; called again after a kill, go on where it stopped.

        Args:
            population: the training patients.
            out: a folder of its own.
            seed: of everything random; an evaluation with the same seed meets other patients.
            effort: how long.
            progress: told now and then; its last words are the summary.

        Raises:
            WorkupError: a population or effort that it cannot learn from, or optional packages that are missing.
        """
        ...

    def load(self, directory: Path, world: World) -> Agent:
        """What `fit` left there. Raises FileFormatError for anything else, or another scenario."""
        ...


class AgentFactory(Protocol):
    """What a module lists in `AGENTS` under an agent's name."""

    def __call__(self, world: World, *, seed: int) -> Agent:
        """An agent for `world`; `seed` matters only to agents that draw random numbers."""
        ...


class AgentMaker(Protocol):
    """What a module lists in `MADE_OF` under an agent's name: it is made of what follows that name and a colon."""

    def __call__(self, world: World, asked: str, *, seed: int, make: Callable[[str], Agent]) -> Agent:
        """The agent that `NAME:ASKED` names; `asked` is empty where the name stands alone. `make` gives any other agent by name.
        Raises WorkupError if that is none."""
        ...


def decision_actions(world: World) -> NDArray[np.int64]:
    """(D,) int64 index of the action that takes each decision."""
    first = len(world.actions) - len(world.decisions)
    return np.arange(first, len(world.actions), dtype=np.int64)


def pending_items(view: JourneyView) -> NDArray[np.bool_]:
    """(n,) whether anything ordered has not come back."""
    return np.asarray((view.status == PENDING).any(axis=1))


def choose_first(mask: NDArray[np.bool_], preference: Sequence[int]) -> NDArray[np.int64]:
    """The first legal action of a list of preferences.

    Args:
        mask: (n, A) legal actions.
        preference: action indices, best first.

    Returns:
        (n,) int64 action, or -1 where none of them is legal.
    """
    order = np.asarray(preference, dtype=np.int64)
    if order.size == 0:
        return np.full(len(mask), -1, dtype=np.int64)
    legal = mask[:, order]
    return np.where(legal.any(axis=1), order[legal.argmax(axis=1)], -1)
