"""Where everything stands: which core variables make the profile and which the hidden state, and table rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from workup.envs.compile.laws import Laws
from workup.envs.model.codes import Rows
from workup.errors import WorkupError
from workup.scenarios.language.tables import Table

MAX_STATES = 2_000_000
"""Most cells (profile x hidden state) a scenario may have."""
MAX_TABLE_CELLS = 20_000_000
"""Most numbers in one kind of table."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Layout:
    """The mixed-radix numbering of profiles and hidden states, and the order of observables.

    Raises:
        WorkupError: more than MAX_STATES cells, with the variables and their sizes.
    """

    laws: Laws
    profile: tuple[str, ...]
    hidden: tuple[str, ...]
    n_at_start: int
    """How many of the profile variables are known at the start."""
    observables: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.n_profiles * self.n_hidden > MAX_STATES:
            sizes = [f"{name} ({self.laws.size(name)})" for name in (*self.profile, *self.hidden)]
            raise WorkupError(
                f"{self.n_profiles:,} profiles x {self.n_hidden:,} hidden states are too many (at most {MAX_STATES:,} "
                f"together); use fewer values for, or let fewer figures depend on: {', '.join(sizes)}"
            )

    @property
    def n_profiles(self) -> int:
        """K."""
        return prod(self.laws.size(name) for name in self.profile)

    @property
    def n_hidden(self) -> int:
        """H."""
        return prod(self.laws.size(name) for name in self.hidden)

    def role(self, name: str) -> str:
        """'profile', 'hidden' or 'leaf'."""
        return "profile" if name in self.profile else "hidden" if name in self.hidden else "leaf"

    def stride(self, name: str) -> tuple[int, int]:
        """What one step of a core variable adds to k and to h."""
        for part, names in enumerate((self.profile, self.hidden)):
            if name in names:
                step = prod(self.laws.size(other) for other in names[names.index(name) + 1 :])
                return (step, 0) if part == 0 else (0, step)
        raise WorkupError(f"{name} is not a core variable")

    def of_profile(self, name: str) -> Ints:
        """(K,) value of a core variable in each profile; zeros if it is hidden."""
        step = self.stride(name)[0]
        return _digit(self.n_profiles, step, self.laws.size(name))

    def of_hidden(self, name: str) -> Ints:
        """(H,) value of a core variable in each hidden state; zeros if it belongs to the profile."""
        step = self.stride(name)[1]
        return _digit(self.n_hidden, step, self.laws.size(name))

    def offsets(self, names: Sequence[str], inner: int = 1) -> tuple[Ints, Ints]:
        """(K,) and (H,) row offsets into a table laid over `names` in C order, `inner` rows to each cell."""
        of_k, of_h = np.zeros(self.n_profiles, np.int32), np.zeros(self.n_hidden, np.int32)
        step = inner
        for name in reversed(names):
            of_k += step * self.of_profile(name)
            of_h += step * self.of_hidden(name)
            step *= self.laws.size(name)
        return of_k, of_h

    def spread(self, table: Table) -> Floats:
        """(K, H) a table over core variables, at every profile and hidden state."""
        of_k, of_h = self.offsets(table.parents)
        return np.asarray(table.values.reshape(-1)[of_k[:, None] + of_h[None, :]], dtype=np.float64)

    def cells(self, names: Iterable[str]) -> int:
        """The number of joint values of core variables."""
        return prod(self.laws.size(name) for name in names)


def _digit(n: int, step: int, size: int) -> Ints:
    """(n,) one digit of the mixed-radix numbers 0..n-1; zeros where the step is 0."""
    return (np.arange(n) // step % size if step else np.zeros(n)).astype(np.int32)


class RowStack:
    """Tables of one width laid under each other, and where each entry's rows are found."""

    def __init__(self, layout: Layout, width: int, what: str, fill: float = 0.0) -> None:
        self.layout, self.width, self.what, self.fill = layout, width, what, fill
        self.start: list[int] = []
        self.of_k: list[Ints] = []
        self.of_h: list[Ints] = []
        self._blocks: list[Floats] = []
        self._next = 0

    def add(self, block: Floats, names: Sequence[str], inner: int = 1) -> None:
        """Append an entry: block (rows, at most width), rows over `names` in C order with `inner` rows to each cell."""
        padded = np.full((block.shape[0], self.width), self.fill)
        padded[:, : block.shape[1]] = block
        of_k, of_h = self.layout.offsets(names, inner)
        self.start.append(self._next)
        self.of_k.append(of_k)
        self.of_h.append(of_h)
        self._blocks.append(padded)
        self._next += block.shape[0]
        if self._next * self.width > MAX_TABLE_CELLS:
            raise WorkupError(
                f"the table of {self.what} passes {MAX_TABLE_CELLS:,} numbers at an entry that depends on "
                f"{', '.join(names)}; let it depend on fewer variables, or give these fewer values"
            )

    def rows(self) -> Rows:
        """Where the rows of every entry are."""
        k, h = self.layout.n_profiles, self.layout.n_hidden
        return Rows(
            np.array(self.start, np.int32),
            np.array(self.of_k, np.int32).reshape(len(self.start), k),
            np.array(self.of_h, np.int32).reshape(len(self.start), h),
        )

    def table(self) -> Floats:
        """(rows, width) float64."""
        return np.concatenate(self._blocks) if self._blocks else np.zeros((1, self.width))


def layout_of(laws: Laws) -> Layout:
    """Number the profiles and hidden states of a scenario and order its observables."""
    scenario = laws.scenario
    told = {
        name
        for investigation in scenario.investigations.values()
        if investigation.tier == "history"
        for name in investigation.reveals
    }
    context = [name for name in laws.core if name in scenario.context]
    at_start = [name for name in context if scenario.context[name].known == "at_start"]
    profile = (*at_start, *(name for name in context if name not in at_start and name in told))
    hidden = ("condition", *(name for name in laws.core if name not in profile and name != "condition"))
    revealed = [
        name
        for orderable in laws.items.values()
        for name in sorted(orderable.reveals, key=lambda name: name not in profile)
        if name not in at_start
    ]
    contraindicating = [n for o in laws.items.values() for c in o.contraindicated for n in c.when]
    never = [name for name in contraindicating if name in laws.laws and name not in revealed and name not in at_start]
    return Layout(laws, profile, hidden, len(at_start), tuple(dict.fromkeys((*at_start, *revealed, *never))))


def union(*tables: Sequence[str]) -> tuple[str, ...]:
    """Names in order of first appearance."""
    return tuple(dict.fromkeys(name for names in tables for name in names))


def aligned(table: Floats, own: Sequence[str], names: Sequence[str], trailing: int = 0) -> Floats:
    """`table` with its leading axes `own` moved to the order of `names`, length 1 where it lacks one."""
    present = [name for name in names if name in own]
    order = [own.index(name) for name in present]
    moved = table.transpose([*order, *range(len(own), len(own) + trailing)])
    sizes = dict(zip(present, moved.shape, strict=False))
    return moved.reshape([*(sizes.get(name, 1) for name in names), *moved.shape[len(own) :]])
