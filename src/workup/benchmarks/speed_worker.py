"""Measures rates on the code of one commit, in a process of its own: what is asked and answered is JSON, a line each.

The loop is that of the `speed.py` beside this file, whichever workup is imported, so that two commits are measured alike. Of
that workup both need no more than `workup.envs.views.registration.environment_id`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    """Say which workup this is, then answer until there is nothing more to read."""
    loops = _beside("speed.py")
    _say({"workup": str(Path(str(sys.modules[loops.environment_id.__module__].__file__)).resolve())})
    known: dict[tuple[str, str, int], Callable[[float], float]] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        key = (asked["scenario"], asked["view"], asked["size"])
        try:
            if key not in known:
                known = {
                    key: loops.rate_of(loops.environment_id(key[0]), *key[1:])
                }  # one at a time, for the caches' sake
                known[key](0.05)  # compile
            _say({"steps_per_cpu_s": known[key](asked["seconds"])})
        except Exception as error:
            _say({"error": f"{type(error).__name__}: {error}"})


def _beside(name: str) -> Any:
    path = Path(__file__).with_name(name)
    spec = importlib.util.spec_from_file_location("speed_loops", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
