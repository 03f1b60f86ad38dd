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
_STEP = 1e-3
"""Of a derivative, as a share of a nuisance's span, and of full scale for the look."""
_ROUNDS, _ENOUGH = 25, 1e-4


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
        at = np.repeat(np.r_[value, nuisance][None], 2 * (1 + len(spans)), axis=0)
        for i, step in enumerate(np.r_[_STEP, _STEP * spans]):
            at[2 * i, i] += step
            at[2 * i + 1, i] -= step
        found = self.films(at[:, 0], at[:, 1:])
        return np.asarray((found[0::2] - found[1::2]) / (2.0 * _STEP))


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
            by = lesion.derivatives(at[0], at[1:]) / sd
    return float(at[0]), float(off @ off)


def errors(lesion: Lesion, who: Keys, values: Array, sd: float) -> tuple[Array, Array]:
    """(n,) errors of the likelihood reader on rendered films, and (n,) the bound on their variance.

    The reader is told nothing of the patient: its search begins at the look's centre and in the middle of each nuisance's span.
    """
    pictures = film.render(who, {"lesion": lesion.site, lesion.look: values}, size=lesion.size, noise=sd)
    middle = np.array([(low + high) / 2.0 for low, high in film.NUISANCES.values()])
    nuisance, wrong, least = film.nuisances(who), np.empty(len(who)), np.empty(len(who))
    for i in range(len(who)):
        found = read(lesion, pictures[i].reshape(-1) / 255.0, film.LOOKS[lesion.look].centre, middle, sd)
        wrong[i] = found[0] - values[i]
        least[i] = bound(lesion, values[i], nuisance[i], sd)
    return wrong, least


def main(films: int = 1_000) -> None:
    """Print, by site and noise, the variance added to a standardised finding: the bound, and the reader's."""
    per_sd, rows = film.LOOKS["opacity"].per_sd, []
    for site in film.LOOKS["lesion"].values[1:-1]:
        who = keys(1, np.arange(60), "film")
        for name, sd in (("clear", NOISE["clear"]), ("hard", NOISE["hard"])):
            least = [bound(Lesion(site), 0.2, each, sd) for each in film.nuisances(who)]
            rows.append(f"{site:<12} {name:<6} bound {np.mean(least) / per_sd**2:.4f}")
    who = keys(2, np.arange(films), "film")
    values = 0.2 + per_sd * np.random.default_rng(0).standard_normal(films)
    for name, sd in (("clear", NOISE["clear"]), ("hard", NOISE["hard"])):
        wrong, least = errors(Lesion(), who, values, sd)
        ratio = np.mean(wrong**2) / np.mean(least)
        rows.append(
            f"left_upper   {name:<6} reader {np.mean(wrong**2) / per_sd**2:.4f}, {ratio:.3f} of the bound, {films} films; "
            f"mean error {np.mean(wrong) / per_sd:.4f} (of 1 sd)"
        )
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
