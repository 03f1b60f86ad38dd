"""The wheel holds every module and data file: editable installs hide an unlisted subpackage."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.places import ROOT

pytestmark = pytest.mark.slow

HOMES = {"scenarios": "workup/scenarios", "envs": "workup/envs", "agents": "workup/agents", "src/workup": "workup"}
DATA_SUFFIXES = {".yaml", ".json", ".html", ".css", ".js", ".md", ".safetensors", ".typed"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built through the sdist as a release would be, from a copy without stale metadata."""
    source = tmp_path_factory.mktemp("source")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, tracked.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*build, "--sdist", str(source)], check=True, capture_output=True)
    unpacked = tmp_path_factory.mktemp("sdist")
    with tarfile.open(next(out.glob("*.tar.gz"))) as archive:
        archive.extractall(unpacked, filter="data")
    subprocess.run([*build, "--wheel", str(next(unpacked.iterdir()))], check=True, capture_output=True)
    return next(out.glob("*.whl"))


def expected_files() -> set[str]:
    found = set()
    for folder, home in HOMES.items():
        for directory, subdirectories, names in os.walk(ROOT / folder):
            subdirectories[:] = [
                d for d in subdirectories if d != "__pycache__" and not (Path(directory) / d).is_symlink()
            ]
            for name in names:
                path = Path(directory) / name
                if path.suffix in DATA_SUFFIXES | {".py"}:
                    found.add(f"{home}/{path.relative_to(ROOT / folder)}")
    return found


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert expected_files() - held == set()
    assert {name for name in held - expected_files() if not re.match(r"workup-[^/]+\.dist-info/", name)} == set()


def test_every_module_imports_from_the_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(tmp_path),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    program = (
        "import pathlib, sys, workup\n"
        f"sys.path.append({str(ROOT / 'tests')!r})\n"
        "from support.optional import import_unless_training\n"
        f"root = pathlib.Path({str(tmp_path)!r})\n"
        "assert pathlib.Path(workup.__file__).is_relative_to(root), workup.__file__\n"
        "for path in sorted((root / 'workup').rglob('*.py')):\n"
        "    name = '.'.join(path.relative_to(root).with_suffix('').parts).removesuffix('.__init__')\n"
        "    if not name.endswith('__main__'): import_unless_training(name)\n"
        "assert len(workup.list_scenarios()) >= 2\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, env=environment)
