"""Where nothing can be kept on disk, the engine and the planner still run."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

_RUN = """
import warnings
from numba.core import caching
caching.CacheImpl._locator_classes = []
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    import workup.agents.planning, workup.envs.engine.engine
    from workup.envs.model.randomness import seed_key
print(int(seed_key(0)), [str(each.message) for each in told if each.category.__name__ == "WorkupWarning"])
"""


def test_without_a_place_for_machine_code_a_warning_is_all() -> None:
    from workup.envs.model.randomness import seed_key

    done = subprocess.run([sys.executable, "-c", _RUN], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    key, told = done.stdout.split(" ", 1)
    assert int(key) == int(seed_key(0))
    assert told.count("compiled anew in each process") == 1
    assert "NUMBA_CACHE_DIR" in told
