"""How much of a graded finding survives the pixels of a film: the Fisher bound, and a likelihood reader to hold against it.

    python -m workup.envs.modalities.information

A film is its expectation plus independent normal noise, so the information about a look is known: that of the look's derivative
over all pixels, less what could as well be the patient's own anatomy (the nuisances, here unknown and without a prior). A reader
that maximises the likelihood over look and anatomy together comes close to that bound; nothing unbiased comes closer. Source: the
bound of Cramér and Rao with nuisance parameters, as in van der Vaart, Asymptotic Statistics (1998), section 25.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities import film
from workup.envs.modalities.draws import NOISE, Keys, keys

Array = NDArray[np.float64]
_STEP = 1e-5
"""Of a derivative, as a share of a nuisance's span, and of full scale for the look."""
_ROUNDS, _NEAR, _ENOUGH = 25, 1.0, 0.03
"""A search ends when a round gains less than the last in minus twice the log-likelihood; after less than the second it keeps its
derivatives."""


@dataclass(frozen=True)
class Lesion:
    """What is read: one graded look of a film, all else being known but the anatomy."""

    site: str = "left_upper"
    look: str = "opacity"
    size: int = film.SIZE

    def films(self, values: Array, nuisance: Array) -> Array:
        """(n, pixels) expected films of (n,) values and (n, nuisances)."""
        nobody = np.zeros(len(values), np.uint64)
        looks = {"lesion": self.site, self.look: values}
        return film.expected(nobody, looks, size=self.size, nuisance=nuisance).reshape(len(values), -1)

    def derivatives(self, value: float, nuisance: Array) -> Array:
        """(1 + nuisances, pixels) of the expected film, by the look and by each nuisance in shares of its span."""
        spans = np.array([high - low for low, high in film.NUISANCES.values()])
        at = np.repeat(np.r_[value, nuisance][None], 2 + len(spans), axis=0)
        at[1:] += np.diag(_STEP * np.r_[1.0, spans])
        found = self.films(at[:, 0], at[:, 1:])
        return np.asarray((found[1:] - found[0]) / _STEP)


def bound(lesion: Lesion, value: float, nuisance: Array, sd: float) -> float:
    """The least variance that an unbiased reader of the look can have, nuisances (nuisances,) being unknown to it."""
    by = lesion.derivatives(value, nuisance) / sd
    return float(np.linalg.inv(by @ by.T)[0, 0])


def read(lesion: Lesion, pixels: Array, value: float, nuisance: Array, sd: float) -> tuple[float, float]:
    """The look that makes a film (pixels,) most likely, anatomy unknown, and minus twice that log-likelihood but for a constant.

    Args:
        lesion: what is read.
        pixels: full scale being 1.
        value: of the look, where the search begins.
        nuisance: (nuisances,) where the search begins; it goes up from there by the method of Levenberg and Marquardt.
        sd: of the noise.
    """
    spans, damping = np.array([high - low for low, high in film.NUISANCES.values()]), 1e-3
    at = np.r_[value, nuisance]
    off = (pixels - lesion.films(at[:1], at[None, 1:])[0]) / sd
    by = lesion.derivatives(at[0], at[1:]) / sd
    for _ in range(_ROUNDS):
        square = by @ by.T
        step = np.linalg.solve(square + damping * np.diag(np.diag(square)), by @ off)
        tried = at + step * np.r_[1.0, spans]
        after = (pixels - lesion.films(tried[:1], tried[None, 1:])[0]) / sd
        better = off @ off - after @ after
        damping = damping / 10.0 if better > 0.0 else damping * 10.0
        if better > 0.0:
            at, off = tried, after
            if better < _ENOUGH:
                break
            if better > _NEAR:
                by = lesion.derivatives(at[0], at[1:]) / sd
    return float(at[0]), float(off @ off)


@dataclass(frozen=True)
class Errors:
    """Of n films: how far a reader was off, and how far it could not help being."""

    reader: Array
    """(n,) of the likelihood reader."""
    efficient: Array
    """(n,) of an estimator that knew the anatomy's and the look's derivatives at the truth, on the same noise: its variance is the
    bound, so that the ratio of the two variances needs few films."""
    bound: Array
    """(n,) the bound on the variance."""

    @property
    def ratio(self) -> float:
        """Variance of the reader as a multiple of that of the efficient estimator."""
        return float(np.var(self.reader) / np.var(self.efficient))


def errors(lesion: Lesion, who: Keys, values: Array, sd: float) -> Errors:
    """What the likelihood reader makes of rendered films of (n,) values.

    The reader is told nothing of the patient: its search begins at the look's centre and in the middle of each nuisance's span.
    """
    pictures = film.render(who, {"lesion": lesion.site, lesion.look: values}, size=lesion.size, noise=sd)
    middle = np.array([(low + high) / 2.0 for low, high in film.NUISANCES.values()])
    nuisance, (wrong, efficient, least) = film.nuisances(who), np.empty((3, len(who)))
    clean = lesion.films(values, nuisance)
    for i in range(len(who)):
        pixels = pictures[i].reshape(-1) / 255.0
        wrong[i] = read(lesion, pixels, film.LOOKS[lesion.look].centre, middle, sd)[0] - values[i]
        by = lesion.derivatives(values[i], nuisance[i]) / sd
        inverse = np.linalg.inv(by @ by.T)
        efficient[i], least[i] = (inverse @ (by @ ((pixels - clean[i]) / sd)))[0], inverse[0, 0]
    return Errors(wrong, efficient, least)


def main(films: int = 100) -> None:
    """Print, by site and noise, the variance added to a standardised finding: the bound, and the reader's."""
    per_sd, who = film.LOOKS["opacity"].per_sd, keys(1, np.arange(films), "film")
    values = 0.2 + per_sd * np.random.default_rng(0).standard_normal(films)
    for name in ("clear", "hard"):
        for site in film.LOOKS["lesion"].values[1:-1]:
            least = [bound(Lesion(site), 0.2, each, NOISE[name]) for each in film.nuisances(who)[:30]]
            sys.stdout.write(f"{name:<6} {site:<12} bound {np.mean(least) / per_sd**2:.4f}\n")
        found = errors(Lesion(), who, values, NOISE[name])
        sys.stdout.write(
            f"{name:<6} left_upper   reader {np.var(found.reader) / per_sd**2:.4f}, bound {np.mean(found.bound) / per_sd**2:.4f}, "
            f"{found.ratio:.3f} of what was possible on these {films} films; mean error {np.mean(found.reader) / per_sd:+.4f} sd\n"
        )


if __name__ == "__main__":
    main()
