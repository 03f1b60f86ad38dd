"""What a task is: whom it draws, what each modality says of them alone and together, and the exact scores that follow."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.studies.fusion.tasks.records import (
    RISK,
    Missing,
    absences,
    expit,
    kept,
    logit,
    pattern_chance,
    seconds,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
HISTORY: Final = "history"
RISK_RATIO: Final = (float(np.log((1 - RISK[1]) / (1 - RISK[0]))), float(np.log(RISK[1] / RISK[0])))
"""Log-likelihood ratio of a history that names no risk, and of one that does (`Missing`, mar)."""


@dataclass(frozen=True)
class Patients:
    """n patients of a task, with M modalities."""

    label: Ints
    """(n,) 0 or 1."""
    question: Ints | None
    """(n,) what is asked, in [0, questions); None where nothing is."""
    findings: Mapping[str, Floats]
    """Modality -> (n, k) true values, columns as in `Task.columns`, in the record or not."""
    present: Bools
    """(n, M) which modalities the record holds."""
    order: Ints
    """(n, M) indices of these as they came, -1 after the last."""
    history: Floats | None
    """(n, h) what the history says, always in the record; None where it says nothing."""
    exact: Mapping[str, Floats]
    """Message class -> (n,) exact log-odds of label 1, in nats, given what is present.

    joint: the values in the record, history among them, whatever the pattern. joint_with_mask: the pattern too, for a reader who knows
    the policy `same` and how data went missing, whoever ordered; left out where `Task.held` is None and data went missing besides. late: the
    product of what each modality says alone. mean: of the mean of their probabilities. single:X: of modality X alone.
    bottleneck:...: of features fixed before the question. joint_no_history, joint_with_mask_no_history: where the history was recorded
    because `Missing` is mar.
    """


@dataclass(frozen=True)
class Draws:
    """Random numbers of n patients of a seed: each stream by itself, the first patients the same for any n."""

    task: str
    seed: int
    n: int

    def uniform(self, stream: str) -> Floats:
        """(n,) in [0, 1)."""
        return self._of(stream).random(self.n)

    def normal(self, stream: str) -> Floats:
        """(n,) standard normal."""
        return self._of(stream).standard_normal(self.n)

    def coin(self, stream: str, chance: Floats | float = 0.5) -> Ints:
        """(n,) 1 with that chance, else 0."""
        return (self.uniform(stream) < chance).astype(np.int64)

    def graded(self, stream: str, label: Ints, d: float) -> Floats:
        """(n,) a graded finding, N(-d/2 or d/2, 1) by label (n,)."""
        return self.normal(stream) + np.where(label == 1, d / 2, -d / 2)

    def _of(self, stream: str) -> np.random.Generator:
        name = zlib.crc32(f"{self.task} {stream}".encode())
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, name])))


@dataclass(frozen=True)
class Drawn:
    """Who n patients are, whatever of it is in a record."""

    label: Ints
    findings: Mapping[str, Floats]
    question: Ints | None = None
    history: Floats | None = None


@dataclass(frozen=True)
class Evidence:
    """What the findings of n patients say: log-likelihood ratios of label 1 against 0, (n,) each."""

    alone: Mapping[str, Floats]
    """Of each modality to somebody who sees nothing else."""
    together: Floats
    """Of both modalities, and the history, read together."""
    beside_history: Mapping[str, Floats] | None = None
    """Of each modality to somebody who knows the history as well; None where that is no different."""
    bottlenecks: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    """Class -> what each modality still says through features that were fixed before the question."""


def everything(draws: Draws, drawn: Drawn, policy: str) -> Bools:
    """(n, 2) all ordered."""
    return np.ones((draws.n, 2), np.bool_)


@dataclass(frozen=True)
class Task:
    """A question put to two modalities, with a law that is known."""

    name: str
    title: str
    story: str
    """A clinical reading, a paragraph."""
    modalities: tuple[str, str]
    columns: Mapping[str, tuple[str, ...]]
    """Modality -> names of its findings: graded first, then bits in {0, 1}."""
    draw: Callable[[Draws, str], Drawn]
    """The patients, by the streams and the policy."""
    evidence: Callable[[Drawn], Evidence]
    ordered: Callable[[Draws, Drawn, str], Bools] = everything
    """(n, 2) what a policy orders."""
    policies: tuple[str, ...] = ("same",)
    """Whose records there are; a method learns from those of `same`."""
    prevalence: float = 0.5
    held: tuple[float, float] | None = (1.0, 1.0)
    """P(`same` orders the second modality | label 0, label 1), the first being ordered for everybody; None where orders depend on
    findings or on the history."""
    pattern_says: tuple[float, float] = (0.0, 0.0)
    """Where `held` is None: log-likelihood ratio of a second modality that `same` did not order, and of one that it did, given the
    values in the record."""
    first_d: float | None = None
    """Separation of the first column of the first modality where that is N(-d/2 or d/2, 1) by label; journeys go by it."""
    questions: int = 0
    context: Mapping[str, int] = field(default_factory=dict)
    """Modality -> the column that says under what circumstances it or the other was taken, where there is one."""
    costs_gbp: Mapping[str, float] = field(default_factory=dict)
    """Price of each modality, in pounds."""
    right_gbp: float = 0.0
    """Worth of a right answer, in pounds."""

    def patients(self, n: int, *, seed: int, policy: str = "same", missing: Missing | None = None) -> Patients:
        """The first n patients of a seed, with what their records hold.

        Args:
            n: how many; the first are the same for any number, and the same under every policy and `missing`.
            seed: 0 or more.
            policy: who ordered, of `policies`.
            missing: what is left out of the records besides.

        Raises:
            UnknownNameError: no such policy; names the nearest.
            WorkupError: n below 1, a negative seed, or journeys in a task whose first finding is not graded.
        """
        if policy not in self.policies:
            raise UnknownNameError(f"{self.name} has no policy {policy!r}{suggestion(policy, self.policies)}")
        if n < 1 or seed < 0:
            raise WorkupError(f"{self.name}: {n} patients of seed {seed}; expected 1 or more, of a seed from 0")
        if missing is not None and missing.mechanism == "journeys" and self.first_d is None:
            raise WorkupError(
                f"{self.name}: journeys go by the first graded finding, which this task has not; expected mcar, mar or outcome, or "
                "a task such as interaction"
            )
        draws = Draws(self.name, seed, n)
        drawn = self.draw(draws, policy)
        held = self.ordered(draws, drawn, policy)
        lost = None if missing is None else _Lost(self, missing, draws, drawn)
        present = held if lost is None else lost.left(held)
        return Patients(
            drawn.label,
            drawn.question,
            drawn.findings,
            present,
            np.where(np.arange(2) < present.sum(axis=1)[:, None], np.argsort(~present, axis=1, kind="stable"), -1),
            _beside(drawn.history, lost),
            _scores(self, drawn, present, lost),
        )


class _Lost:
    """What goes missing from the records of some patients, and what that tells."""

    def __init__(self, task: Task, missing: Missing, draws: Draws, drawn: Drawn) -> None:
        self.missing, self.prevalence = missing, task.prevalence
        self.label, self.risk = drawn.label, draws.coin("risk", np.where(drawn.label == 1, RISK[1], RISK[0]))
        self.uniform = np.stack([draws.uniform(f"missing {m}") for m in (*task.modalities, "keep")], axis=1)
        self.second = None
        if missing.mechanism == "journeys" and task.first_d is not None:
            first = drawn.findings[task.modalities[0]][:, 0]
            self.second = seconds(missing, task.prevalence, task.first_d, first)

    @property
    def names_risk(self) -> bool:
        """Whether the history is recorded."""
        return self.missing.mechanism == "mar" and self.missing.recorded

    def left(self, held: Bools) -> Bools:
        chance = absences(self.missing, self.prevalence, self.label, self.risk)
        return kept(self.missing, held, chance, self.second, self.uniform)

    def chance_of(self, present: Bools, held: float, label: int) -> Floats:
        """(n,) P(this pattern | label), over the risk where the history is not read."""
        n = len(present)
        found = np.zeros(n)
        for risk, weight in enumerate((1.0 - RISK[label], RISK[label])):
            chance = absences(self.missing, self.prevalence, np.full(n, label), np.full(n, risk))
            found += weight * pattern_chance(self.missing, held, chance, self.second, present)
        return found


def _beside(history: Floats | None, lost: _Lost | None) -> Floats | None:
    if lost is None or not lost.names_risk:
        return history
    risk = lost.risk.astype(np.float64)[:, None]
    return risk if history is None else np.concatenate([history, risk], axis=1)


def _scores(task: Task, drawn: Drawn, present: Bools, lost: _Lost | None) -> dict[str, Floats]:
    found, prior = task.evidence(drawn), logit(task.prevalence)
    one, two = task.modalities
    here = {one: present[:, 0], two: present[:, 1]}
    beside = found.alone if found.beside_history is None else found.beside_history

    def added(ratios: Mapping[str, Floats]) -> Floats:
        return prior + np.where(here[one], ratios[one], 0.0) + np.where(here[two], ratios[two], 0.0)

    values = np.where(present.all(axis=1), prior + found.together, added(beside))
    late = added(found.alone)
    shares = [np.where(here[m], expit(prior + found.alone[m]), 0.0) for m in task.modalities]
    voices = present.sum(axis=1)
    scores = {f"single:{m}": np.where(here[m], prior + found.alone[m], prior) for m in task.modalities}
    scores |= {name: added(ratios) for name, ratios in found.bottlenecks.items()}
    told = np.zeros(len(values))
    if lost is not None and lost.names_risk:
        told = np.where(lost.risk == 1, RISK_RATIO[1], RISK_RATIO[0])
        scores["joint_no_history"] = values
    if drawn.history is not None or told.any():
        shares.append(expit(prior + told))
        voices = voices + 1
    mean = np.where(voices > 0, np.sum(shares, axis=0) / np.maximum(voices, 1), task.prevalence)
    scores |= {"joint": values + told, "late": late + told, "mean": np.log(mean) - np.log1p(-mean)}
    return scores | _with_mask(task, present, lost, scores)


def _with_mask(task: Task, present: Bools, lost: _Lost | None, scores: Mapping[str, Floats]) -> dict[str, Floats]:
    if task.held is None:
        told = np.array(task.pattern_says)[present[:, 1].astype(np.int64)]
        return {"joint_with_mask": scores["joint"] + told} if lost is None else {}
    if lost is None:
        chances = [np.where(present[:, 1], held, 1.0 - held) for held in task.held]
    else:
        chances = [lost.chance_of(present, held, label) for label, held in enumerate(task.held)]
    said = np.log(chances[1]) - np.log(chances[0])
    if lost is None or not lost.names_risk:
        return {"joint_with_mask": scores["joint"] + said}
    return {"joint_with_mask_no_history": scores["joint_no_history"] + said} | _beside_risk(
        task, present, lost, scores["joint"]
    )


def _beside_risk(task: Task, present: Bools, lost: _Lost, joint: Floats) -> dict[str, Floats]:
    """The pattern to somebody who reads the risk too: it still tells what the policy's own orders tell."""
    chance = absences(lost.missing, lost.prevalence, lost.label, lost.risk)
    by_label = [pattern_chance(lost.missing, held, chance, None, present) for held in task.held or ()]
    return {"joint_with_mask": joint + np.log(by_label[1]) - np.log(by_label[0])}
