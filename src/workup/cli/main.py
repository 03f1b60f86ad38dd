"""The command line. Importing it is quick: every command imports what it needs when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli import (
    agents,
    authoring,
    bench_bias,
    bench_bounds,
    bench_fusion,
    bench_fusion_library,
    bench_guideline,
    bench_library,
    bench_lint,
    bench_provenance,
    benchmarks,
    bias,
    cohort,
    demo,
    fusion,
    importing,
    report,
    scenarios,
    sensitivity,
    teach,
    warm,
)
from workup.cli.terminal import DISCLAIMER, warnings
from workup.errors import ScenarioError, WorkupError

app = typer.Typer(
    name="workup",
    help=f"Patients' diagnostic journeys for reinforcement learning.\n\n{DISCLAIMER}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
bench = typer.Typer(help="Measurements, as ratios within one run.", no_args_is_help=True)
app.add_typer(bench, name="bench")
app.add_typer(cohort.cohorts, name="cohort")

app.command()(demo.demo)
app.command()(warm.warm)
app.command()(scenarios.scenarios)
app.command()(authoring.new)
app.command()(scenarios.lint)
app.command()(scenarios.explain)
app.command()(scenarios.diff)
app.command()(authoring.sign)
app.command()(scenarios.solve)
app.command()(sensitivity.sensitivity)
app.command()(agents.train)
app.command()(agents.evaluate)
app.command()(report.report)
app.command()(bias.bias)
app.command("fusion-data")(fusion.fusion_data)
app.command()(agents.check)
app.command()(agents.simulate)
app.command()(scenarios.play)
app.command()(teach.teach)
app.command("import-table")(importing.import_table)
app.command("import-network")(importing.import_network)
app.command("import-ddxplus")(importing.import_ddxplus)
app.command()(importing.differential)
bench.command()(benchmarks.speed)
bench.command()(benchmarks.start)
bench.command()(benchmarks.planner)
bench.command()(benchmarks.ppo)
bench.command()(benchmarks.imports)
bench.command()(benchmarks.tables)
bench.command()(bench_bounds.bounds)
bench.command()(bench_library.library)
bench.command()(bench_lint.lint)
bench.command()(bench_bias.bias)
bench.command()(bench_fusion.fusion)
bench.command()(bench_fusion_library.fusion_library)
bench.command()(bench_guideline.guideline)
bench.command()(bench_provenance.provenance)


def _version(asked: bool) -> None:
    if asked:
        from workup import __version__

        typer.echo(f"workup {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; what goes wrong on purpose is a message and exit status 2, never a traceback."""
    try:
        app(args=arguments)
    except ScenarioError as error:
        count = len(error.faults)
        warnings().print(f"[bold red]{count} fault{'s' * (count != 1)}[/bold red]")
        warnings().print(escape(str(error)))
        sys.exit(2)
    except (WorkupError, OSError) as error:
        warnings().print(f"[bold red]error:[/bold red] {escape(str(error))}")
        sys.exit(2)
