"""workup: patients' diagnostic journeys for reinforcement learning. Synthetic patients; never medical advice."""

from __future__ import annotations

from typing import Any

from workup.envs.views.registration import register_with_gymnasium

__version__ = "0.1.0"

_HOMES = {
    "load_network": "workup.importers.networks.files",
    "load_scenario": "workup.scenarios.language.library",
    "list_scenarios": "workup.scenarios.language.library",
    "Network": "workup.envs.model.network",
    "compile_world": "workup.envs.compile.compile",
    "WorkupError": "workup.errors",
}
__all__ = ["Network", "WorkupError", "__version__", "compile_world", "list_scenarios", "load_network", "load_scenario"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used, so that `import workup` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'workup' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


register_with_gymnasium()
