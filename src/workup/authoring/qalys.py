"""QALYs that a death costs, by age and fitness: from a life table and the population's quality of life.

Each year that the life table lets people hope for counts by the quality of life of that age, discounted to today. The figures are on
docs/qalys.md, for authors to copy, and the words there say how far to trust them.

Source: mortality: Office for National Statistics, National life tables, England, 2017 to 2019 (qx of both sexes, Open Government
Licence), seen as republished in the data of McNamara et al., Value in Health 2022 (doi:10.1016/j.jval.2022.07.005). Quality of life:
Ara and Brazier, Value in Health 2010;13:509-518 (doi:10.1111/j.1524-4733.2010.00700.x), coefficients seen in published models
that use them, not in the paper. Discount: 3.5% a year, the rate of NICE's reference case, recalled. Frail: hazard ratio 2.40 (2.17
to 2.65) against healthy adults, BMC Geriatrics 2022 (doi:10.1186/s12877-022-03404-w), abstract seen; quality: median EQ-5D index
0.574 of acute patients of 65 and over at Clinical Frailty Scale 5 to 8, BMC Emergency Medicine 2023
(doi:10.1186/s12873-023-00909-4), abstract seen, over the norm at 80. Severely frail: both assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workup.errors import UnknownNameError, WorkupError, suggestion

DISCOUNT = 0.035
YOUNGEST, OLDEST = 18, 100
"""Ages at death that the function answers for: the norms are of adults, and the life table ends."""
_LAST = 130
"""Nobody lives longer; the chance of dying stays that of 100."""
BANDS = ((18, 39), (40, 49), (50, 59), (60, 69), (70, 79), (80, 89), (90, 100))

# Chances of dying within a year, per million, at 0 to 100 years.
_MALES = (
    4_267, 243, 132, 101, 97, 85, 88, 69, 67, 59, 74, 85, 105, 127, 121, 174, 227, 316, 400, 448, 508, 513, 504, 505,
    552, 598, 581, 621, 695, 732, 771, 835, 835, 929, 957, 1_073, 1_146, 1_309, 1_261, 1_399, 1_529, 1_670, 1_818,
    2_002, 2_093, 2_347, 2_488, 2_696, 2_852, 3_189, 3_379, 3_606, 3_907, 4_125, 4_478, 4_760, 5_389, 5_856, 6_394,
    6_930, 7_595, 8_313, 9_223, 10_178, 10_947, 12_025, 13_330, 14_437, 15_740, 17_289, 18_286, 20_276, 22_326,
    25_500, 28_123, 31_402, 35_115, 38_838, 43_521, 48_099, 53_982, 60_071, 66_512, 75_396, 84_755, 94_664, 106_853,
    118_585, 133_359, 149_851, 159_530, 179_055, 196_950, 215_044, 238_086, 261_012, 286_714, 304_113, 325_892,
    369_540, 384_386,
)  # fmt: skip
_FEMALES = (
    3_536, 213, 127, 98, 68, 86, 82, 62, 64, 53, 64, 66, 60, 80, 101, 112, 147, 159, 227, 200, 190, 211, 229, 222,
    222, 254, 262, 292, 314, 320, 370, 394, 453, 486, 556, 582, 645, 784, 732, 852, 902, 986, 1_073, 1_171, 1_316,
    1_425, 1_564, 1_695, 1_840, 1_943, 2_169, 2_358, 2_557, 2_697, 2_914, 3_194, 3_542, 3_816, 4_230, 4_616, 5_054,
    5_492, 6_264, 6_714, 7_264, 7_988, 8_573, 9_380, 10_330, 11_296, 12_437, 13_337, 15_241, 17_347, 19_167, 21_437,
    24_217, 27_308, 30_961, 34_481, 38_463, 43_634, 48_958, 56_269, 63_935, 72_462, 83_094, 93_462, 106_434, 118_942,
    134_387, 150_755, 167_079, 184_344, 204_467, 228_210, 250_765, 267_058, 291_260, 309_526, 343_363,
)  # fmt: skip


@dataclass(frozen=True)
class Fitness:
    """What a state of health does to the years left: the hazard of dying and the quality of life, as multiples of the average."""

    hazard: float
    quality: float


def norm(age: float, *, male: float = 0.5) -> float:
    """Mean EQ-5D index of people of an age, 1 for full health; `male` is the share of men in [0, 1]."""
    return 0.9508566 + 0.0212126 * male - 0.0002587 * age - 0.0000332 * age**2


FITNESS = {
    "average": Fitness(1.0, 1.0),
    "frail": Fitness(2.40, 0.574 / norm(80.0)),
    "severely frail": Fitness(5.0, 0.5),
}


def qalys_lost(age: int, *, male: float = 0.5, fitness: str = "average", discount: float = DISCOUNT) -> float:
    """QALYs that somebody who dies at an age would have had.

    Args:
        age: whole years, 18 to 100.
        male: 1 for a man, 0 for a woman, between for a share of men at that age.
        fitness: 'average' (the population, frail people included), 'frail' or 'severely frail'.
        discount: a year, 0 for none.

    Raises:
        WorkupError: an age, share or discount outside its range.
        UnknownNameError: no such fitness.

    Examples:
        >>> from workup.authoring.qalys import qalys_lost
        >>> round(qalys_lost(75), 2), round(qalys_lost(75, fitness="frail"), 2)
        (6.86, 3.75)
    """
    _check(age, male, discount)
    if fitness not in FITNESS:
        raise UnknownNameError(f"no fitness {fitness!r}{suggestion(fitness, FITNESS)}")
    of = FITNESS[fitness]
    return sum(
        share * of.quality * _years(age, sex, of.hazard, discount)
        for sex, share in ((1, male), (0, 1.0 - male))
        if share
    )


def _years(age: int, sex: int, hazard: float, discount: float) -> float:
    """Years at their quality, of a man (1) or a woman (0): those who die within a year live half of it."""
    alive, total, chances = 1.0, 0.0, _MALES if sex else _FEMALES
    for at in range(age, _LAST):
        survive = (1.0 - chances[min(at, OLDEST)] / 1e6) ** hazard
        lived, after = alive * (1.0 + survive) / 2.0, at - age + 0.5
        total += lived * max(norm(at + 0.5, male=sex), 0.0) / (1.0 + discount) ** after
        alive *= survive
    return total


def by_band() -> dict[tuple[int, int], dict[str, float]]:
    """(from, to) in whole years -> fitness -> QALYs lost, averaged over the ages and sexes of the life table's survivors."""
    return {(low, high): {fitness: _averaged(low, high, fitness) for fitness in FITNESS} for low, high in BANDS}


def _averaged(low: int, high: int, fitness: str) -> float:
    lost = weight = 0.0
    for age in range(low, high + 1):
        for sex, chances in ((1, _MALES), (0, _FEMALES)):
            alive = math.prod(1.0 - chance / 1e6 for chance in chances[:age])
            lost += alive * qalys_lost(age, male=sex, fitness=fitness)
            weight += alive
    return lost / weight


def _check(age: int, male: float, discount: float) -> None:
    if isinstance(age, bool) or not isinstance(age, int) or not YOUNGEST <= age <= OLDEST:
        raise WorkupError(f"age is {age!r}; expected whole years from {YOUNGEST} to {OLDEST}")
    if not 0.0 <= male <= 1.0:
        raise WorkupError(f"male is {male!r}; expected a share of men from 0 to 1")
    if not (math.isfinite(discount) and discount >= 0.0):
        raise WorkupError(f"discount is {discount!r}; expected a rate a year of 0 or more, such as 0.035")
