"""Commands that make a scenario of what others wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import console, warnings
from workup.errors import WorkupError
from workup.files import write_whole


def import_network(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="BIF, XMLBIF, HUGIN .net, GeNIe .xdsl or .dsl, UAI.")],
    target: Annotated[
        str, typer.Option("--target", metavar="NODE", help="The variable whose states become the conditions.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the scenario's folder goes.")],
    tests: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,PANEL=C+D",
            help="What can be observed, one by one or in groups. Left out: every other variable or, where that is too "
            "large, those on which no other depends.",
        ),
    ] = None,
    costs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV: test, cost_gbp; if wanted tier, turnaround, discomfort_gbp, dose_msv, label."
        ),
    ] = None,
    cost_gbp: Annotated[float, typer.Option(min=0, help="Of each test, without --costs.")] = 10.0,
    wrong_gbp: Annotated[float, typer.Option(min=0, help="What deciding for a wrong condition loses.")] = 1000.0,
) -> None:
    """Make a scenario of a Bayesian network, with exactly its posteriors, ready for every other command."""
    import warnings as python_warnings

    from workup.importers.network import checked
    from workup.importers.network import import_network as make

    place = out / "scenario.yaml"
    if place.exists():
        raise WorkupError(f"{place} exists already; remove it, or choose another --out")
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        made = make(file, target=target, tests=tests, costs=costs, cost_gbp=cost_gbp, wrong_gbp=wrong_gbp)
    scenario = checked(made, str(place))
    write_whole(place, made.text)
    for warning in caught:
        warnings().print(f"[yellow]warning:[/yellow] {escape(str(warning.message))}")
    if made.only_leaves:
        console().print("too large with every variable as a test: only those on which no other depends became tests")
    conditions, investigations = len(scenario.conditions), len(made.investigations)
    console().print(f"{place}: {conditions} conditions, {investigations} tests, {made.states:,} joint states")
    console().print(f"Next: workup explain {escape(str(out))}, then edit its costs and utilities, which are assumed")
