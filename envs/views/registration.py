"""Names for `gymnasium.make`: one id for each scenario folder and each scenario that another installed package offers, and
`workup/Journey-v0` for any scenario.

`import workup` is enough, before or after `import gymnasium`. Gymnasium has had no plug-in mechanism since 1.0, and
importing it from `workup` would double the start-up time of the command line; so where it is not loaded yet, the
ids are registered at the moment it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.resources import files
from importlib.util import find_spec
from types import ModuleType

_SINGLE = "workup.envs.views.env:JourneyEnv"
_VECTOR = "workup.envs.views.vector:JourneyVectorEnv"


def register_all() -> None:
    """Register every id; calling it again changes nothing."""
    from workup.plugins import names_offered

    ours = scenario_folders()
    for scenario in (*ours, *names_offered("workup.scenarios", ours)):
        _register(environment_id(scenario), {"scenario": scenario})
    _register("workup/Journey-v0", {})


def register_with_gymnasium() -> None:
    """Register now if Gymnasium is loaded, otherwise once it is."""
    if "gymnasium" in sys.modules:
        register_all()
    else:
        sys.meta_path.insert(0, _OnceGymnasiumLoads())


def scenario_folders() -> list[str]:
    """Ids of the scenarios that come with workup, by folder (the reader of scenarios is too slow to import here)."""
    folders = files("workup.scenarios").iterdir()
    return sorted(folder.name for folder in folders if folder.joinpath("scenario.yaml").is_file())


def environment_id(scenario: str) -> str:
    """weight_loss -> workup/WeightLoss-v0."""
    return f"workup/{''.join(word.capitalize() for word in scenario.split('_'))}-v0"


def _register(name: str, kwargs: dict[str, str]) -> None:
    from gymnasium.envs.registration import register, registry

    if name not in registry:
        register(id=name, entry_point=_SINGLE, vector_entry_point=_VECTOR, kwargs=kwargs)


class _OnceGymnasiumLoads(MetaPathFinder):
    """Finds nothing itself; registers after the module `gymnasium` has run, then is gone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_then_register(module: ModuleType) -> None:
                run(module)
                register_all()

            spec.loader.exec_module = run_then_register  # type: ignore[method-assign]
        return spec
