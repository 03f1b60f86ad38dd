"""What tests share: worlds compiled once a process, a cache of their own, and the same examples at every run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from support.optional import CAN_TRAIN, NEEDS
from support.shipped import world_of

from workup.envs.model.world import World

settings.register_profile("same examples", derandomize=True)
settings.register_profile("fresh examples", derandomize=False)
settings.load_profile("same examples")  # `make fuzz` asks for the other


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that train are skipped where what they train with is not installed; where it is broken, they fail."""
    for item in items:
        if not CAN_TRAIN and item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason=NEEDS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Processes side by side compute with one thread each, or those of one wait for those of another."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The tests of a file go to one process, in the files' order: what they share is worked out once."""
    if config.getoption("dist") != "load":
        return None  # as was asked for
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes what the person at this machine has worked out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> World:
    """The world of the scenario that a test module names as SCENARIO; of the tutorial where it names none."""
    return world_of(getattr(request.module, "SCENARIO", "tutorial"))
