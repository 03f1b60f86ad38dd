"""Which workup this is: what its installation says, so that it stands in pyproject.toml alone."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("workup")
except PackageNotFoundError:  # run from a folder that was never installed
    __version__ = "0+not.installed"
