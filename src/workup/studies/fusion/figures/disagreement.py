"""Readers who differ: by grade, by how much of their error is shared, and what a model makes of two of them.

Readings are those of the task `shared_error`: the truth, an error that all readers of a slide share, and one of each reader's own; the
variance of both together stays as it is there while the share that is common varies. Synthetic; a draft, not reviewed by a clinician.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.studies.fusion.figures.seeds import SMALL, WIDTH, checked_seeds, foot, over_seeds, plain
from workup.studies.fusion.measures import measured
from workup.studies.fusion.picture import COLOURS, MARKS
from workup.studies.fusion.splits import stream
from workup.studies.fusion.tasks.shared_error import COMMON, D

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
ERROR: Final = 1.0 + COMMON**2
"""Variance of a reader's error: 1 of their own, and what is shared."""
SEVERITY: Final = D
"""Standard deviation of the severity that is graded; assumed, as are the cuts."""
CUTS: Final = (-0.4307 * SEVERITY, 0.4307 * SEVERITY)
"""Between grades 1, 2 and 3: a third of the slides each. The middle grade has two borders, the others one; it agrees least until it is so
wide that it holds seven slides in ten (cuts beyond 2.1 either side)."""
GRADED_BY: Final = (0.0, 0.5)
VOTED_BY: Final = (0.0, 0.25, 0.5, 0.75)
"""Share of the error that is common, which is the correlation of two readers' errors; .5 in `shared_error`."""
READERS: Final = 8
METHODS: Final = ("exact_joint", "exact_late", "concat", "late_poe")
GROUPS: Final = ("all", "readers agree", "readers differ")


def agreement(share: float, *, cuts: Sequence[float] = CUTS, points: int = 24) -> Floats:
    """(3,) chance that two readers give the same grade, by the true grade.

    Gauss and Legendre's rule over the quantiles of the severity within the grade; at each, the three squares of a bivariate normal law.

    Args:
        share: correlation of their errors, in [0, 1).
        cuts: two, ascending, in the units of the severity.
        points: of the rule.

    Source: Genz, Statistics and Computing 2004;14:251 (bivariate normal rectangles, in scipy).
    """
    from scipy.stats import multivariate_normal

    law = multivariate_normal(cov=ERROR * np.array([[1.0, share], [share, 1.0]]))
    found = np.zeros(3)
    for grade, (severity, weights) in enumerate(_rules(cuts, points)):
        for low, high in _between(cuts):
            both = [np.repeat((end - severity)[:, None], 2, axis=1) for end in (low, high)]
            found[grade] += weights @ law.cdf(both[1], lower_limit=both[0])
    return found


def accuracy(*, cuts: Sequence[float] = CUTS, points: int = 24) -> Floats:
    """(3,) chance that a reader gives the true grade, by that grade; whatever others share. Arguments as of `agreement`."""
    from scipy.special import ndtr

    sd = math.sqrt(ERROR)
    return np.array(
        [
            weights @ (ndtr((high - severity) / sd) - ndtr((low - severity) / sd))
            for (severity, weights), (low, high) in zip(_rules(cuts, points), _between(cuts), strict=True)
        ]
    )


def consensus_auroc(share: float, readers: int) -> float:
    """AUROC of the mean of readers whose errors have that correlation, labels being D apart: Phi(D / sqrt(2 variance of the mean))."""
    from scipy.special import ndtr

    return float(ndtr(D / math.sqrt(2.0 * ERROR * (share + (1.0 - share) / readers))))


def _between(cuts: Sequence[float]) -> list[tuple[float, float]]:
    return list(itertools.pairwise((-math.inf, *cuts, math.inf)))


def _rules(cuts: Sequence[float], points: int) -> list[tuple[Floats, Floats]]:
    """For each grade: severities (points,), and weights that add to 1."""
    from scipy.special import ndtr, ndtri

    at, weights = np.polynomial.legendre.leggauss(points)
    found = []
    for low, high in _between(cuts):
        first, last = ndtr(low / SEVERITY), ndtr(high / SEVERITY)
        found.append((SEVERITY * ndtri(first + (last - first) * (at + 1.0) / 2.0), weights / 2.0))
    return found


def measure(
    *, seeds: int = 5, slides: int = 4_000, patients: int = 2_000, test_patients: int = 4_000
) -> dict[str, Any]:
    """The three panels, as plain data.

    Args:
        seeds: 0 to `seeds` - 1, each with slides, patients and trainings of its own.
        slides: of each seed, that are graded; and patients whose readers vote.
        patients: of each training.
        test_patients: of each test.

    Returns:
        grades: correlation -> a row a grade: `closed`, and `mean`, `low`, `high` (95%, Student's t over seeds). accuracy: a row a grade.
        votes: correlation -> a row for 1 to 8 readers, as `grades`. trained: method -> group -> `slope` and `auroc`, each as above.
        seeds: which.
    """
    of = checked_seeds(seeds)
    return {
        "seeds": list(of),
        "grades": {
            share: _beside(agreement(share), [_agreed(share, slides, seed) for seed in of]) for share in GRADED_BY
        },
        "accuracy": accuracy().tolist(),
        "votes": {
            share: _beside(
                [consensus_auroc(share, k) for k in range(1, READERS + 1)], [_votes(share, slides, seed) for seed in of]
            )
            for share in VOTED_BY
        },
        "trained": _over([_trained((patients, max(patients // 4, 100), test_patients), seed) for seed in of]),
    }


def _beside(closed: Floats | Sequence[float], simulated: Sequence[Floats]) -> list[dict[str, float]]:
    rows = np.stack(simulated)
    return [{"closed": float(value)} | over_seeds(rows[:, i]) for i, value in enumerate(closed)]


def _errors(share: float, shape: tuple[int, int], draws: np.random.Generator) -> Floats:
    """(n, readers) errors of readers."""
    common = math.sqrt(ERROR * share) * draws.standard_normal((shape[0], 1))
    return common + math.sqrt(ERROR * (1.0 - share)) * draws.standard_normal(shape)


def _agreed(share: float, slides: int, seed: int) -> Floats:
    draws = stream("readers grade", share, seed)
    severity = SEVERITY * draws.standard_normal(slides)
    said = np.digitize(severity[:, None] + _errors(share, (slides, 2), draws), CUTS)
    truth = np.digitize(severity, CUTS)
    same = said[:, 0] == said[:, 1]
    return np.array([same[truth == grade].mean() for grade in range(3)])


def _votes(share: float, patients: int, seed: int) -> Floats:
    """(READERS,) AUROC of the mean of the first 1, 2, ... readers."""
    from sklearn.metrics import roc_auc_score

    draws = stream("readers vote", share, seed)
    label = (draws.random(patients) < 0.5).astype(np.int64)
    heard = np.cumsum((D * (label - 0.5))[:, None] + _errors(share, (patients, READERS), draws), axis=1)
    return np.array([roc_auc_score(label, heard[:, k]) for k in range(READERS)])


def _trained(sizes: tuple[int, int, int], seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """Method -> group of test patients -> slope and AUROC, of one seed; the halves by |reader 1 - reader 2|."""
    from workup.agents.fusion.registry import fusion_of
    from workup.agents.fusion.training import fit
    from workup.studies.fusion.drawing import task_of
    from workup.studies.fusion.evaluation import patients_of, scored

    train, validation, tests = patients_of(
        task_of("shared_error"), view="findings", seed=seed, record="same", sizes=sizes
    )
    test, rows = tests["same"], train.rows
    assert test.drawn is not None  # it is a task's, not somebody's own
    met = test.drawn.patients
    apart = np.abs(met.findings["R"][:, 0] - met.findings["P"][:, 0])
    of = dict(zip(GROUPS, (apart >= 0, apart <= np.median(apart), apart > np.median(apart)), strict=True))
    found = {}
    for method in METHODS:
        if method.startswith("exact_"):
            score = np.asarray(met.exact[method.removeprefix("exact_")])
        else:
            fitted = fit(
                fusion_of(method), train.spec, rows.inputs, rows.present, rows.order, rows.question, rows.label,
                seed=seed, validation=validation.rows, method=method,
            )  # fmt: skip
            score = scored(fitted, test)
        halves = {group: measured(score[who], met.label[who]) for group, who in of.items()}
        found[method] = {group: {name: each[name] for name in ("slope", "auroc")} for group, each in halves.items()}
    return found


def _over(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    return {
        method: {
            group: {name: over_seeds([run[method][group][name] for run in runs]) for name in ("slope", "auroc")}
            for group in GROUPS
        }
        for method in METHODS
    }


def draw(found: Mapping[str, Any]) -> Figure:
    """Of `measure`: agreement by grade, AUROC of a consensus, and calibration where readers agree and where they differ."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 8.0))
    grid = figure.add_gridspec(
        2, 2, height_ratios=(1.25, 1), left=0.105, right=0.98, top=0.955, bottom=0.19, hspace=0.36, wspace=0.36
    )
    _grades(figure.add_subplot(grid[0, 0]), found)
    _consensus(figure.add_subplot(grid[0, 1]), found)
    _slopes(figure.add_subplot(grid[1, :]), found["trained"])
    foot(
        figure,
        f"Points and bars: mean and 95% interval of {len(found['seeds'])} seeds; lines: closed form. How large a reader's error is stays the same, how "
        "much of it is shared varies. Below: opinions multiplied (late_poe) are too sure, no less where the readers agree. Agree, differ: "
        "the halves of the patients by |reader 1 - reader 2|.",
    )
    return figure


def _points(axes: Axes, at: Sequence[float], rows: Sequence[Mapping[str, float]], **looks: Any) -> None:
    means = [row["mean"] for row in rows]
    ends = [[row["mean"] - row["low"] for row in rows], [row["high"] - row["mean"] for row in rows]]
    axes.errorbar(at, means, yerr=ends, capsize=3, linewidth=1.2, markersize=5, **looks)


def _grades(axes: Axes, found: Mapping[str, Any]) -> None:
    for number, (share, rows) in enumerate(found["grades"].items()):
        at = [grade + 0.03 * (2 * number - 1) for grade in (1, 2, 3)]
        axes.plot((1, 2, 3), [row["closed"] for row in rows], color=COLOURS[number], linewidth=1.2)
        _points(axes, at, rows, fmt=MARKS[number], color=COLOURS[number], label=f"two readers, {_share(share)}")
    axes.plot((1, 2, 3), found["accuracy"], color="#777777", linestyle="--", label="one reader and the truth")
    axes.set_xticks((1, 2, 3), ("1", "2", "3"))
    axes.set_xlim(0.7, 3.3)
    axes.set_ylim(0.3, 0.98)
    axes.set_xlabel("true grade", fontsize=SMALL)
    axes.set_ylabel("chance of the same grade", fontsize=SMALL)
    axes.legend(fontsize=9, frameon=False, loc="upper center")
    plain(axes, "Grades agree least in the middle")


def _share(share: float) -> str:
    return "errors apart" if share == 0 else f"correlation {share:g}"


def _consensus(axes: Axes, found: Mapping[str, Any]) -> None:
    for number, (share, rows) in enumerate(found["votes"].items()):
        readers = list(range(1, len(rows) + 1))
        axes.plot(readers, [row["closed"] for row in rows], color=COLOURS[number], linewidth=1.2)
        _points(axes, readers, rows, fmt=MARKS[number], color=COLOURS[number])
        axes.annotate(
            f"{share:g}", (8, rows[-1]["closed"]), (6, 0), textcoords="offset points", va="center",
            fontsize=SMALL, color=COLOURS[number],
        )  # fmt: skip
    axes.set_xticks(range(1, 9))
    axes.set_xlim(0.6, 9.0)
    axes.set_ylim(0.815, 1.01)
    axes.text(9.0, 0.818, "at the lines: correlation of errors", ha="right", fontsize=9, color="#444444")
    axes.set_xlabel("readers in the consensus (mean)", fontsize=SMALL)
    axes.set_ylabel("AUROC", fontsize=SMALL)
    plain(axes, "Shared errors cap a consensus")


def _slopes(axes: Axes, trained: Mapping[str, Any]) -> None:
    for number, group in enumerate(GROUPS):
        at = [place + 0.2 * (number - 1) for place in range(len(METHODS))]
        rows = [trained[method][group]["slope"] for method in METHODS]
        _points(axes, at, rows, fmt=MARKS[number], color=COLOURS[number], label=group)
    axes.axhline(1.0, color="#777777", linewidth=0.9)
    names = ("exact, values", "exact, opinions", "concat", "late_poe")
    aurocs = [f"AUROC {trained[method]['all']['auroc']['mean']:.3f}" for method in METHODS]
    axes.set_xticks(range(len(METHODS)), [f"{name}\n{auroc}" for name, auroc in zip(names, aurocs, strict=True)])
    axes.set_ylabel("calibration slope (1: right)", fontsize=SMALL)
    axes.set_ylim(0.5, 1.25)
    axes.legend(fontsize=SMALL, frameon=False, ncols=3, loc="upper right")
    plain(axes, "Two readers, correlation .5: too sure, whether or not they agree")
