"""The command that makes the bounds that come with scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workup.cli.benchmarks import Runs
from workup.cli.terminal import JsonFile, Seed, cells, console, table, write_json

if TYPE_CHECKING:
    from workup.benchmarks.bounds import BoundsBench


def bounds(
    scenarios: Annotated[str, typer.Option("--scenarios", metavar="A,B", help="Only these; all by default.")] = "",
    patients: Annotated[int, typer.Option("--patients", min=1, help="Whose presentations are searched.")] = 200,
    seed: Seed = 0,
    effort: Annotated[
        int | None,
        typer.Option(
            "--effort", min=500, help="Orders looked at for a presentation, on average; by default as of `solve`."
        ),
    ] = None,
    target: Annotated[
        float, typer.Option("--target", min=0.0, help="Bracket, as a share of the gain, at which a scenario is done.")
    ] = 0.02,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write DIR/SCENARIO/bounds.json, not beside each.")
    ] = None,
    runs: Runs = Path("runs/bounds"),
    json_file: JsonFile = None,
) -> None:
    """Make the bounds that come with scenarios, what is best for sampled patients, anew. Says first what that may cost."""
    from workup.agents.planning.effort import SearchEffort
    from workup.benchmarks.bounds import bench_bounds, cells_of, estimates

    chosen = [word.strip() for word in scenarios.split(",") if word.strip()]
    with console().status("estimating"):
        asked = cells_of(
            chosen, patients=patients, seed=seed, effort=SearchEffort(expansions=effort or SearchEffort.expansions, target=target)
        )  # fmt: skip
        ahead = estimates(asked, runs)
    for each in ahead:
        console().print(
            f"{each['scenario']}: {each['presentations']} presentations, at most {each['expansions'] / 1e6:.1f} million orders "
            f"looked at, {each['cpu_s'] / 60:.1f} CPU minutes"
        )
    if ahead:
        console().print(f"at most {sum(each['cpu_s'] for each in ahead) / 60:.0f} CPU minutes in all")
    if not asked:
        console().print("nothing to make: the whole journey of these scenarios is searched exactly, at once")
        return
    with cells(runs) as show:
        result = bench_bounds(asked, runs=runs, out=out, progress=show)
    _show(result)
    write_json(json_file, result)


def _show(result: BoundsBench) -> None:
    rows = table("scenario", "presentations", "V0", "gain", "bracket", "of the gain", "looked at", "most", "CPU min")
    for name, of in result["scenarios"].items():
        rows.add_row(
            name,
            f"{of['presentations']:.0f}",
            *(f"{of[what]:,.2f}" for what in ("v0", "gain", "gap")),
            f"{of['share']:.1%}",
            f"{of['expansions'] / 1e6:.1f} M",
            f"{of['most'] / 1e3:,.0f} k",
            f"{of['cpu_s'] / 60:.1f}",
        )
    console().print(rows)
