"""Whatever becomes of a scenario file, lint answers with faults, and soon."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.command import run

from workup.benchmarks import altered
from workup.benchmarks.altered import WAYS, lint_altered

pytestmark = pytest.mark.slow


def test_altered_scenarios_are_answered() -> None:
    """Ten for each way; `workup bench lint --altered 1000` looks at as many as one likes."""
    answers = lint_altered(70, seed=0)
    assert [answer for answer in answers if not answer.sound] == []
    assert {answer.way for answer in answers} == set(WAYS)
    assert sum(answer.faults > 0 for answer in answers) > 35


def test_the_same_seed_alters_alike_and_each_way_does_something() -> None:
    text = b"a: 1\nblock:\n  - {word: 2.5, other: words}\n  - more\nend: here\n...\n"
    for way in WAYS.values():
        found = [way(text, np.random.default_rng(i)) for i in range(20)]
        assert found == [way(text, np.random.default_rng(i)) for i in range(20)]
        assert any(each != text for each in found)


def test_a_traceback_is_reported_with_its_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(folder: object) -> None:
        if Path(str(folder)).parent.name.startswith("tmp"):
            raise KeyError("bands")

    monkeypatch.setattr(altered, "lint_compiled", raises)
    status, out, _ = run(capsys, "bench", "lint", "--altered", 2, "--seed", 3)
    assert status == 1
    assert "number 1 of seed 3: Traceback" in out
    assert "KeyError: 'bands'" in out
    assert "2 tracebacks" in out
