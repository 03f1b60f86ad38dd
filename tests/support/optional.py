"""What only training needs (`workup[train]`): everything else is tested without it too."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

TRAINING = ("torch", "stable_baselines3", "sb3_contrib")
CAN_TRAIN = find_spec("sb3_contrib") is not None
"""Whether it is installed, not whether it works: where it is broken, tests fail."""
NEEDS = "needs workup[train]"


def import_unless_training(module: str) -> None:
    """Import it, unless it needs what is not installed because nobody asked for training."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if CAN_TRAIN or str(error.name).partition(".")[0] not in TRAINING:
            raise
