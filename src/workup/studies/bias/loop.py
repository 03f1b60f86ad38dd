"""The loop: what a model learns from decides whom it sends, and whom it sends is what the next model learns from.

Generation 0 are the doctors' records. From then on everybody has bloods, and the newest model, which reads them with age and sex, sends
a tenth for the film; only these enter the database that the next model learns from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from workup.agents.baselines.suspicion import members
from workup.envs.model.truth import truth_of
from workup.envs.model.world import World
from workup.errors import WorkupError
from workup.studies.bias.database import Question, Records, allowed, strata_of
from workup.studies.bias.judging import Figures, figures, interval, judge, over_seeds
from workup.studies.bias.learning import Bools, Floats, effective, logistic

GENERATIONS: Final = 5
CAPACITY: Final = 0.1
"""Share of those whom the rules allow the film that can have it."""
AUDIT: Final = 0.02
"""Share tested by lot, whatever anybody thinks of them, within the capacity."""
NORMAL: Final = "all bloods normal"
"""Patients whose cancers show nothing that the model reads; history and examination may."""


@dataclass(frozen=True)
class Arm:
    """A way to run the loop."""

    words: str
    weighted: bool = False
    audit: float = 0.0
    hard: bool = False
    """Whether the tenth with the highest risk is sent, rather than each with a chance that rises with it."""
    history: bool = False
    """Whether the model reads history and examination too."""


ARMS: Final[Mapping[str, Arm]] = MappingProxyType({
    "naive": Arm("learns from whoever was tested, each sent with a chance that rises with the odds"),
    "weighted": Arm("the same, every patient weighted by 1 / chance", weighted=True),
    "audited": Arm("naive, but 2% of everybody are tested by lot from the start", audit=AUDIT),
    "threshold": Arm("naive, and the tenth with the highest risk is sent, nobody else", hard=True),
    "threshold, audited": Arm("the same with 2% by lot", hard=True, audit=AUDIT),
    "threshold, history": Arm("the tenth with the highest risk, by a model that reads the history too", hard=True, history=True),
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Clinic:
    """Whoever may be sent for the film. n patients."""

    x: Floats
    ill: Bools
    groups: Mapping[str, Bools]


@dataclass(frozen=True, eq=False)
class Generation:
    """A database of the loop and the model that was learnt from it."""

    tested: int
    ill_share: float
    """Of those in the database."""
    found: float
    """Share of all patients with cancer who are in the database."""
    found_normal: float
    """The same of those whose bloods are all normal."""
    effective: float
    all: Figures
    young: Figures | None
    normal: Figures | None
    """Judgements of the model on everybody whom the rules allow the film, the young, and those whose bloods are all normal."""


class Run(NamedTuple):
    """A loop, in one seed."""

    generations: list[Generation]
    ended: str | None = None
    """Why no further model could be learnt, where one could not."""


def run_loop(records: Records, test: Records, arm: Arm, *, patients: int, seed: int) -> Run:
    """Generations 0 to `GENERATIONS`, each judged on everybody in `test` whom the rules allow the film.

    Args:
        records: the doctors' database.
        test: other patients.
        arm: how it is run.
        patients: new ones in each generation, of the seed's law.
        seed: of patients and lots.
    """
    judged, clinic = _clinic_of(test, arm), _clinic_of(records, arm)
    inside, chance = records.inside[records.testable], records.chance[records.testable]
    rng = np.random.default_rng([seed, 15])
    if arm.audit:
        inside = inside | (rng.random(len(inside)) < arm.audit)
    found: list[Generation] = []
    for generation in range(GENERATIONS + 1):
        weights = 1.0 / chance[inside] if arm.weighted else np.ones(int(inside.sum()))
        try:
            model = logistic(clinic.x[inside], clinic.ill[inside], weights, what="who is ill")
        except WorkupError as error:
            if not generation:
                raise
            return Run(found, f"generation {generation}: {error}")
        found.append(
            _generation(model(judged.x), judged, clinic, inside, effective(weights), records.question.threshold)
        )
        if generation < GENERATIONS:
            clinic = _new(records.world, records.question, arm, np.arange(patients) + (generation + 2) * patients, seed)
            chance = sending(model(clinic.x), arm)
            inside = rng.random(len(chance)) < chance
    return Run(found)


def sending(risk: Floats, arm: Arm) -> Floats:
    """(n,) with which probability each is tested, of mean `CAPACITY`."""
    share = (CAPACITY - arm.audit) / (1.0 - arm.audit)
    if arm.hard:
        chosen = np.zeros(len(risk))
        chosen[np.argsort(-risk, kind="stable")[: round(share * len(risk))]] = 1.0
    else:
        odds = risk / (1.0 - risk)
        chosen = _with_mean(lambda a: a * odds / (1.0 + a * odds), share)
    return np.asarray(arm.audit + (1.0 - arm.audit) * chosen)


def _with_mean(of: Callable[[float], Floats], mean: float) -> Floats:
    """Of a family that rises with its argument, the member of that mean."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if of(float(np.exp(middle))).mean() < mean else (low, middle)
    return of(float(np.exp(low)))


def _clinic_of(records: Records, arm: Arm) -> Clinic:
    return _clinic(records, arm, records.testable)


def _new(world: World, asked: Question, arm: Arm, patients: Any, seed: int) -> Clinic:
    truth = truth_of(world.model, patients, seed)
    n = len(patients)
    nobody, strata = np.zeros(n, np.bool_), strata_of(world, asked, truth.values)
    ill = members(world, asked.group)[world.model.condition_of[truth.hidden]]
    may = allowed(world, asked, truth.values)
    everyone = Records(world, asked, truth.values, truth.values, ill, may, nobody, np.ones(n), nobody, nobody, strata)
    return _clinic(everyone, arm, may)


def _clinic(records: Records, arm: Arm, who: Bools) -> Clinic:
    groups = {"young": records.young[who], NORMAL: records.normal[who]}
    return Clinic(records.before(history=arm.history)[who], records.ill[who], groups)


def _generation(p: Floats, judged: Clinic, clinic: Clinic, inside: Bools, size: float, threshold: float) -> Generation:
    normal = clinic.ill & clinic.groups[NORMAL]
    found = {name: judge(p[who], judged.ill[who], threshold) for name, who in judged.groups.items()}
    parts = {name: None if each is None else figures(each) for name, each in found.items()}
    whole = judge(p, judged.ill, threshold)
    if whole is None:
        raise WorkupError(f"{int(judged.ill.sum())} of {len(p)} patients are ill; nothing can be judged on so few")
    return Generation(
        tested=int(inside.sum()),
        ill_share=float(clinic.ill[inside].mean()),
        found=float(inside[clinic.ill].mean()),
        found_normal=float(inside[normal].mean()) if normal.any() else 0.0,
        effective=size,
        all=figures(whole),
        young=parts["young"],
        normal=parts[NORMAL],
    )


def loop_told(runs: Sequence[Run]) -> dict[str, Any]:
    """A row a generation, over the seeds, as far as all of them came; counts and shares with the interval over seeds alone."""
    told: list[dict[str, Any]] = []
    for number, each in enumerate(zip(*(run.generations for run in runs), strict=False)):
        row: dict[str, Any] = {"generation": number}
        for name in ("tested", "ill_share", "found", "found_normal", "effective"):
            row[name] = interval([float(getattr(one, name)) for one in each])
        for name in ("all", "young", "normal"):
            parts = [part for one in each if (part := getattr(one, name)) is not None]
            row[name] = over_seeds(parts) if len(parts) == len(each) else None
        told.append(row)
    return {"generations": told, "ended": next((run.ended for run in runs if run.ended), None)}
