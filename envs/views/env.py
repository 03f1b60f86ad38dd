"""One journey at a time, as a Gymnasium environment."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from workup.envs.compile.recorded import population_of, refuse_view_of
from workup.envs.engine.engine import Engine
from workup.envs.engine.state import EngineState
from workup.envs.engine.types import Autoreset, Budget
from workup.envs.model.codes import NO_SUCH_ACTION
from workup.envs.model.population import Population
from workup.envs.model.world import World
from workup.envs.views.registration import scenario_folders
from workup.errors import UnknownNameError, WorkupError, suggestion

if TYPE_CHECKING:
    from workup.envs.views.text import Story


def make_engine(
    scenario: str | Path | World | Population | None,
    num_envs: int,
    *,
    view: Literal["raw", "belief"] = "raw",
    results: Literal["at_once", "delayed"] = "at_once",
    score: Literal["truth", "posterior"] = "truth",
    preset: str = "complex_decision",
    weights: Mapping[str, float] | None = None,
    budget: Budget | Mapping[str, float] | None = None,
    switched_off: Iterable[str] = (),
    gbp_per_qaly: float | None = None,
    perspective: str | None = None,
    split: Literal["train", "test"] | None = None,
    seed: int = 0,
    first_patient: int = 0,
    max_steps: int | None = None,
    autoreset: Autoreset = "none",
) -> Engine:
    """The engine behind every environment.

    Args:
        scenario: an id, a path, a compiled world or a population (then preset, weights and switched_off are its own).
        num_envs: journeys side by side.
        view: what is observed; `belief` adds the exact posterior.
        results: at once, or pending until one waits.
        score: whether the end is charged by the patient's own state or by its posterior expectation.
        preset: which of the scenario's rewards.
        weights: {component: weight} that replace the preset's.
        budget: hard limits, e.g. {"cost_gbp": 500, "tests": 3}.
        switched_off: availability mechanisms to disable.
        gbp_per_qaly: pounds that a QALY counts, instead of the scenario's.
        perspective: 'nhs' or 'patient', whose costs count, instead of the scenario's.
        split: which recorded patients, where the scenario has them (an imported table): train by default, or test.
        seed: of the patients.
        first_patient: id of the first.
        max_steps: steps to truncation, instead of the scenario's (twice as many with delayed results).
        autoreset: what happens when a journey ends.

    Raises:
        WorkupError: anything that does not exist or cannot be, with what is expected.

    Examples:
        >>> import workup
        >>> engine = workup.make_engine("tutorial", 256, view="belief", seed=1)
        >>> step = engine.step(engine.mask.argmax(axis=1))  # the first legal action of each journey
        >>> step.observation.shape, step.observation.dtype, step.reward.shape  # rewards in pounds
        ((256, 39), dtype('float32'), (256,))
    """
    who = _who(
        scenario, split, {"gbp_per_qaly": gbp_per_qaly, "perspective": perspective}, preset=preset,
        weights=tuple(sorted((weights or {}).items())), switched_off=tuple(sorted(switched_off)),
    )  # fmt: skip
    return Engine(
        who, num_envs, seed=seed, first_patient=first_patient, view=view, results=results, score=score,
        budget=_budget(budget), autoreset=autoreset, max_steps=max_steps,
    )  # fmt: skip


def _who(
    scenario: str | Path | World | Population | None,
    split: Literal["train", "test"] | None,
    view: Mapping[str, float | str | None],
    **settings: Any,
) -> Population:
    """Who is met: of a compiled world its own, of an id or path compiled as asked."""
    if scenario is None:
        raise WorkupError(
            f"which scenario? give scenario='tutorial', a path, or another of: {', '.join(scenario_folders())}"
        )
    refuse_view_of(scenario, view)
    if isinstance(scenario, World | Population):
        return Population.of(scenario)
    return _population(str(scenario), split, **view, **settings)


@lru_cache(maxsize=16)
def _population(
    scenario: str, split: Literal["train", "test"] | None, *, weights: tuple[tuple[str, float], ...], **settings: Any
) -> Population:
    """Environments of one scenario share one immutable world."""
    return population_of(scenario, split=split, weights=dict(weights) or None, **settings)


def _budget(budget: Budget | Mapping[str, float] | None) -> Budget | None:
    if budget is None or isinstance(budget, Budget):
        return budget
    unknown = set(budget) - set(asdict(Budget()))
    if unknown:
        raise UnknownNameError(f"budget has {', '.join(sorted(unknown))}; expected cost_gbp, dose_msv or tests")
    return Budget(**budget)  # type: ignore[arg-type]


def known_options(options: Mapping[str, Any] | None, known: Sequence[str]) -> None:
    """Raises UnknownNameError for an option of `reset` that does not exist."""
    for name in options or ():
        if name not in known:
            raise UnknownNameError(f"reset has no option {name!r}{suggestion(str(name), known)}")


def chosen_patient(patient: Any) -> int:
    """Raises WorkupError where the option "patient" is no patient's id."""
    if not isinstance(patient, (int, np.integer)) or patient < 0:
        raise WorkupError(f"options['patient'] is {patient!r}; expected a patient's id, an integer from 0")
    return int(patient)


def observation_space(engine: Engine) -> spaces.Box:
    """float32 in [-1, 1]; `engine.observation_names` says what stands where."""
    return spaces.Box(-1.0, 1.0, (len(engine.observation_names),), np.float32)


@dataclass(frozen=True, eq=False)
class JourneyState:
    """Where a `JourneyEnv` stands."""

    engine: EngineState
    mask: NDArray[np.bool_]
    next: int
    """The patient of the next reset."""
    ended: bool
    story: Story | None


_END = ("patient", "condition", "decision", "right", "steps", "tests", "clock_h", "cost_gbp", "dose_msv")
"""What `Engine.ended` tells of an end as plain values, beside the complications."""
_ROWS = ("_results", "_observation_row", "_mask_row", "_components_row", "_flags_row")


class JourneyEnv(gym.Env[NDArray[np.float32], np.int64]):
    """A patient's diagnostic journey.

    Observation: Box(P,), float32 in [-1, 1], named by `observation_names`. Action: Discrete(A), named by
    `action_names`; `action_masks()` and `info["action_mask"]` say which are legal. Reward: pounds, the sum of
    `info["cost"]`, `["harm"]`, `["delay"]` and `["utility"]`. Termination: a decision. Truncation: after `max_steps`,
    the scenario's (twice as many with delayed results). At the end `info["journey_end"]` tells what was hidden.

    `spec.max_episode_steps` is None, because Gymnasium would set its own limit on top, which calls a decision in the last
    step truncated and knows nothing of the settings; `max_steps` has the number. `spec.reward_threshold` is None, because
    what is possible depends on the settings too: `workup solve` works it out.

    Example:
        env = gymnasium.make("workup/WeightLoss-v0", view="belief")
        observation, info = env.reset(seed=1, options={"patient": 7})
    """

    metadata = {"render_modes": ["ansi", "human", "rgb_array"], "render_fps": 1}  # Gymnasium's own way

    def __init__(
        self,
        scenario: str | Path | World | Population | None = None,
        *,
        render_mode: Literal["ansi", "rgb_array", "human"] | None = None,
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        """Settings are those of `make_engine`."""
        self.engine = make_engine(scenario, 1, seed=seed or 0, **settings)
        self.render_mode, self.max_steps = render_mode, self.engine.max_steps
        self.observation_space = cast(Any, observation_space(self.engine))
        self.action_space = spaces.Discrete(len(self.engine.action_names))
        self.observation_names, self.action_names = self.engine.observation_names, self.engine.action_names
        self._mask = self.engine.mask[0]
        self._seeded = seed is not None
        self._next = self.engine.first_patient
        self._ended = True
        self._story: Story | None = None
        # Arrays made or indexed at every step would cost more than the step.
        self._action, self._patient = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self._take_results()

    def _take_results(self) -> None:
        """Arrays that the engine writes into, and the rows of them that a step hands out."""
        self._results = self.engine.results()
        self._observation_row, self._mask_row = self._results.observation[0], self._results.mask[0]
        self._components_row, self._flags_row = self._results.components[0], self._results.flags[:, 0]

    def __getstate__(self) -> dict[str, Any]:
        """All but the rows, which a copy would tear from their arrays."""
        return {name: value for name, value in vars(self).items() if name not in _ROWS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._take_results()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin the next patient; a seed begins again at the first.

        Args:
            seed: patients of this seed, from the first; without one ever given, a seed is drawn.
            options: {"patient": id} picks a patient; the next ones follow it.
        """
        if seed is not None or not self._seeded:
            super().reset(seed=seed)
            seed = int(self.np_random.integers(2**31)) if seed is None else seed
            self._seeded = True
            self._next = self.engine.first_patient
        known_options(options, ("patient",))
        chosen = self._next if options is None else chosen_patient(options.get("patient", self._next))
        self._next = chosen + 1
        self._patient[0] = chosen
        self.engine.reset(seed=seed, patients=self._patient)
        self._ended = False
        observation, mask = self.engine.shown()
        self._mask = mask[0]
        if self.render_mode is not None:
            self._story = _begin_story(self.engine)
        if self.render_mode == "human":
            self.render()
        return observation[0], {"action_mask": self._mask}

    def step(self, action: np.int64 | int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """One action; a masked one changes nothing, costs nothing and sets `info["illegal"]`."""
        if self._ended:
            raise gym.error.ResetNeeded("the journey has ended (or has not begun); call reset() first")
        self._action[0] = action if action >= 0 else NO_SUCH_ACTION
        self._ended = self.engine.advance(self._action, self._results)
        self._mask = mask = self._mask_row.copy()
        cost, harm, delay, utility = self._components_row.tolist()
        terminated, truncated, illegal = self._flags_row.tolist()
        info: dict[str, Any] = {
            "action_mask": mask,
            "illegal": illegal,
            "cost": cost,
            "harm": harm,
            "delay": delay,
            "utility": utility,
        }
        if self._ended:
            info["journey_end"] = journey_end(self.engine, 0)
        if self._story is not None:
            self._story.add(self.engine, int(action), self._results.step(self._ended))
        if self.render_mode == "human":
            self.render()
        return self._observation_row.copy(), self._results.reward.item(), terminated, truncated, info

    def get_state(self) -> JourneyState:
        """A copy of where the journey stands, for `set_state`: to look ahead and come back.

        What is met ahead is this very patient: the same order brings the same result each time.
        """
        told = None if self._story is None else replace(self._story, moments=list(self._story.moments))
        return JourneyState(self.engine.get_state(), self._mask.copy(), self._next, self._ended, told)

    def set_state(self, state: JourneyState) -> None:
        """Go on from there, in this environment or in one made with the same settings.

        Raises:
            WorkupError: no state of a `JourneyEnv`, or one of another scenario or of other settings.
        """
        if not isinstance(state, JourneyState):
            raise WorkupError(
                f"the state is of type {type(state).__name__}; expected what get_state() of a JourneyEnv gave"
            )
        self.engine.set_state(state.engine)
        self._mask, self._next, self._ended, self._seeded = state.mask.copy(), state.next, state.ended, True
        self._story = None if state.story is None else replace(state.story, moments=list(state.story.moments))

    def action_masks(self) -> NDArray[np.bool_]:
        """(A,) legal actions, as sb3-contrib asks for them."""
        return self._mask

    def render(self) -> Any:
        """The journey so far: text (`ansi`), the same printed (`human`), or a picture (`rgb_array`: (height, width, 3)
        uint8)."""
        from workup.envs.views.text import as_picture, as_text

        if self._story is None:
            raise gym.error.ResetNeeded("nothing to show: give render_mode='ansi' or 'rgb_array', and reset() first")
        if self.render_mode == "rgb_array":
            return as_picture(self._story)
        if self.render_mode == "ansi":
            return as_text(self._story)
        sys.stdout.write(f"{as_text(self._story)}\n")
        return None


def _begin_story(engine: Engine) -> Story:
    from workup.envs.views.text import Story

    return Story.begin(engine)


def journey_end(engine: Engine, slot: int) -> dict[str, Any]:
    """What was hidden, told once the journey has ended: plain values."""
    facts, world = engine.ended_one(slot), engine.world
    decision = facts["decision"]
    facts["condition"] = world.model.conditions[facts["condition"]]
    facts["decision"] = None if decision < 0 else world.decisions[decision]
    return facts


def journey_ends(engine: Engine, slots: NDArray[np.int64]) -> dict[str, list[Any]]:
    """`journey_end` of m slots at once: lists of m."""
    facts, world = engine.ended(slots), engine.world
    happened = facts.pop("complications")
    told = {name: facts[name].tolist() for name in _END}
    told["condition"] = [world.model.conditions[condition] for condition in told["condition"]]
    told["decision"] = [None if decision < 0 else world.decisions[decision] for decision in told["decision"]]
    told["complications"] = [[] for _ in slots]
    for row, z in np.argwhere(happened).tolist():
        told["complications"][row].append(world.complication_names[z])
    return told
