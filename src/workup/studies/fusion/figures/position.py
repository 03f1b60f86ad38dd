"""Lost in the middle: how well a finding in a note is read, by where its sentence stands, for readers that weigh words by place.

Notes are those of `workup.envs.modalities.note`. All tell whether there were rigors, other findings and ten sentences about other things,
another person's shaking chills among them. `note` puts findings anywhere or all of them at one place, so the sentence that tells the
rigors is taken out here and put back, in the same note, between two sentences of choice. Synthetic; a draft, not reviewed by a clinician.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities import note
from workup.errors import UnknownNameError, suggestion
from workup.scenarios.language.looks import LOOKS
from workup.studies.fusion.figures.seeds import SMALL, band, checked_seeds, foot, over_seeds, plain
from workup.studies.fusion.figures.seeds import WIDTH as INCHES
from workup.studies.fusion.picture import COLOURS, MARKS
from workup.studies.fusion.splits import keys_of, stream

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

Floats = NDArray[np.float64]
FINDING: Final = "rigors"
OTHERS: Final = tuple(name for name, look in LOOKS["note"].items() if "unsaid" in look.values and name != FINDING)
BINS: Final = 20
"""Places in a note: each a twentieth of its words."""
FIFTHS: Final = 5
ILLEGIBLE: Final = 0.10
"""Chance of each word that it cannot be read: the noise `hard` of notes."""
AT_ENDS: Final = 0.95
"""Share of the notes `ends` in which the sentence stands in the first or the last fifth of the gaps."""
RECENCY: Final = 0.12
"""Share of a note over which a word's weight falls to 1/e, from either end; assumed."""
WIDTH, EPOCHS, BATCH, RATE = 16, 25, 128, 0.01
PLACES: Final = (np.arange(BINS) + 0.5) / BINS


@dataclass(frozen=True)
class Kind:
    """A reader: what its words weigh by place, and on which notes it learns."""

    told: str
    weights: Floats
    """(BINS,) of a word, by its place; where a reader learns them these are what it begins with."""
    learns: bool = False
    notes: str = "anywhere"


READERS: Final[Mapping[str, Kind]] = {
    "invariant": Kind("all words alike", np.ones(BINS)),
    "cut": Kind("first and last quarter", ((PLACES < 0.25) | (PLACES > 0.75)).astype(np.float64)),
    "fading": Kind("weights fall from both ends", np.exp(-np.minimum(PLACES, 1.0 - PLACES) / RECENCY)),
    "aware": Kind("learnt with the finding anywhere", np.ones(BINS), True),
    "aware_ends": Kind("learnt with it near the ends", np.ones(BINS), True, "ends"),
}
"""All learn what words mean in the same way; the last two learn by place what words weigh as well."""


@dataclass(frozen=True)
class Notes:
    """n notes."""

    label: NDArray[np.int64]
    """(n,) whether there were rigors."""
    place: Floats
    """(n,) middle of the sentence that tells so, as a share of the note's words."""
    counts: NDArray[np.float32]
    """(n, BINS, words of the vocabulary) how often each word stands in each twentieth."""


def sentences(text: str) -> list[str]:
    """The sentences of a note of `note.text`, each with its full stop."""
    return [f"{each.rstrip('.')}." for each in text.split(". ")]


def written(
    n: int, *, seed: int, where: str, split: str
) -> tuple[NDArray[np.int64], list[list[str]], NDArray[np.int64]]:
    """Labels (n,), notes as sentences, and which sentence (n,) tells the finding.

    The same seed and split have the same notes wherever the sentence is put: `anywhere`, each gap after the opening alike, or `ends`.

    Raises:
        UnknownNameError: another word.
    """
    if where not in ("anywhere", "ends"):
        raise UnknownNameError(
            f"no place {where!r}{suggestion(where, ('anywhere', 'ends'))}; expected anywhere or ends"
        )
    draws = stream("figure note", split, seed)
    keys, label = keys_of(f"figure note {split}", seed, n), (draws.random(n) < 0.5).astype(np.int64)
    looks: dict[str, Any] = {name: draws.integers(0, 3, n) for name in OTHERS}
    gap, near, side = draws.random(n), draws.random(n), draws.random(n)
    if where == "ends":
        gap = np.where(near < AT_ENDS, np.where(side < 0.5, gap / FIFTHS, 1.0 - gap / FIFTHS), gap)
    without = note.text(keys, {**looks, "distractors": "many"})
    alone = note.text(keys, {FINDING: label + 1, "distractors": "none"})
    found, at = [], np.zeros(n, np.int64)
    for i in range(n):
        others, told = sentences(without[i]), sentences(alone[i])[1]
        at[i] = 1 + int(gap[i] * len(others))
        found.append([*others[: at[i]], told, *others[at[i] :]])
    return label, found, at


def counted(texts: Sequence[Sequence[str]], lost: Sequence[Floats] | None = None) -> NDArray[np.float32]:
    """(n, BINS, words of the vocabulary) how often each word stands in each twentieth of its note.

    Args:
        texts: n notes as sentences.
        lost: for each note uniform draws, one a word at least: below ILLEGIBLE it cannot be read. None: all are read.
    """
    known = {word: at for at, word in enumerate(note.VOCABULARY)}
    found = np.zeros((len(texts), BINS, len(known)), np.float32)
    for i, each in enumerate(texts):
        words = np.array([known[word] for word in note.words(" ".join(each))])
        if lost is not None:
            words[lost[i][: len(words)] < ILLEGIBLE] = known[note.ILLEGIBLE]
        np.add.at(found[i], (np.arange(len(words)) * BINS // len(words), words), 1.0)
    return found


def notes(n: int, *, seed: int, where: str, split: str) -> Notes:
    """n notes of a seed, with words that cannot be read; arguments as of `written`."""
    label, texts, at = written(n, seed=seed, where=where, split=split)
    lost = stream("figure note noise", split, seed).random((n, 400))
    place = np.zeros(n)
    for i, each in enumerate(texts):
        lengths = [len(note.words(sentence)) for sentence in each]
        place[i] = (sum(lengths[: at[i]]) + lengths[at[i]] / 2.0) / sum(lengths)
    return Notes(label, place, counted(texts, list(lost)))


@dataclass(frozen=True)
class Reader:
    """A trained reader: the mean of its words' embeddings, weighed by place, then a line."""

    embedding: Tensor
    head: Tensor
    bias: Tensor
    log_weights: Tensor

    def scores(self, counts: NDArray[np.float32]) -> Floats:
        """(n,) log-odds, of counts (n, BINS, words)."""
        import torch

        with torch.no_grad():
            return np.asarray(_scored(self, torch.from_numpy(counts)), dtype=np.float64)

    def weights(self) -> Floats:
        """(BINS,) of a word by its place, with mean 1."""
        found = np.asarray(self.log_weights.detach().exp(), dtype=np.float64)
        return found / found.mean()


def _scored(reader: Reader, counts: Tensor) -> Tensor:
    weighed = reader.log_weights.exp() @ counts
    mean = weighed @ reader.embedding / weighed.sum(1, keepdim=True)
    return mean @ reader.head + reader.bias


def trained(kind: Kind, of: Notes, *, seed: int) -> Reader:
    """A reader of its kind by Adam on the cross-entropy, the same epochs, batches and rate for every kind.

    Source: Joulin and others, EACL 2017;2:427 (a line on the mean of learnt word embeddings).
    """
    import torch

    draws = torch.Generator().manual_seed(seed)
    start = np.log(np.maximum(kind.weights, 1e-30))
    reader = Reader(
        torch.randn(len(note.VOCABULARY), WIDTH, generator=draws).mul_(0.3).requires_grad_(),
        torch.randn(WIDTH, generator=draws).mul_(0.3).requires_grad_(),
        torch.zeros(1).requires_grad_(),
        torch.tensor(start, dtype=torch.float32).requires_grad_(kind.learns),
    )
    counts, label, learner = torch.from_numpy(of.counts), torch.from_numpy(of.label).float(), reader
    fitted = [reader.embedding, reader.head, reader.bias, *([reader.log_weights] if kind.learns else [])]
    if not kind.learns:  # weighed once for all: the same sums
        counts, learner = (reader.log_weights.exp() @ counts)[:, None], replace(reader, log_weights=torch.zeros(1))
    steps = torch.optim.Adam(fitted, lr=RATE)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(label), generator=draws).split(BATCH):
            steps.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(_scored(learner, counts[batch]), label[batch])
            loss.backward()
            steps.step()
    return reader


def measure(*, seeds: int = 5, learnt: int = 3_000, tested: int = 4_000) -> dict[str, Any]:
    """How well each reader tells rigors from none, by the fifth of the note where the sentence stands.

    Args:
        seeds: 0 to `seeds` - 1, each with notes and weights of its own.
        learnt: notes that each reader learns from.
        tested: other notes, with the sentence anywhere.

    Returns:
        readers: name -> `auroc` and `recall` (share of the rigors above the cut that nine in ten notes without them stay below), a row a
        fifth with `mean`, `low`, `high` (95%, Student's t over seeds); `whole`, the AUROC of all of these notes, and `ends`, that of the
        same notes with the sentence mostly at an end; `weights` (BINS) by place, with mean 1. words: words of a note, on average. seeds.
    """
    of = checked_seeds(seeds)
    runs = [_run(seed, learnt, tested) for seed in of]
    readers = {
        name: {
            measured: [over_seeds([run[name][measured][fifth] for run in runs]) for fifth in range(FIFTHS)]
            for measured in ("auroc", "recall")
        }
        | {where: over_seeds([run[name][where] for run in runs]) for where in ("whole", "ends")}
        | {"weights": np.mean([run[name]["weights"] for run in runs], axis=0).tolist()}
        for name in READERS
    }
    return {"seeds": list(of), "readers": readers, "words": float(np.mean([run["words"] for run in runs]))}


def _run(seed: int, learnt: int, tested: int) -> dict[str, Any]:
    from sklearn.metrics import roc_auc_score

    met = {where: notes(learnt, seed=seed, where=where, split="train") for where in ("anywhere", "ends")}
    test, ends = (notes(tested, seed=seed, where=where, split="test") for where in ("anywhere", "ends"))
    fifth = np.minimum((test.place * FIFTHS).astype(np.int64), FIFTHS - 1)
    found: dict[str, Any] = {"words": float(test.counts.sum() / tested)}
    for name, kind in READERS.items():
        reader = trained(kind, met[kind.notes], seed=seed)
        score, label = reader.scores(test.counts), test.label
        cut = np.quantile(score[label == 0], 0.9)
        found[name] = {
            "auroc": [roc_auc_score(label[fifth == i], score[fifth == i]) for i in range(FIFTHS)],
            "recall": [float((score[(fifth == i) & (label == 1)] > cut).mean()) for i in range(FIFTHS)],
            "whole": roc_auc_score(label, score),
            "ends": roc_auc_score(ends.label, reader.scores(ends.counts)),
            "weights": reader.weights(),
        }
    return found


def draw(found: Mapping[str, Any]) -> Figure:
    """Of `measure`: AUROC by place of readers whose weights are fixed, and of those who learn them; below, the weights."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(INCHES, 7.2))
    grid = figure.add_gridspec(
        2, 2, height_ratios=(2.6, 1), left=0.1, right=0.965, top=0.955, bottom=0.235, hspace=0.36, wspace=0.16
    )
    sides = (
        ("Weights of words are fixed", ("invariant", "cut", "fading")),
        ("Weights are learnt by place", ("aware", "aware_ends")),
    )
    for column, (title, names) in enumerate(sides):
        above, below = figure.add_subplot(grid[0, column]), figure.add_subplot(grid[1, column])
        _by_fifth(above, found["readers"], names)
        _by_place(below, found["readers"], names)
        plain(above, title)
        plain(below, "")
        if column == 0:
            above.set_ylabel("AUROC: rigors, or none", fontsize=SMALL)
            below.set_ylabel("weight of a word", fontsize=SMALL)
    told = found["readers"]["aware_ends"]
    foot(
        figure,
        f"Mean and 95% interval (band) of {len(found['seeds'])} seeds. Notes of {found['words']:.0f} words on average; one sentence tells of the "
        "patient's rigors, or that there were none. All readers take the mean of learnt word embeddings and are trained alike. On the right "
        f"the notes learnt from differ, the reader does not: learnt near the ends, its AUROC is {told['ends']['mean']:.3f} on notes such as it learnt "
        f"from and {told['whole']['mean']:.3f} where the sentence may stand anywhere.",
    )
    return figure


def _by_fifth(axes: Axes, readers: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in names:
        number = list(READERS).index(name)
        band(
            axes, range(FIFTHS), readers[name]["auroc"], color=COLOURS[number], marker=MARKS[number], markersize=6,
            label=READERS[name].told,
        )  # fmt: skip
    axes.axhline(0.5, color="#777777", linewidth=0.9, linestyle=":")
    axes.set_ylim(0.33, 1.01)
    axes.set_xlim(-0.25, FIFTHS - 0.75)
    axes.set_xticks(range(FIFTHS), ("first", "2nd", "3rd", "4th", "last"))
    axes.set_xlabel("the sentence's fifth of the note", fontsize=SMALL)
    axes.legend(fontsize=SMALL, frameon=False, loc="lower left")


def _by_place(axes: Axes, readers: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in names:
        axes.step(
            PLACES, readers[name]["weights"], where="mid", color=COLOURS[list(READERS).index(name)], linewidth=1.6
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 3.6)
    axes.set_xticks((0, 0.5, 1), ("start", "place in the note", "end"))
