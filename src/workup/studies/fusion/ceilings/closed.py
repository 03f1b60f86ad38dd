"""Ceilings in closed form or by quadrature: the best that can be done with the messages of each class, by policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from workup.errors import UnknownNameError, WorkupError, suggestion
from workup.studies.fusion.ceilings.laws import BRANCH_D, LAWS, ORDERED, Law, branch_of, density, grid, value_ordered
from workup.studies.fusion.ceilings.patterns import RISK, Left, left, second_after
from workup.studies.fusion.ceilings.scores import (
    SILENT,
    Floats,
    Scores,
    auroc,
    averaged,
    cells,
    laid,
    log_loss,
    log_odds,
    mixture,
    normal,
    phi,
    points,
)

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.records import Missing

Ceilings = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Message class -> policy -> `auroc`, `log_loss` in nats, and where it differs from 1 or from `auroc`, `calibration_slope`,
`auroc_by_question`."""
DECILES: Final = np.arange(1, 10) / 10
"""A report names the likelier label and how sure it is, in five steps: ten messages, the deciles of the probability."""
_RISK_RATIO: Final = np.log(RISK[1]) - np.log(RISK[0])
_HERE: Final = np.ones(2)
_KEPT: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "bottleneck:variance": {"same": (1 / 9, 1 / 9), "broad": (1.0, 1.0), "specific": (0.0, 0.0)},
    "bottleneck:fine": {"same": (2 / 9, 2 / 9), "broad": (0.0, 0.0), "specific": (2 / 8, 2 / 8)},
}
"""What is asked is among what was kept: in what share of patients, and of questions."""


@dataclass(frozen=True)
class Piece:
    """Those whose records look one way."""

    one: bool
    two: bool
    weight: Floats
    """(2,) P(such a record | label)."""
    law: Law
    """Of what their findings say."""
    said: float = 0.0
    """What the pattern says to a reader who learned under `same`, beside the history."""
    said_without: float = 0.0
    """The same to one who does not read the history."""
    risk: float = 0.0
    """What the history says."""
    masked: Scores | None = None
    """Law of the joint score with the pattern, where `said` is not one number."""


def ceilings(task: str, missing: Missing | None = None) -> Ceilings:
    """Of every message class and policy of a task.

    Args:
        task: its name.
        missing: what is left out of records besides; a reader of patterns knows the mechanism.

    Raises:
        UnknownNameError: no such task; names the nearest.
        WorkupError: `missing` on a task where this was not worked out.
    """
    if task not in LAWS:
        raise UnknownNameError(f"no closed form for a task {task!r}{suggestion(task, LAWS)}")
    found: dict[str, dict[str, dict[str, float]]] = {}
    for policy in _policies(task):
        pieces = _pieces(task, policy, missing)
        for name, scores in _classes(LAWS[task], pieces, missing).items():
            of = {"auroc": auroc(scores), "log_loss": log_loss(scores, LAWS[task].prevalence)}
            found.setdefault(name, {})[policy] = of
    if task == "shared_error":
        found["late"]["same"]["calibration_slope"] = (2 / 1.5) / (2 * 2 / 2)
    if task == "question":
        _add_questions(found)
    return found


def _policies(task: str) -> tuple[str, ...]:
    if task == "question":
        return ("same", "broad", "specific")
    if task in ("branch", "branch_control"):
        return ("same", "random", "personal")
    return ("same", "random", "flipped") if task in ORDERED or task == "value_ordered" else ("same",)


def _pieces(task: str, policy: str, missing: Missing | None) -> list[Piece]:
    law = LAWS[task]
    if task in ("value_ordered", "branch", "branch_control"):
        if missing is not None:
            raise WorkupError(
                f"{task}: no closed form where data go missing besides; expected a task such as interaction"
            )
        return _by_value(policy) if task == "value_ordered" else _branches(task, policy)
    everybody = {"same": _HERE}
    held, same = (ORDERED.get(task, everybody).get(name, _HERE) for name in (policy, "same"))
    if missing is not None and missing.mechanism == "journeys":
        if law.rest is None:
            raise WorkupError(f"{task}: journeys go by the first graded finding; expected a task such as interaction")
        return _journeys(law, missing, held, same)
    learned = left(missing, same, law.prevalence)
    recorded = missing is None or missing.recorded
    return [_left(way, learned, law, recorded) for way in left(missing, held, law.prevalence)]


def _left(way: Left, learned: list[Left], law: Law, recorded: bool) -> Piece:
    alike = [each.weight for each in learned if (each.one, each.two) == (way.one, way.two)]
    without = np.log(np.sum(alike, axis=0))
    if not recorded:
        pattern = float(without[1] - without[0])
        return Piece(way.one, way.two, way.weight, law, pattern, pattern)
    just = [each.weight for each in learned if (each.one, each.two, each.risk) == (way.one, way.two, way.risk)]
    risk = 0.0 if way.risk is None else float(_RISK_RATIO[way.risk])
    said = np.log(just[0])
    return Piece(
        way.one,
        way.two,
        way.weight,
        law,
        float(said[1] - said[0]) - risk,
        float(without[1] - without[0]),
        risk,
    )


def _journeys(law: Law, missing: Missing, held: Floats, same: Floats) -> list[Piece]:
    rate = 0.0 if missing.keep_one else missing.rate
    assert law.rest is not None
    at, step = grid(500, widest=1.5)
    after = second_after(missing.rate, law.prevalence, law.first_d, at)
    at_first = np.stack([density(at, m) for m in (-law.first_d / 2, law.first_d / 2)]) * step
    pieces = []
    for two in (True, False):
        seen, learned = (h[:, None] * after if two else 1.0 - h[:, None] * after for h in (held, same))
        weight = (1.0 - rate) * at_first * seen
        if weight.any():
            pieces.append(_after_first(law, law.rest, two, at, weight, learned))
        if rate > 0.0:
            chance, known = (h * (1.0 - missing.rate) if two else 1.0 - h * (1.0 - missing.rate) for h in (held, same))
            pieces.append(Piece(False, two, rate * chance, law, float(np.log(known[1] / known[0]))))
    return pieces


def _after_first(law: Law, rest: Scores, two: bool, at: Floats, weight: Floats, learned: Floats) -> Piece:
    """Those with the first modality, and with or without the second: (2, k) `weight` by label and what the first showed (k,), and
    (2, k) how likely the same is under the policy that a reader learnt from."""
    share = weight.sum(axis=1)
    one = points(law.first_d * at, weight / share[:, None])
    told = one.shifted(np.log(learned[1]) - np.log(learned[0]))
    return Piece(
        True, two, share, replace(law, one=one, together=one.plus(rest)), masked=told.plus(rest) if two else told
    )


def _by_value(policy: str) -> list[Piece]:
    steep = {"same": 2.0, "random": 0.0, "flipped": -2.0}[policy]
    unseen, _ = value_ordered(False, 2.0)
    said = float(np.log(unseen[1] / unseen[0]))
    return [Piece(True, seen, *value_ordered(seen, steep), said=0.0 if seen else said) for seen in (True, False)]


def _branches(task: str, policy: str) -> list[Piece]:
    law = LAWS[task]
    if policy == "same":
        return [Piece(True, True, _HERE, law)]
    if policy == "random" or task == "branch_control":
        return [Piece(one, not one, _HERE / 2, law) for one in (True, False)]
    return [Piece(named == 0, named == 1, _HERE / 2, branch_of(named)) for named in (0, 1)]


def _classes(law: Law, pieces: list[Piece], missing: Missing | None) -> dict[str, Scores]:
    """Law of the score of every message class over everybody."""
    names_risk = missing is not None and missing.mechanism == "mar" and missing.recorded
    history = law.history or names_risk
    one, two = law.modalities
    found = {
        "joint": [(p, _joint(p).shifted(p.risk)) for p in pieces],
        "joint_with_mask": [(p, p.masked or _joint(p).shifted(p.risk + p.said)) for p in pieces],
        "late": [(p, _late(p).shifted(p.risk)) for p in pieces],
        "mean": [(p, _mean(p, history, law.prevalence)) for p in pieces],
        "report": [(p, _report(p, law).shifted(p.risk)) for p in pieces],
        f"single:{one}": [(p, p.law.one if p.one else SILENT) for p in pieces],
        f"single:{two}": [(p, p.law.two if p.two else SILENT) for p in pieces],
    }
    if names_risk:
        found["joint_no_history"] = [(p, _joint(p)) for p in pieces]
        found["joint_with_mask_no_history"] = [(p, _joint(p).shifted(p.said_without)) for p in pieces]
    return {name: mixture((p.weight, scores) for p, scores in parts) for name, parts in found.items()}


def _joint(piece: Piece) -> Scores:
    beside = piece.law.beside or (piece.law.one, piece.law.two)
    if piece.one and piece.two:
        return piece.law.together
    return beside[0] if piece.one else beside[1] if piece.two else SILENT


def _voices(piece: Piece) -> list[tuple[float, list[Scores]]]:
    return [
        (w, [scores for scores, there in ((one, piece.one), (two, piece.two)) if there])
        for w, one, two in piece.law.views
    ]


def _late(piece: Piece) -> Scores:
    return mixture((w, _sum(voices)) for w, voices in _voices(piece))


def _sum(voices: list[Scores]) -> Scores:
    return SILENT if not voices else voices[0] if len(voices) == 1 else voices[0].plus(voices[1])


def _mean(piece: Piece, history: bool, prevalence: float) -> Scores:
    says = [points(np.array([piece.risk]), np.ones((2, 1)))] if history else []
    number = 400 if len(piece.law.views) < 3 else 160
    return mixture(
        (w, averaged([*(laid(voice, number) for voice in voices), *says], prevalence)) for w, voices in _voices(piece)
    )


def _report(piece: Piece, law: Law) -> Scores:
    """Best of all decisions from the reports that came: their joint law in everybody gives the ratio."""
    edges = log_odds(DECILES) - math.log(law.prevalence / (1.0 - law.prevalence))

    def messages(of: Law) -> Floats:
        total = np.zeros((2, 1))
        for w, one, two in of.views:
            first = cells(one, edges) if piece.one else np.ones((2, 1))
            second = cells(two, edges) if piece.two else np.ones((2, 1))
            total = total + w * (first[:, :, None] * second[:, None, :]).reshape(2, -1)
        return total

    known, here = messages(law), messages(piece.law)
    met = known.min(axis=0) > 1e-300
    return points(np.log(known[1, met]) - np.log(known[0, met]), here[:, met])


def _add_questions(found: dict[str, dict[str, dict[str, float]]]) -> None:
    for of in found.values():
        for figures in of.values():
            figures["auroc_by_question"] = figures["auroc"]
    asked = normal(1.5 * math.sqrt(2.0))
    for name, shares in _KEPT.items():
        found[name] = {}
        for policy, (patients, questions) in shares.items():
            scores = mixture([(patients, asked), (1.0 - patients, SILENT)])
            found[name][policy] = {
                "auroc": auroc(scores),
                "log_loss": log_loss(scores, 0.5),
                "auroc_by_question": questions * auroc(asked) + (1.0 - questions) * 0.5,
            }


STRATEGIES: Final = ("none", "one", "both", "order", "personal")
"""Nothing done; the best test for all; both for all; the best one order for all with stopping as the history says; one's own."""


def benefits_gbp(task: str, *, cost_gbp: float = 100.0, right_gbp: float = 1000.0) -> Mapping[str, float]:
    """Strategy -> mean benefit in pounds: what right answers are worth less what tests cost, at best.

    Args:
        task: branch or branch_control.
        cost_gbp: of a test.
        right_gbp: of a right answer.

    Raises:
        WorkupError: a task without prices.
    """
    if task not in ("branch", "branch_control"):
        raise WorkupError(f"{task} has no prices; expected branch or branch_control")
    # right[k][tests done]: chance of a right answer for those whose history names test k
    sure = float(phi(np.array(BRANCH_D / 2)))
    useful = (0, 1) if task == "branch" else (0, 0)

    def worth(named: int, tests: tuple[int, ...]) -> float:
        return right_gbp * (sure if useful[named] in tests else 0.5) - cost_gbp * len(tests)

    def fixed(tests: tuple[int, ...]) -> float:
        return 0.5 * worth(0, tests) + 0.5 * worth(1, tests)

    def stopping(order: tuple[int, ...]) -> float:
        # A result of the useful test makes the other worthless and one of the other says nothing, so to stop is the history's choice.
        return 0.5 * sum(max(worth(k, order[:done]) for done in range(3)) for k in (0, 1))

    own = 0.5 * sum(max(worth(k, tests) for tests in ((), (0,), (1,), (0, 1))) for k in (0, 1))
    found = (fixed(()), max(fixed((0,)), fixed((1,))), fixed((0, 1)), max(stopping((0, 1)), stopping((1, 0))), own)
    return dict(zip(STRATEGIES, found, strict=True))
