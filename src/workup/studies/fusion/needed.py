"""What must be installed for fusion."""

from __future__ import annotations

from importlib.util import find_spec

from workup.errors import WorkupError


def need_packages() -> None:
    """Raises WorkupError, with the remedy, where torch or scikit-learn is not installed."""
    for package, name in (("torch", "torch"), ("sklearn", "scikit-learn")):
        if find_spec(package) is None:
            raise WorkupError(f"fusion needs {name}, which is not installed; run: pip install 'workup[fusion]'")
