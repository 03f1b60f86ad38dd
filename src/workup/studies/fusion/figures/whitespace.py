"""A white-space filter: the step that leaves glass out for a reader of dark nuclei takes the fat from a reader of steatosis.

Slides are those of `workup.envs.modalities.slide`, 64 pixels a side, of three laboratories. Two findings, each N(-1 or 1, 1) by label: how
dark the nuclei of an adenocarcinoma are, and how many cells of a liver hold a droplet of fat. The extent of glass varies and says nothing of
either. Synthetic; a draft, not reviewed by a clinician.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities import slide
from workup.envs.modalities.draws import scaled
from workup.errors import WorkupError
from workup.studies.fusion.figures.seeds import SMALL, WIDTH, band, checked_seeds, foot, over_seeds, plain
from workup.studies.fusion.picture import COLOURS, MARKS
from workup.studies.fusion.splits import keys_of, stream

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
TILE: Final = 8
WHITE: Final = 205
"""A pixel is near-white where red, green and blue are all above this, of 255."""
LIMITS: Final = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.0)
"""Share of near-white pixels above which a tile is dropped; at 1 none is, at 0 each with such a pixel."""
SHOWN_AT: Final = 0.1
GLASS: Final = {"little": (0.0, 0.05), "much": (0.0, 0.5)}
"""Amount -> share of a slide's width without tissue, uniform between these."""
FAT: Final = 0.30
"""Share of liver cells with a droplet where the finding is 0; assumed. What would fall below 0 is 0."""
FINDINGS: Final = ("dark nuclei", "fat")
STATISTICS: Final = 7
"""Of kept pixels: mean of each colour, standard deviation of each, and the share that is near-white."""
READERS: Final[Mapping[str, int]] = {"mean colour": 3, "with spread, white share": STATISTICS}
"""Reader -> how many of the statistics it has, from the first."""
EXAMPLES: Final = (
    ("adenocarcinoma, glass", {"tissue": "adenocarcinoma", "glass": 0.4}),
    ("fatty liver", {"tissue": "liver", "fat": 0.5, "stain": "violet"}),
    ("fatty liver, glass", {"tissue": "liver", "fat": 0.5, "glass": 0.4, "stain": "pink"}),
)


def near_white(slides: Pixels) -> Floats:
    """(n, tiles a side, tiles a side) share of each tile's pixels that are near-white; of slides (n, 3, size, size).

    Raises:
        WorkupError: a size that 8 does not divide.
    """
    return np.asarray(_tiles((slides.min(axis=1) > WHITE)[:, None])[:, 0].mean(axis=-1))


def kept(slides: Pixels, limit: float) -> NDArray[np.bool_]:
    """(n, tiles a side, tiles a side) tiles that the filter keeps: at most `limit` of their pixels are near-white."""
    return near_white(slides) <= limit


def _tiles(images: NDArray[Any]) -> NDArray[Any]:
    """(n, channels, tiles a side, tiles a side, pixels of a tile)."""
    n, channels, size, _ = images.shape
    if size % TILE:
        raise WorkupError(f"slides: found {size} pixels a side; expected a multiple of {TILE}")
    a = size // TILE
    cut = images.reshape(n, channels, a, TILE, a, TILE).transpose(0, 1, 2, 4, 3, 5)
    return cut.reshape(n, channels, a, a, TILE * TILE)


def statistics(slides: Pixels, limits: Sequence[float]) -> Floats:
    """(limits, n, STATISTICS) of the pixels that each limit keeps, colours as shares of full scale; NaN where nothing is kept."""
    white = near_white(slides)
    tiles = _tiles(slides).astype(np.float32) / 255.0
    of_tile = np.concatenate([tiles.mean(-1), np.square(tiles).mean(-1), white[:, None]], axis=1).astype(np.float64)
    found = np.full((len(limits), len(slides), STATISTICS), np.nan)
    for i, limit in enumerate(limits):
        keep = (white <= limit)[:, None]
        some = keep.any(axis=(1, 2, 3))
        means = (of_tile * keep).sum(axis=(2, 3))[some] / keep.sum(axis=(2, 3))[some]
        spread = np.sqrt(np.maximum(means[:, 3:6] - np.square(means[:, :3]), 0.0))
        found[i, some] = np.concatenate([means[:, :3], spread, means[:, 6:]], axis=1)
    return found


def drawn(finding: str, glass: str, n: int, *, seed: int, split: str) -> tuple[NDArray[np.int64], Floats, Pixels]:
    """Labels (n,), the standardised finding (n,) and slides (n, 3, 64, 64) that show it, with little or much glass."""
    draws = stream("figure slide", finding, split, seed)
    keys, label = keys_of(f"figure slide {finding} {split}", seed, n), (draws.random(n) < 0.5).astype(np.int64)
    graded = draws.standard_normal(n) + np.where(label == 1, 1.0, -1.0)
    low, high = GLASS[glass]
    looks: dict[str, Any] = {"glass": low + (high - low) * draws.random(n), "stain": draws.integers(0, 3, n)}
    if finding == "fat":
        looks |= {"tissue": "liver", "fat": np.clip(FAT + scaled("slide", "fat", graded), 0.0, 1.0)}
    else:
        looks |= {"tissue": "adenocarcinoma", "hyperchromasia": scaled("slide", "hyperchromasia", graded)}
    return label, graded, slide.render(keys, looks)


def measure(*, seeds: int = 5, learnt: int = 800, tested: int = 1_000) -> dict[str, Any]:
    """AUROC of plain readers of both findings against the filter's limit, with little glass and with much.

    Args:
        seeds: 0 to `seeds` - 1, each with slides of its own.
        learnt: slides that each reader learns from: a logistic regression of standardised statistics, made anew for each limit.
        tested: other slides.

    Returns:
        limits. auroc: amount of glass -> finding -> reader -> a row a limit with `mean`, `low`, `high` (95%, Student's t over seeds).
        gain: the same, AUROC less that without a filter on the same slides. dropped: amount of glass -> finding -> for each limit the mean
        share of tiles. finding: finding -> AUROC by the finding itself, on the same slides. seeds: which.
    """
    of = checked_seeds(seeds)
    found: dict[str, Any] = {
        "seeds": list(of),
        "limits": list(LIMITS),
        "auroc": {},
        "gain": {},
        "dropped": {},
        "finding": {},
    }
    for glass in GLASS:
        for each in found["auroc"], found["gain"], found["dropped"]:
            each[glass] = {}
        for name in FINDINGS:
            runs = [_run(name, glass, learnt, tested, seed) for seed in of]
            rows = {reader: np.array([run[reader] for run in runs]) for reader in READERS}
            found["auroc"][glass][name] = {reader: _by_limit(row) for reader, row in rows.items()}
            found["gain"][glass][name] = {reader: _by_limit(row - row[:, :1]) for reader, row in rows.items()}
            found["dropped"][glass][name] = np.mean([run["dropped"] for run in runs], axis=0).tolist()
            found["finding"][name] = over_seeds([run["finding"][0] for run in runs])
    return found


def _by_limit(rows: Floats) -> list[dict[str, float]]:
    return [over_seeds(at) for at in rows.T]


def _run(finding: str, glass: str, learnt: int, tested: int, seed: int) -> dict[str, list[float]]:
    """Of one seed: reader -> AUROC for each limit; `dropped`, the share of tiles; `finding`, the AUROC by the finding itself."""
    from sklearn.metrics import roc_auc_score

    label, _, slides = drawn(finding, glass, learnt, seed=seed, split="train")
    truth, graded, test = drawn(finding, glass, tested, seed=seed, split="test")
    found: dict[str, list[float]] = {reader: [] for reader in READERS}
    for before, after in zip(statistics(slides, LIMITS), statistics(test, LIMITS), strict=True):
        for reader, width in READERS.items():
            found[reader].append(float(roc_auc_score(truth, read(before[:, :width], label, after[:, :width]))))
    white = near_white(test)
    return found | {
        "dropped": [float((white > limit).mean()) for limit in LIMITS],
        "finding": [float(roc_auc_score(truth, graded))],
    }


def read(before: Floats, label: NDArray[np.int64], after: Floats) -> Floats:
    """(m,) log-odds of the slides `after` (m, statistics), learnt from `before` (n, statistics) and their labels (n,).

    A slide of which nothing is kept, a row of NaN, is not learnt from, and is read as the average slide: it says nothing.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    some = np.isfinite(before).all(axis=1)
    scaler = StandardScaler().fit(before[some])
    fitted = LogisticRegression(max_iter=1_000).fit(scaler.transform(before[some]), label[some])
    return np.asarray(fitted.decision_function(np.nan_to_num(scaler.transform(after), nan=0.0)))


def draw(found: Mapping[str, Any]) -> Figure:
    """Of `measure`: slides before and after the filter, and AUROC against its limit with little glass and with much."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 7.2))
    outer = figure.add_gridspec(
        1, 2, width_ratios=(1, 1.45), left=0.015, right=0.985, top=0.95, bottom=0.27, wspace=0.27
    )
    _examples(figure, outer[0, 0].subgridspec(len(EXAMPLES), 2, hspace=0.2, wspace=0.04))
    panels = outer[0, 1].subgridspec(len(GLASS), 1, hspace=0.42)
    for row, (glass, (low, high)) in enumerate(GLASS.items()):
        axes = figure.add_subplot(panels[row, 0])
        _against_limit(axes, found, glass)
        plain(axes, f"Glass: {100 * low:.0f} to {100 * high:.0f}% of the width")
        if row == 0:
            axes.legend(fontsize=8.5, frameon=False, loc="lower left")
    foot(
        figure,
        f"Mean and 95% interval (band) of {len(found['seeds'])} seeds; dotted: AUROC by the finding itself. Tiles of {TILE} x {TILE} pixels of 64 x 64 are "
        f"dropped (grey) where a larger share than the limit is near-white; in the examples the limit is {SHOWN_AT:g}. Readers are logistic "
        "regressions on statistics of the kept pixels. Where there is much glass, dropping it helps both; below about .5 the filter takes the "
        "droplets, and fat is all but lost; nuclei lose nothing.",
    )
    return figure


def _examples(figure: Figure, grid: Any) -> None:
    for row, (told, looks) in enumerate(EXAMPLES):
        image = slide.render(keys_of("figure slide examples", row, 1), looks)
        keep = np.repeat(np.repeat(kept(image, SHOWN_AT)[0], TILE, axis=0), TILE, axis=1)
        after = np.where(keep[None], image[0], np.uint8(140))
        for column, each in enumerate((image[0], after)):
            axes = figure.add_subplot(grid[row, column])
            axes.imshow(np.moveaxis(each, 0, -1))
            axes.set_xticks([])
            axes.set_yticks([])
            if column == 0:
                axes.set_xlabel(told, fontsize=SMALL, loc="left")
            if row == 0:
                axes.set_title(("before", "after")[column], fontsize=10.5, weight="bold")


def _against_limit(axes: Axes, found: Mapping[str, Any], glass: str) -> None:
    axes.axvline(SHOWN_AT, color="#bbbbbb", linewidth=0.8)
    for number, name in enumerate(FINDINGS):
        axes.axhline(found["finding"][name]["mean"], color=COLOURS[number], linestyle=":", linewidth=1.1)
        for reader, dashes in zip(READERS, ("-", "--"), strict=True):
            band(
                axes, found["limits"], found["auroc"][glass][name][reader], color=COLOURS[number], linestyle=dashes,
                marker=MARKS[number] if dashes == "-" else None, markersize=4.5, label=f"{name}: {reader}",
            )  # fmt: skip
    axes.set_xlim(1.03, -0.03)
    axes.set_ylim(0.48, 0.97)
    axes.set_xticks((1, 0.8, 0.6, 0.4, 0.2, 0))
    axes.set_xlabel("limit: white share of a tile (1: no filter)", fontsize=SMALL)
    axes.set_ylabel("AUROC", fontsize=SMALL)
