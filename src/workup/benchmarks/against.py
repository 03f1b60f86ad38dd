"""How fast the environments are against an earlier commit: both measured in turn, by the same loop, in processes of their own."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypedDict

from workup.benchmarks.runner import Cell, Progress, Tell, run
from workup.errors import UnknownNameError, WorkupError

VIEWS, SIZES = ("raw", "belief"), (1, 64, 4096)
WORKER = Path(__file__).with_name("speed_worker.py")
Rate = Callable[[str, str, int, float], float]
"""Steps per CPU second of a scenario, a view and a number of environments, measured for some CPU seconds."""


class Ratio(TypedDict):
    """This code's steps per CPU second by those of the commit: above 1 is faster."""

    best: float
    """Of the best rounds."""
    median: float
    """Of pairs of rounds."""
    steps_per_cpu_s: float
    """Of this code, the best round."""


class Against(TypedDict):
    """What `workup bench speed --against COMMIT --json` writes."""

    commit: str
    against: str
    """Both in full."""
    changed: bool
    """Whether this code has changes that are in no commit."""
    rounds: int
    left_out: list[str]
    """Scenarios that the commit does not have."""
    ratios: dict[str, dict[str, dict[str, Ratio]]]
    """Scenario -> view -> number of environments."""


class Checkout:
    """The git checkout that this code runs from.

    Raises:
        WorkupError: there is none, or no git.
    """

    def __init__(self, folder: Path = WORKER.parent) -> None:
        self._folder = folder
        try:
            self.root = Path(self._git("rev-parse", "--show-toplevel"))
        except WorkupError as error:
            raise WorkupError(
                f"{folder} is in no git checkout of workup, so there is no commit to compare with; run it from a clone "
                f"that was installed with `pip install -e .` ({error})"
            ) from None
        self._folder = self.root  # what git lists is what lies below
        self.head = self._git("rev-parse", "HEAD")

    def commit(self, name: str) -> str:
        """The full name of a commit. Raises UnknownNameError."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except WorkupError:
            raise UnknownNameError(
                f"{self.root} has no commit {name!r}; expected a commit, a branch or a tag, such as HEAD~1"
            ) from None

    def changes(self) -> str:
        """A name for what is in no commit; empty if nothing is."""
        found = hashlib.sha256(self._git("diff", "HEAD").encode())
        fresh = self._git("ls-files", "--others", "--exclude-standard").splitlines()
        for name in fresh:
            found.update(name.encode() + (self.root / name).read_bytes())
        return found.hexdigest()[:16] if fresh or self._git("status", "--porcelain") else ""

    def has(self, commit: str, scenario: str) -> bool:
        """Whether a scenario is in a commit."""
        return bool(self._git("ls-tree", "--name-only", commit, "--", f"scenarios/{scenario}/scenario.yaml"))

    @contextmanager
    def at(self, commit: str) -> Iterator[Path]:
        """A folder with the files of a commit, which is gone afterwards."""
        try:
            with _stopping(), tempfile.TemporaryDirectory(prefix="workup-against-") as folder:
                there = Path(folder) / "checkout"
                self._git("worktree", "add", "--detach", str(there), commit)
                yield there
        finally:
            self._git("worktree", "prune")  # of what is gone

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["git", "-C", str(self._folder), *arguments], capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise WorkupError(f"git cannot be run: {error}") from error
        if done.returncode:
            raise WorkupError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()


@contextmanager
def _stopping() -> Iterator[None]:
    """A request to end is an interrupt, so that what was begun is tidied up."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def worker(checkout: Path, caches: Path | None = None) -> Iterator[Rate]:
    """A process that measures the code of a checkout.

    Args:
        checkout: its root.
        caches: where it keeps what it compiles; None: where this process does.

    Raises:
        WorkupError: it runs other code, or fails.
    """
    home = checkout / "src"
    before = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(home), *before])}
    if caches is not None:
        environment |= {"NUMBA_CACHE_DIR": str(caches)}
    command = [sys.executable, "-P", str(WORKER)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=checkout
    ) as process:
        try:
            came_from = Path(str(_told(process)["workup"]))
            if not came_from.is_relative_to(checkout.resolve()):
                raise WorkupError(f"the code of {came_from.parent} ran; expected that of {checkout}")
            yield lambda scenario, view, size, seconds: float(
                _ask(process, {"scenario": scenario, "view": view, "size": size, "seconds": seconds})["steps_per_cpu_s"]
            )
        finally:
            process.kill()


def _ask(process: subprocess.Popen[str], what: Mapping[str, Any]) -> Mapping[str, Any]:
    assert process.stdin is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()
    answer = _told(process)
    if "error" in answer:
        raise WorkupError(str(answer["error"]))
    return answer


def _told(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise WorkupError(f"the process that measures ended with status {process.wait()}; what it said stands above")
    found: Mapping[str, Any] = json.loads(line)
    return found


def bench_against(
    commit: str,
    scenarios: Sequence[str],
    *,
    views: Sequence[str] = VIEWS,
    sizes: Sequence[int] = SIZES,
    rounds: int = 5,
    seconds: float = 0.4,
    runs: Path = Path("runs/speed"),
    progress: Progress = lambda _: None,
    checkout: Checkout | None = None,
) -> Against:
    """This code against a commit of the same repository.

    Args:
        commit: a commit, branch or tag.
        scenarios: ids of scenarios that come with workup; those that the commit lacks are left out.
        views: what is observed.
        sizes: numbers of environments; 1 goes through `gym.make`.
        rounds: of each, the two in turn, each first in every other.
        seconds: CPU seconds of a round of one of them.
        runs: finished parts are kept here; called again, it goes on.
        progress: see `Standing`.
        checkout: by default that which this code runs from.

    Raises:
        UnknownNameError: there is no such commit, or it has none of the scenarios.
        WorkupError: no git checkout, or code that cannot be measured.
    """
    here = checkout or Checkout()
    other, changes = here.commit(commit), here.changes()
    known = [name for name in scenarios if here.has(other, name)]
    if not known:
        raise UnknownNameError(
            f"commit {commit} has no scenario {', '.join(scenarios)}; name one that was there by then"
        )
    cells = [
        Cell(
            scenario=name,
            digest=f"{here.head[:12]}{'+' * bool(changes)}{changes} {other[:12]}",
            agent=f"{view}-{size}",
            settings={"rounds": rounds, "seconds": seconds},
        )
        for name in known
        for view in views
        for size in sizes
    ]
    with _pair(here, other) as rates:
        done = run(cells, lambda cell, tell: _measure(rates(), cell, tell), folder=runs, progress=progress)
    ratios: dict[str, dict[str, dict[str, Ratio]]] = {}
    for each in done:
        view, _, size = each.cell.agent.partition("-")
        ratios.setdefault(each.cell.scenario, {}).setdefault(view, {})[size] = ratio_of(each.result["pairs"])
    return Against(
        commit=here.head, against=other, changed=bool(changes), rounds=rounds,
        left_out=[name for name in scenarios if name not in known], ratios=ratios,
    )  # fmt: skip


def ratio_of(pairs: Sequence[tuple[float, float]]) -> Ratio:
    """Of pairs of rounds: this code's steps per CPU second, the commit's."""
    mine, others = zip(*pairs, strict=True)
    return Ratio(
        best=max(mine) / max(others), median=statistics.median(a / b for a, b in pairs), steps_per_cpu_s=max(mine)
    )


@contextmanager
def _pair(here: Checkout, other: str) -> Iterator[Callable[[], tuple[Rate, Rate]]]:
    """Both processes, started when they are first asked for: nothing is built where all is measured already."""
    with ExitStack() as stack:
        started: list[Rate] = []

        def rates() -> tuple[Rate, Rate]:
            if not started:
                there = stack.enter_context(here.at(other))
                started.append(stack.enter_context(worker(here.root)))
                started.append(stack.enter_context(worker(there, there.parent / "caches")))
            return started[0], started[1]

        yield rates


def _measure(rates: tuple[Rate, Rate], cell: Cell, tell: Tell) -> Mapping[str, Any]:
    view, _, size = cell.agent.partition("-")
    rounds, seconds = int(cell.settings["rounds"]), float(cell.settings["seconds"])
    tell("compiling")
    for rate in rates:
        rate(cell.scenario, view, int(size), 0.01)
    pairs = []
    for n in range(rounds):
        tell(f"round {n + 1} of {rounds}")
        found = {which: rates[which](cell.scenario, view, int(size), seconds) for which in ((0, 1), (1, 0))[n % 2]}
        pairs.append([found[0], found[1]])
    return {"pairs": pairs}
