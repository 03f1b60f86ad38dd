"""The command that measures fusion methods against known ceilings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from workup.cli.benchmarks import Runs
from workup.cli.terminal import DISCLAIMER, JsonFile, cells, console, progress, shown_on, write_json
from workup.errors import WorkupError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from workup.benchmarks.fusion import Asked
    from workup.benchmarks.runner import Done
    from workup.studies.fusion.compare import Compared


class FigureName(StrEnum):
    """A page that can be drawn."""

    TWO = "2"
    CURVES = "curves"
    READERS = "readers"
    NOTE = "note"
    WHITESPACE = "whitespace"


Names = Annotated[str, typer.Option(metavar="A,B", help="Only these; all if empty.")]


Quick = Annotated[
    bool, typer.Option("--quick", help="2,000 patients to learn from; without it also 300 and 20,000, and pictures.")
]
OnlyPlan = Annotated[bool, typer.Option("--plan", help="Say what would be run and what it costs; run nothing.")]
FigureOption = Annotated[
    FigureName | None,
    typer.Option("--figure", help="2: the article's, beside what was measured; curves: learning curves; or a study."),
]
Readers = Annotated[bool, typer.Option("--readers", help="Train the readers of films and slides again.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="my.py:build", help="Your own beside them; runs that file. May be given again."),
]
Patients = Annotated[
    int | None,
    typer.Option("--patients", min=20, help="To learn from, in every track; contrasts are judged at 2,000 alone."),
]
Seeds = Annotated[
    int | None, typer.Option("--seeds", min=1, help="Trainings of each, on patients of their own: 5; of --readers 1.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes at once.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Tables as Markdown, between the marks of a page; of a figure PNG or SVG."
    ),
]


def fusion(
    quick: Quick = False,
    only_plan: OnlyPlan = False,
    figure: FigureOption = None,
    readers: Readers = False,
    tasks: Names = "",
    methods: Names = "",
    views: Names = "",
    tracks: Names = "",
    model: Models = None,
    patients: Patients = None,
    seeds: Seeds = None,
    jobs: Jobs = 2,
    runs: Runs = Path("runs/fusion"),
    out: Out = None,
    json_file: JsonFile = None,
) -> None:
    """Early, late, intermediate, gradual and personal fusion on tasks whose ceilings are known.

    Killed, it goes on where it stopped when called again with the same --runs.
    """
    from workup.benchmarks.fusion import Asked, bench_fusion, compared, method_names, planned
    from workup.benchmarks.fusion_page import markdown, write_tables

    method_names()  # says what to install where packages are missing
    if readers:
        _train_readers(seeds or 1)
        return
    asked = Asked(
        quick=quick, seeds=seeds or 5, tasks=_names(tasks), methods=_names(methods), views=_names(views), tracks=_names(tracks),
        models=tuple(model or ()), patients=patients,
    )  # fmt: skip
    if figure is FigureName.TWO:
        asked = asked.of_figure()
    elif figure is FigureName.CURVES:
        asked = asked.of_curves()
    if only_plan:
        _show_plan(planned(asked, runs=runs, workers=jobs), json_file)
        return
    if figure is not None:
        _draw(figure, asked, runs, jobs, out or Path("fusion.png"))
        return
    with cells(runs) as show:
        done = bench_fusion(asked, runs=runs, workers=jobs, progress=show)
    found = compared(done)
    lines = markdown(done, found)
    for line in lines:
        console().print(escape(line), soft_wrap=True)
    console().print(f"[dim]{DISCLAIMER}[/dim]")
    if out is not None:
        write_tables(out, lines)
    write_json(json_file, _as_json(done, found))


def _names(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


def _show_plan(found: dict[str, Any], json_file: Path | None) -> None:
    console().print(f"{found['runs']:,} runs, of which {found['left']:,} are left:")
    for track, count in found["tracks"].items():
        console().print(f"  {track}: {count:,}")
    for view, cpu_s in found["cpu_s"].items():
        console().print(f"  {view}: {cpu_s:,.0f} CPU s")
    console().print(f"about {found['minutes']:.0f} minutes on {found['workers']} quiet cores, by what such runs took")
    if found["unmeasured"]:
        console().print(f"[dim]not measured yet, taken as the median: {escape(', '.join(found['unmeasured']))}[/dim]")
    write_json(json_file, found)


def _draw(name: FigureName, asked: Asked, runs: Path, jobs: int, out: Path) -> None:
    if out.suffix not in (".png", ".svg"):
        raise WorkupError(f"--out {out}; a figure is a .png or an .svg")
    figure = _of_runs(name, asked, runs, jobs) if name in (FigureName.TWO, FigureName.CURVES) else _studied(name, asked)
    figure.savefig(out, dpi=160)
    console().print(f"figure {name.value}: {escape(str(out))}")
    console().print(f"[dim]{DISCLAIMER}[/dim]")


def _of_runs(name: FigureName, asked: Asked, runs: Path, jobs: int) -> Figure:
    from workup.benchmarks.fusion import bench_fusion
    from workup.benchmarks.fusion_page import curves_of, gathered
    from workup.studies.fusion.figures import curves
    from workup.studies.fusion.picture import picture

    with cells(runs) as show:
        done = gathered(bench_fusion(asked, runs=runs, workers=jobs, progress=show))
    if name is FigureName.CURVES:
        return curves.draw(curves_of(done))
    found: dict[str, dict[str, list[Any]]] = {}
    for key, results in done.items():
        found.setdefault(key.task, {})[key.method] = list(results)
    return picture(found)


def _studied(name: FigureName, asked: Asked) -> Figure:
    from workup.studies.fusion.figures import FIGURES

    measure, draw = FIGURES[name.value]
    return draw(measure(seeds=asked.seeds))


def _train_readers(seeds: int) -> None:
    from workup.studies.fusion.readers import FOLDER, KINDS, save_reader, train_reader

    with progress() as display:
        show = shown_on(display)
        for kind in KINDS:
            for seed in range(seeds):
                trained = train_reader(kind, seed=seed)
                show(f"readers of {kind}s", (seed + 1) / seeds)
                console().print(
                    f"{kind}, seed {seed}: R² {trained.r2:.3f}, {trained.bits:.1%} of bits, {trained.cpu_s:.0f} CPU s"
                )
                if seed == 0:
                    save_reader(trained, FOLDER / f"{kind}.safetensors")
                    console().print(f"[dim]kept in {escape(str(FOLDER))}[/dim]")


def _as_json(done: list[Done], found: list[Compared]) -> dict[str, Any]:
    return {
        "runs": {each.cell.id: dict(each.result) for each in done},
        "contrasts": [each.as_json() for each in found],
    }
