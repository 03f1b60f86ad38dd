"""The plan of the house, drawn from its real imports: which room imports which, what may, and how large things are.

    python tests/house/plan.py            prints the plan
    python tests/house/plan.py --write    puts it into docs/DESIGN.md

An import counts wherever it stands: at the top, inside a function, or under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "DESIGN.md"
BEGIN, END = "<!-- the plan: python tests/house/plan.py --write -->", "<!-- end of the plan -->"
HOMES = {"scenarios": "workup.scenarios", "envs": "workup.envs", "agents": "workup.agents", "src/workup": "workup"}

GROUND = ("workup.errors", "workup.files", "workup.wording", "workup.statistics", "workup.version")
"""They import nothing of ours, and everybody may import them."""

ROOMS: Mapping[str, tuple[str, ...]] = {
    "ground": GROUND,
    "language": ("workup.scenarios", "workup.scenarios.language"),
    "plugins": ("workup.plugins",),
    "reading": ("workup.scenarios.language.reading",),
    "lint": ("workup.scenarios.language.lint",),
    "words": ("workup.scenarios.language.words",),
    "library": ("workup.scenarios.language.library",),
    "envs.model": ("workup.envs", "workup.envs.model"),
    "envs.engine": ("workup.envs.engine",),
    "envs.compile": ("workup.envs.compile",),
    "envs.modalities": ("workup.envs.modalities",),
    "envs.records": ("workup.envs.records",),
    "envs.views": ("workup.envs.views",),
    "envs.testing": ("workup.envs.testing",),
    "agents": ("workup.agents",),
    "agents.planning": ("workup.agents.planning",),
    "agents.baselines": ("workup.agents.baselines",),
    "agents.learned": ("workup.agents.learned",),
    "agents.fusion": ("workup.agents.fusion",),
    "registry": (
        "workup.agents.registry",
        "workup.agents.referenced",
        "workup.agents.adapted",
        "workup.agents.testing",
    ),
    "face": ("workup",),
    "importers": ("workup.importers",),
    "authoring": ("workup.authoring",),
    "vignettes": ("workup.vignettes",),
    "evaluation": ("workup.evaluation",),
    "play": ("workup.play",),
    "sensitivity": ("workup.sensitivity",),
    "studies": ("workup.studies",),
    "studies.bias": ("workup.studies.bias",),
    "studies.fusion": ("workup.studies.fusion",),
    "benchmarks": ("workup.benchmarks",),
    "report": ("workup.report",),
    "cli": ("workup.cli",),
}
"""Room -> its packages and modules; a module belongs to the room that names most of it."""

FLOORS: tuple[tuple[str, ...], ...] = (
    ("ground",),
    ("language", "plugins"),
    ("reading", "envs.model"),
    ("lint", "envs.modalities"),
    ("words", "library"),
    ("envs.engine",),
    ("envs.compile", "agents", "agents.fusion"),
    ("envs.records", "agents.planning"),
    ("envs.views", "agents.baselines", "agents.learned"),
    ("envs.testing", "registry"),
    ("importers", "vignettes", "play"),
    ("authoring", "evaluation", "studies"),
    ("sensitivity", "studies.bias", "studies.fusion"),
    ("benchmarks", "report"),
    ("face",),
    ("cli",),
)
"""From the ground up. A room imports rooms of lower floors only."""

WHAT: Mapping[str, str] = {
    "ground": "errors, whole files, words, intervals, the version",
    "language": "what may be written, and what it means",
    "plugins": "what other installed packages offer",
    "reading": "from text to a checked scenario",
    "lint": "what is wrong with it",
    "words": "how it is said, and what differs between two",
    "library": "find and load a case",
    "envs.model": "what is true: network, patient model, belief, world, population",
    "envs.engine": "a batch of journeys, and its kernel",
    "envs.compile": "from a scenario to a world",
    "envs.modalities": "raw data of findings: how notes, tables, films, slides and waveforms look, a kind a file",
    "envs.records": "what happened: journeys, run, written, told",
    "envs.views": "how Gymnasium and Stable-Baselines3 see the engine",
    "envs.testing": "what the environments of every scenario keep to",
    "agents": "what an agent is; opening and ending a journey; policies on disk",
    "agents.planning": "look ahead: exact, bounded, one step",
    "agents.baselines": "agents that need no training",
    "agents.learned": "agents that are fitted, a method a file",
    "agents.fusion": "prediction from several modalities, a method a file, torch inside",
    "registry": "agents and learners by name, agents of one's own; what every agent keeps to",
    "face": "`import workup`: the public names, imported when they are used",
    "importers": "from foreign networks, tables and knowledge bases to scenarios",
    "authoring": "from an interview to a scenario",
    "vignettes": "scenarios as tests of policies",
    "evaluation": "agents on the same patients",
    "play": "a person takes the journey",
    "sensitivity": "which figures matter",
    "studies": "what the records of journeys show and hide; cohorts as folders",
    "studies.bias": "how journeys bias the records they leave, and which repair works; a phenomenon a file",
    "studies.fusion": "how fusion strategies compare against known ceilings; a task a file",
    "benchmarks": "the runner, and a file a benchmark",
    "report": "pages",
    "cli": "the commands",
}

TO_COME: Mapping[str, str] = {
    "envs/hospital/": "many journeys that share queues: simpy decides when a result arrives",
    "src/workup/oversight/": "drift between two populations, conformal sets",
    "src/workup/web/": "the workbench for clinicians, over library, lint, words and play",
}
"""Rooms that are named and not built."""

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 350, 60
LARGER: Mapping[str, str] = {
    "envs/compile/compile.py:compile_world": "one table of a world's fields; split, its rows would have to be looked for",
    "envs/compile/patients.py:patient_model": "one table of a patient model's fields",
}
"""`path` or `path:function` -> why it may be larger."""


def modules() -> dict[str, Path]:
    """Every module by its dotted name; a package is its `__init__`."""
    found = {}
    for folder, package in HOMES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            if folder == "src/workup" and parts[0] in ("scenarios", "envs", "agents"):
                continue  # the links that type-checkers follow
            found[".".join((package, *parts)).removesuffix(".__init__")] = path
    return found


def room_of(module: str) -> str:
    """The room that names most of a module. Raises KeyError for a module of no room but the face."""
    best = max(
        ((len(of), room) for room, names in ROOMS.items() for of in names if f"{module}.".startswith(f"{of}.")),
    )
    if best[1] == "face" and module != "workup":
        raise KeyError(f"{module} lies in no room; name it in ROOMS of tests/house/plan.py, or move it into one")
    return best[1]


def imports_of(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Modules of ours that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for name in node.names:
                deeper = f"{node.module}.{name.name}"
                yield deeper if deeper in known else str(node.module)


def graph() -> dict[str, set[str]]:
    """Module -> modules that it imports."""
    known = modules()
    return {module: set(imports_of(path, known)) - {module} for module, path in known.items()}


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """A circle of imports, or nothing."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def against_the_floors(edges: Mapping[str, set[str]]) -> list[str]:
    """Imports from a room to one that is not below it."""
    floor = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
    found = []
    for module, imported in sorted(edges.items()):
        for other in sorted(imported):
            here, there = room_of(module), room_of(other)
            if here != there and floor[there] >= floor[here]:
                found.append(f"{module} ({here}) imports {other} ({there})")
    return found


def too_large() -> list[str]:
    """Files and functions over their size that LARGER does not name."""
    found = []
    for path in modules().values():
        text = path.read_text(encoding="utf-8")
        name, lines = path.relative_to(ROOT).as_posix(), len(text.splitlines())
        if lines > MOST_LINES:
            found.append((name, f"{lines} lines"))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > MOST_LINES_OF_A_FUNCTION:
                    found.append((f"{name}:{node.name}", f"{size} lines"))
    return [f"{name} has {size}" for name, size in found if name not in LARGER]


def drawn() -> str:
    """The plan as a table, the roof first, with what each room really imports."""
    edges, known = graph(), modules()
    rooms: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module, imported in edges.items():
        rooms[room_of(module)] |= {room_of(other) for other in imported}
    rows = [
        "| floor | room | what it is | imports now, beside the ground (it may import any lower floor) |",
        "|---|---|---|---|",
    ]
    order = [room for rooms_of_floor in FLOORS for room in rooms_of_floor]
    for height, here in reversed(list(enumerate(FLOORS))):
        for room in here:
            below = sorted(rooms[room] - {room, "ground"}, key=order.index)
            where = ", ".join(f"`{_place(name, known)}`" for name in ROOMS[room])
            rows.append(f"| {height} | {where} | {WHAT[room]} | {', '.join(below) or '–'} |")
    return "\n".join([*rows, "", "Rooms to come, named here so that nobody builds them elsewhere:", "", *_to_come()])


def _to_come() -> list[str]:
    return [f"- `{where}`: {what}" for where, what in TO_COME.items()]


def _place(name: str, known: Mapping[str, Path]) -> str:
    if name not in known:
        return name
    path = known[name].relative_to(ROOT).as_posix()
    return re.sub(r"__init__\.py$", "", path) if name != "workup" else path


def page_with_plan(page: str) -> str:
    """The page with the plan of today between its marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{drawn()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page_with_plan(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(drawn() + "\n")
