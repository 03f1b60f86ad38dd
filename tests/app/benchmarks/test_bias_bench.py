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
