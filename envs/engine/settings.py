"""How an engine plays: chosen once, the same for all its journeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workup.envs.engine.types import Autoreset, Budget
from workup.errors import WorkupError

FROZEN, NEXT_STEP, SAME_STEP = range(3)
"""What becomes of a journey that ended, as the kernel knows it."""
AUTORESET: dict[str, int] = {"none": FROZEN, "next_step": NEXT_STEP, "same_step": SAME_STEP}


@dataclass(frozen=True)
class Settings:
    """Settings of a batch of `num_envs` journeys.

    Raises:
        WorkupError: a batch of no journeys, a negative patient, or an unknown view, mode or score.
    """

    num_envs: int
    first_patient: int = 0
    view: Literal["raw", "belief"] = "raw"
    results: Literal["at_once", "delayed"] = "at_once"
    score: Literal["truth", "posterior"] = "truth"
    budget: Budget | None = None
    autoreset: Autoreset = "none"
    max_steps: int | None = None
    """None: the world's, or twice as many with delayed results: every order may have to be waited for."""

    def __post_init__(self) -> None:
        faults = []
        if self.num_envs < 1:
            faults.append(f"num_envs is {self.num_envs}; expected at least 1")
        if self.first_patient < 0:
            faults.append(f"first_patient is {self.first_patient}; expected 0 or more")
        for name, found, choices in (
            ("view", self.view, ("raw", "belief")),
            ("results", self.results, ("at_once", "delayed")),
            ("score", self.score, ("truth", "posterior")),
            ("autoreset", self.autoreset, tuple(AUTORESET)),
        ):
            if found not in choices:
                faults.append(f"{name} is {found!r}; expected one of {', '.join(choices)}")
        if faults:
            raise WorkupError("\n".join(faults))

    def step_limit(self, of_world: int) -> int:
        """Steps to truncation, given what the world allows where results come at once."""
        if self.max_steps is not None:
            return self.max_steps
        return 2 * of_world if self.results == "delayed" else of_world

    @property
    def tracked(self) -> bool:
        """Whether the exact posterior is kept at every step."""
        return self.view == "belief"

    @property
    def follows_posterior(self) -> bool:
        """Whether it is known at least when a journey ends."""
        return self.tracked or self.score == "posterior"
