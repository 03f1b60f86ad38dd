"""Tables: a printed report of a laboratory, as characters on a grid.

A reader network gets (n, rows, 44) uint8, each the place of a character in CHARACTERS (0 is blank): names, figures in digits, units,
the laboratory's range and a mark beside what lies outside it. Rows stand in an order of their own in every report, and the other
laboratory has other names and units, so that a value is found by reading its row, not by its place. Of what nothing is said, a value
of a healthy person is printed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities.draws import NOISE_FROM, Keys, Looks, noise_level, own_keys, settled, uniforms
from workup.errors import WorkupError
from workup.scenarios.language.looks import LOOKS as ALL_LOOKS

LOOKS = ALL_LOOKS["table"]
SIZE, COLUMNS = 16, 44
CHARACTERS = " " + "".join(chr(code) for code in range(33, 127))
ANALYTES = tuple(name for name, look in LOOKS.items() if look.graded)
PRINTED = {  # name, factor, unit, digits after the point, range; of SI, then of the other laboratory
    "haemoglobin": (("Haemoglobin", 1.0, "g/L", 0, "125-165"), ("Hb", 0.1, "g/dL", 1, "12.5-16.5")),
    "white_cells": (("White cells", 1.0, "10^9/L", 1, "4.0-11.0"), ("WBC", 1.0, "K/uL", 1, "4.0-11.0")),
    "platelets": (("Platelets", 1.0, "10^9/L", 0, "150-400"), ("Plt", 1.0, "K/uL", 0, "150-400")),
    "sodium": (("Sodium", 1.0, "mmol/L", 0, "135-145"), ("Na", 1.0, "mEq/L", 0, "135-145")),
    "potassium": (("Potassium", 1.0, "mmol/L", 1, "3.5-5.0"), ("K", 1.0, "mEq/L", 1, "3.5-5.0")),
    "urea": (("Urea", 1.0, "mmol/L", 1, "2.6-7.8"), ("BUN", 2.8, "mg/dL", 0, "7-22")),
    "creatinine": (("Creatinine", 1.0, "umol/L", 0, "60-110"), ("Creat", 1.0 / 88.4, "mg/dL", 2, "0.68-1.24")),
    "albumin": (("Albumin", 1.0, "g/L", 0, "35-50"), ("Alb", 0.1, "g/dL", 1, "3.5-5.0")),
    "alt": (("ALT", 1.0, "U/L", 0, "10-55"), ("SGPT", 1.0, "U/L", 0, "10-55")),
    "crp": (("C-reactive protein", 1.0, "mg/L", 1, "0.0-12.0"), ("CRP", 0.1, "mg/dL", 2, "0.00-1.20")),
}
STEPS_OF_NOISE = 4.0
"""The assay's error at noise 1, in standard deviations among the healthy (`Look.per_sd`): about the width of the range."""
_LABORATORY, _HAEMOLYSED = range(2)
_TITLES = ("CLINICAL BIOCHEMISTRY AND HAEMATOLOGY", "LABORATORY REPORT")


def render(keys: Keys, looks: Looks, *, size: int = SIZE, noise: str | float = "clear") -> NDArray[np.uint8]:
    """Reports.

    Args:
        keys: (n,) uint64, as `draws.keys` makes them.
        looks: look -> (n,) numbers or words; see LOOKS. Left out or NaN, a value is drawn: normal about the look's centre.
        size: lines, 14 to 100.
        noise: 'clear' (0.035), 'hard' (0.10), 'none' or a number: the error of the assay is normal, this times four standard
            deviations among the healthy (of the logarithm, where a look is logarithmic), so 0.14 and 0.4 of one; then digits
            are cut to those printed.

    Returns:
        (n, size, 44) uint8, places in CHARACTERS.

    Raises:
        UnknownNameError, WorkupError: keys, looks, size or noise that cannot be; see `draws`.

    Examples:
        >>> from workup.envs.modalities import table
        >>> from workup.envs.modalities.draws import keys
        >>> table.render(keys(0, np.arange(2), "bloods"), {"sodium": [128, 140]}).shape
        (2, 16, 44)
    """
    if not 14 <= size <= 100:
        raise WorkupError(f"size: found {size!r}; expected 14 to 100 lines")
    pages = _pages(keys, looks, size, noise)
    codes = np.frombuffer("".join(pages).encode("ascii"), np.uint8).reshape(len(keys), size, COLUMNS)
    return codes - np.uint8(32)


def text(keys: Keys, looks: Looks, *, size: int = SIZE, noise: str | float = "clear") -> list[str]:
    """The same reports to read: n texts of lines."""
    rendered = render(keys, looks, size=size, noise=noise) + np.uint8(32)
    return ["\n".join(bytes(line).decode("ascii").rstrip() for line in page) for page in rendered]


def measured(keys: Keys, looks: Looks, *, noise: str | float = "clear") -> NDArray[np.float64]:
    """(n, analytes) what the assay gave, in the units of LOOKS, before it is printed; in the order of ANALYTES."""
    graded, _ = settled("table", looks, len(keys))
    own, sd = own_keys(keys, "table"), STEPS_OF_NOISE * noise_level(noise)
    radius, turn = np.split(uniforms(own, np.arange(4 * len(ANALYTES)) + NOISE_FROM), 2, axis=1)
    normal = np.sqrt(-2.0 * np.log1p(-radius)) * np.cos(2.0 * np.pi * turn)
    healthy, error = np.split(normal, 2, axis=1)
    looks_of = [LOOKS[name] for name in ANALYTES]
    centre, per_sd = (np.array([getattr(look, field) for look in looks_of]) for field in ("centre", "per_sd"))
    logarithmic = np.array([look.logarithmic for look in looks_of])
    drawn = np.where(logarithmic, centre * np.exp(per_sd * healthy), centre + per_sd * healthy)
    true = np.where(np.isnan(graded), drawn, graded)
    return np.where(logarithmic, true * np.exp(sd * per_sd * error), true + sd * per_sd * error)


def _pages(keys: Keys, looks: Looks, size: int, noise: str | float) -> list[str]:
    _, named = settled("table", looks, len(keys))
    order = np.argsort(uniforms(own_keys(keys, "table"), np.arange(len(ANALYTES))), axis=1)
    found = measured(keys, looks, noise=noise)
    return [_page(*each, size) for each in zip(found.tolist(), named.tolist(), order.tolist(), strict=True)]


def _page(found: list[float], named: list[int], order: list[int], size: int) -> str:
    laboratory = named[_LABORATORY]
    lines = [_TITLES[laboratory], ""]
    for i in order:
        name, factor, unit, digits, normal = PRINTED[ANALYTES[i]][laboratory]
        value = f"{found[i] * factor:.{digits}f}"
        low, high = (float(end) for end in normal.split("-"))
        mark = "L" if float(value) < low else "H" if float(value) > high else ""
        lines.append(f"{name:<18} {value:>6} {unit:<6} {normal:>9} {mark:>1}")
    lines += ["", "Remark: sample haemolysed"] if named[_HAEMOLYSED] else []
    lines += [""] * (size - len(lines))
    return "".join(f"{line:<{COLUMNS}}" for line in lines)
