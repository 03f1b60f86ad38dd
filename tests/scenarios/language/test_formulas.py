"""Formulas give what Python's own arithmetic gives, and refuse what is no arithmetic, however it is dressed up."""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import pytest

from workup.scenarios.language.formulas import FormulaError, parse_formula

FIGURES = {"findings.fever.chance.viral": 0.3, "prior.table.a, b": 0.25, "acts.x.cost_gbp": 80.0}
NAMES = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "min": min, "max": max, "round": round,
    "normal_cdf": NormalDist().cdf, "probit": NormalDist().inv_cdf,
}  # fmt: skip


def value(text: str) -> float:
    return parse_formula(text).value(FIGURES)


def written(random_of: random.Random, deep: int) -> tuple[str, str]:
    """An expression by chance, as a formula and as Python."""
    if deep == 0 or random_of.random() < 0.15:
        number = random_of.choice([f"{random_of.uniform(0, 9):.3f}", str(random_of.randint(0, 20)), ".5", "1.5e-2"])
        return number, repr(float(number))  # whole numbers of Python grow without end
    kind = random_of.randrange(6)
    a, b = written(random_of, deep - 1), written(random_of, deep - 1)
    if kind < 3:
        sign = random_of.choice("+-*/^")
        gap = random_of.choice(["", " "])
        return f"{a[0]}{gap}{sign}{gap}{b[0]}", f"{a[1]} {sign.replace('^', '**')} {b[1]}"
    if kind == 3:
        return f"({a[0]})", f"({a[1]})"
    if kind == 4:
        return f"-{a[0]}", f"-{a[1]}"
    name = random_of.choice(["exp", "log", "sqrt", "normal_cdf", "min", "max"])
    inner = (f"{a[0]}, {b[0]}", f"{a[1]}, {b[1]}") if name in ("min", "max") else a
    return f"{name}({inner[0]})", f"{name}({inner[1]})"


def test_formulas_give_what_python_gives() -> None:
    chance, computed = random.Random(5), 0
    for _ in range(3000):
        formula, python = written(chance, 3)
        try:
            expected = eval(python, {"__builtins__": {}}, NAMES)
            if isinstance(expected, complex) or not math.isfinite(expected):
                raise OverflowError
        except (ArithmeticError, ValueError, TypeError):  # the last: of a complex number
            with pytest.raises(FormulaError):
                value(formula)
            continue
        assert value(formula) == pytest.approx(expected, rel=1e-12, abs=1e-300), formula
        computed += 1
    assert computed > 2000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("908 / 63973 * 1.7", 0.024129),
        ("1 - findings.fever.chance.viral", 0.7),
        ("[prior.table.a, b] × 2", 0.5),
        ("Φ(1.959964)", 0.975),
        ("probit(0.975)", 1.959964),
        ("-2^2", -4),
        ("2^3^2", 512),
        ("2**-1", 0.5),
        ("8 − 2 − 1", 5),
        ("12 ÷ 2 / 3", 2),
        ("round(1234.5, -2)", 1200),
        ("round(2.345, 1)", 2.3),
    ],
)
def test_what_may_be_written(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, abs=1e-6)


def test_a_formula_says_what_it_is_made_of() -> None:
    formula = parse_formula("acts.x.cost_gbp * 1.5 + [prior.table.a, b] - acts.x.cost_gbp")
    assert formula.figures == ("acts.x.cost_gbp", "prior.table.a, b")
    assert formula.numbers == (1.5,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9^9^9^9", "too large"),
        ("exp(1e9)", "too large"),
        ("1e308 * 10", "too large"),
        ("1e999", "too large"),
        ("1 / 0", "divides by 0"),
        ("1 / (0.3 - findings.fever.chance.viral)", "divides by 0"),
        ("0 ^ -1", "is no number"),
        ("log(0)", "log of 0 is no number"),
        ("sqrt(-1)", "no number"),
        ("(-1) ^ 0.5", "no number"),
        ("probit(1)", "no number"),
        ("round(1, 0.5)", "no number"),
        ("findings.cough.chance", "no figure"),
        ("fever", "'fever' is no function"),
        ("__import__('os')", "at character 12; that is no arithmetic"),
        ("__import__(1)", "'__import__' is no function"),
        ("exp.__class__(1)", "found '\\(' at character 14"),
        ("63,973", "thousands without a comma"),
        ("", "found the end; expected a number"),
        ("1 +", "found the end"),
        ("(1", "expected \\)"),
        ("1 2", "found '2' at character 3"),
        ("1.2.3", "no arithmetic"),
        ("50%", "found '%' at character 3; that is no arithmetic"),
        ("min(1)", "min takes 2 to 20 numbers; found 1"),
        ("exp(1, 2)", "exp takes 1 number; found 2"),
        ("exp 1", "\\( after exp"),
        ("lambda: 1", "that is no arithmetic"),
        ("1" * 501, "501 characters; expected at most 500"),
        ("(" * 60 + "1" + ")" * 60, "nested more than 30 deep"),
        ("-" * 200 + "1", "nested more than 30 deep"),
        ("2" + "^2" * 200, "nested more than 30 deep"),
        ("1/" * 200, "found the end"),
    ],
)
def test_what_is_no_arithmetic_or_does_not_compute_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        value(text)
