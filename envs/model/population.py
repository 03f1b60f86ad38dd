"""Who is met: what plays takes a population, what reasons takes a world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.envs.model.cases import Cases
from workup.envs.model.world import World
from workup.errors import WorkupError


@dataclass(frozen=True, eq=False)
class Population:
    """Patients drawn from a world's law without end, or cases that were fixed in advance.

    Whatever plays journeys takes one, or a `World`, which stands for everybody whom its law draws.

    Examples:
        >>> import workup
        >>> world = workup.compile_world(workup.load_scenario("tutorial"))
        >>> everybody = workup.Population.of(world)
        >>> everybody.drawn, everybody.patients(3)
        (True, array([0, 1, 2]))
    """

    world: World
    """What actions do and cost, and what agents know."""
    cases: Cases | None = None
    """None: drawn from the world's law, patient by patient of a seed. Else id p is case p modulo their number."""
    law_known: bool = True
    """Whether the world's law is the one that they come from. Of recorded patients it is not: the law was fitted to others
    like them, so there is no true posterior, no luck to take off and no optimum."""

    @classmethod
    def of(cls, who: World | Population) -> Population:
        """Itself, or everybody whom a world's law draws."""
        return who if isinstance(who, Population) else cls(who)

    @property
    def drawn(self) -> bool:
        """Whether they are drawn from the world's law as a whole."""
        return self.cases is None

    def __len__(self) -> int:
        """How many cases there are. Raises WorkupError where patients are drawn: those have no end."""
        return len(self.fixed.hidden)

    @property
    def fixed(self) -> Cases:
        """The cases. Raises WorkupError where patients are drawn from the law."""
        if self.cases is None:
            raise WorkupError(
                f"{self.world.scenario.id} draws its patients from its model; expected recorded patients, such as "
                "`workup import-table` makes"
            )
        return self.cases

    @property
    def condition(self) -> NDArray[np.int64]:
        """(n,) condition of each case. Raises as `fixed`."""
        return self.world.model.condition_of[self.fixed.hidden].astype(np.int64)

    def patients(self, most: int) -> NDArray[np.int64]:
        """(n,) ids of the first patients: `most` of them, or all cases where there are fewer."""
        return np.arange(most if self.cases is None else min(most, len(self)), dtype=np.int64)
