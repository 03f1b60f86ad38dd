"""What the bench of data-collection bias is asked to measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from workup.benchmarks.bias import bench_bias
from workup.errors import WorkupError


@pytest.mark.parametrize(
    ("parts", "says"), [(["librry"], r"no part 'librry'.*did you mean 'library'"), ([], "no parts to measure")]
)
def test_parts_that_are_none_are_named(tmp_path: Path, parts: list[str], says: str) -> None:
    with pytest.raises(WorkupError, match=says):
        bench_bias(parts, runs=tmp_path)


def test_phenomena_are_kept_with_what_they_show(tmp_path: Path) -> None:
    done = bench_bias(["phenomena"], patients=20_000, runs=tmp_path)
    assert {each.cell.scenario for each in done} >= {"gates", "two_by_two", "sample", "film_and_slide"}
    assert all(each.result["quantities"] for each in done)
    assert all(row["holds"] in (True, False) for each in done for row in each.result["quantities"])
    assert bench_bias(["phenomena"], patients=20_000, runs=tmp_path) == done
