"""The command that makes an environment from a clinical table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import JsonFile, console, say_what_this_is, table, write_json
from workup.errors import WorkupError


def import_table(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or ARFF; or sklearn:NAME, openml:NAME.")],
    target: Annotated[str, typer.Option("--target", metavar="COL", help="The column to be predicted.")],
    costs: Annotated[
        Path, typer.Option("--costs", metavar="FILE", help="What each test costs: Turney's formats or CSV.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")],
    groups: Annotated[
        Path | None, typer.Option("--groups", metavar="FILE", help="Tests that share something paid once.")
    ] = None,
    delay: Annotated[
        Path | None, typer.Option("--delay", metavar="FILE", help="Which results come the next day.")
    ] = None,
    error_cost: Annotated[float, typer.Option("--error-cost", min=0, help="What a wrong decision loses.")] = 500.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the split into train and test.")] = 0,
    test_share: Annotated[float, typer.Option("--test-share", help="Share of the rows that are held out.")] = 0.3,
    known: Annotated[str, typer.Option("--known", metavar="A,B", help="Columns told at the start, free.")] = "",
    columns: Annotated[str, typer.Option("--columns", metavar="A,B", help="Names, where there is no header row.")] = "",
    drop: Annotated[str, typer.Option("--drop", metavar="A,B", help="Columns to leave out.")] = "",
    rename: Annotated[
        str, typer.Option("--rename", metavar="TEST=COL", help="Tests spelt differently in the table.")
    ] = "",
    missing: Annotated[str, typer.Option("--missing", metavar="A,B", help="Further words for a missing value.")] = "",
    positive: Annotated[
        str, typer.Option("--positive", metavar="A,B", help="Values of the target that become one class.")
    ] = "",
    json_file: JsonFile = None,
) -> None:
    """Make an environment from a clinical table: tests with costs, patients its rows, split into train and test."""
    from workup.importers.table import Choices
    from workup.importers.table import import_table as make

    choices = Choices(
        seed=seed,
        test_share=test_share,
        error_cost=error_cost,
        known=_names(known),
        columns=_names(columns),
        drop=_names(drop),
        rename=tuple(_pair(word) for word in _names(rename)),
        missing=_names(missing),
        positive=_names(positive),
    )
    found = make(file, target=target, costs=costs, groups=groups, delay=delay, out=out, choices=choices)
    world = found.world
    listed = table("test", "first of its group", "later", "result", "rows without")
    rows = found.train.fixed
    for i in range(world.n_investigations):
        if world.opens_journey[i]:
            continue
        s = int(world.set_up[i])
        shared = 0.0 if s < 0 else float(world.set_up_cost_gbp[s])
        seen = world.reveals[i][world.reveals[i] >= 0]
        absent = int((rows.values[:, seen] < 0).all(axis=1).sum())
        delayed = "next day" if world.turnaround_h[i] > 0 else "at once"
        price = float(world.cost_gbp[i])
        listed.add_row(escape(world.items[i]), f"{price + shared:,.2f}", f"{price:,.2f}", delayed, f"{absent:,}")
    console().print(listed)
    n_train, n_test = len(found.train), len(found.test)
    console().print(
        f"\n{n_train:,} training and {n_test:,} test patients, split by seed {seed}; a wrong decision loses {error_cost:,.2f}, in the "
        "money of the costs (shown as pounds)"
    )
    console().print(
        "Beliefs are those of a naive Bayes model fitted to the training rows; results, truth and missing values are the rows'."
    )
    console().print(f"Next: workup evaluate {escape(str(out))} --agents none,all,fixed,voi,tree")
    say_what_this_is(world.scenario)
    write_json(json_file, {**found.about, "test": n_test, "tests": list(world.items[2 : world.n_investigations])})


def _names(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


def _pair(word: str) -> tuple[str, str]:
    test, equals, column = word.partition("=")
    if not equals or not test.strip() or not column.strip():
        raise WorkupError(f"--rename has {word!r}; expected TEST=COLUMN")
    return test.strip(), column.strip()
