"""Names for `gymnasium.make`: one id for each scenario folder, and `workup/Journey-v0` for any scenario.

Gymnasium imports this module when it is imported itself, so nothing heavy may be imported here.
"""

from __future__ import annotations

from importlib.resources import files

_SINGLE = "workup.envs.gym_env:JourneyEnv"
_VECTOR = "workup.envs.vector_env:JourneyVectorEnv"


def register_all() -> None:
    """Register every id; Gymnasium calls it through the entry point, which also puts `workup/` before each name."""
    for scenario in scenario_folders():
        _register(environment_name(scenario), {"scenario": scenario})
    _register("Journey-v0", {})


def scenario_folders() -> list[str]:
    """Ids of the scenarios that come with workup, by folder."""
    folders = files("workup.scenarios").iterdir()
    return sorted(folder.name for folder in folders if folder.joinpath("scenario.yaml").is_file())


def environment_name(scenario: str) -> str:
    """weight_loss -> WeightLoss-v0."""
    return "".join(word.capitalize() for word in scenario.split("_")) + "-v0"


def _register(name: str, kwargs: dict[str, str]) -> None:
    from gymnasium.envs.registration import current_namespace, register, registry

    full = name if current_namespace == "workup" else f"workup/{name}"
    if f"workup/{name}" not in registry:
        register(id=full, entry_point=_SINGLE, vector_entry_point=_VECTOR, kwargs=kwargs)
