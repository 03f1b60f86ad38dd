"""Commands that make an environment of what others wrote: a table, a network, a knowledge base; and what its paper measures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from workup.cli.agents import AgentNames
from workup.cli.terminal import (
    JsonFile,
    ScenarioId,
    Seed,
    console,
    load_population,
    say_what_this_is,
    table,
    warnings,
    write_json,
)
from workup.errors import WorkupError, WorkupWarning
from workup.files import write_whole

if TYPE_CHECKING:
    from workup.envs.compile.recorded import Recorded
    from workup.importers.table import Choices


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
    categories: Annotated[
        str, typer.Option("--categories", metavar="A,B", help="Columns of words or codes, whatever they look like.")
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
        categories=_names(categories),
    )
    with _told_warnings():
        found = make(file, target=target, costs=costs, groups=groups, delay=delay, out=out, choices=choices)
    _show_table(found, choices)
    console().print(f"Next: workup evaluate {escape(str(out))} --agents none,all,fixed,voi,tree")
    say_what_this_is(found.world.scenario)
    tests = list(found.world.items[2 : found.world.n_investigations])
    write_json(json_file, {**found.about, "test": len(found.test), "tests": tests})


def _show_table(found: Recorded, choices: Choices) -> None:
    """What each test costs and how often it has no result, and how the patients were split."""
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
        f"\n{n_train:,} training and {n_test:,} test patients, split by seed {choices.seed}; a wrong decision loses "
        f"{choices.error_cost:,.2f}, in the money of the costs (shown as pounds)"
    )
    console().print(
        "Beliefs are those of a naive Bayes model fitted to the training rows; results, truth and missing values are the rows'."
    )


@contextmanager
def _told_warnings() -> Iterator[None]:
    """Print what was accepted with a warning, in the way of the command line."""
    import warnings as python_warnings

    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always", WorkupWarning)
        yield
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        warnings().print(f"[yellow]warning:[/yellow] {escape(message)}")


def _names(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


def _pair(word: str) -> tuple[str, str]:
    test, equals, column = word.partition("=")
    if not equals or not test.strip() or not column.strip():
        raise WorkupError(f"--rename has {word!r}; expected TEST=COLUMN")
    return test.strip(), column.strip()


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
    from workup.importers.network import checked
    from workup.importers.network import import_network as make

    place = out / "scenario.yaml"
    if place.exists():
        raise WorkupError(f"{place} exists already; remove it, or choose another --out")
    with _told_warnings():
        made = make(file, target=target, tests=tests, costs=costs, cost_gbp=cost_gbp, wrong_gbp=wrong_gbp)
    scenario = checked(made, str(place))
    write_whole(place, made.text)
    if made.only_leaves:
        console().print("too large with every variable as a test: only those on which no other depends became tests")
    conditions, investigations = len(scenario.conditions), len(made.investigations)
    console().print(f"{place}: {conditions} conditions, {investigations} tests, {made.states:,} joint states")
    console().print(f"Next: workup explain {escape(str(out))}, then edit its costs and utilities, which are assumed")


def import_ddxplus(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Holds release_conditions.json and release_evidences.json.")
    ],
    patients: Annotated[Path, typer.Option("--patients", metavar="FILE", help="CSV of the training patients.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")],
    test: Annotated[
        Path | None,
        typer.Option("--test", metavar="FILE", help="CSV of the test patients; else a share of --patients."),
    ] = None,
    seed: Seed = 0,
    test_share: Annotated[float, typer.Option("--test-share", help="Share held out, without --test.")] = 0.3,
    rows: Annotated[int | None, typer.Option("--rows", min=2, help="Read so many rows of each file at most.")] = None,
    question_cost: Annotated[float, typer.Option("--question-cost", min=0, help="Of each question.")] = 1.0,
    error_cost: Annotated[float, typer.Option("--error-cost", min=0, help="What a wrong diagnosis loses.")] = 100.0,
    json_file: JsonFile = None,
) -> None:
    """Make an environment of DDXPlus: its evidences are questions, its patients rows, its pathologies the decisions."""
    from workup.importers.ddxplus import import_ddxplus as make
    from workup.importers.knowledge.scenario import Prices

    found = make(
        folder, patients, test=test, out=out, seed=seed, test_share=test_share, most=rows,
        prices=Prices(question_cost, error_cost),
    )  # fmt: skip
    about = found.about
    console().print(
        f"{about['conditions']} conditions, {about['evidences']} evidences, {about['follow_ups']} of them follow-ups; "
        f"{about['train']:,} training and {about['rows'] - about['train']:,} test patients"
    )
    console().print(f"Next: workup differential {escape(str(out))} --agents none,informative")
    say_what_this_is(found.world.scenario)
    write_json(json_file, about)


def differential(
    scenario: ScenarioId,
    agents: AgentNames,
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many test patients.")] = 2000,
    seed: Seed = 0,
    json_file: JsonFile = None,
) -> None:
    """Score the differential diagnoses that agents reach on DDXPlus: IL, GTPA@1, DDR, DDP, DDF1."""
    from workup.agents.referenced import by_own_name
    from workup.agents.registry import make_agent
    from workup.evaluation.differentials import score_differentials

    population = load_population(scenario)
    names = list(dict.fromkeys(name.strip() for name in agents.split(",") if name.strip()))
    made = by_own_name({name: make_agent(name, population, seed=seed) for name in names})
    found = score_differentials(Path(scenario), made, patients=patients, seed=seed)
    listed = table("agent", "IL", "GTPA@1", "DDR", "DDP", "DDF1", "right")
    for name, score in found.items():
        measures = (score.gtpa_at_1, score.ddr, score.ddp, score.ddf1, score.right)
        listed.add_row(
            escape(name),
            f"{score.interaction_length.mean:.2f}",
            *(f"{100 * m.mean:.1f} ({100 * m.low:.1f} to {100 * m.high:.1f})" for m in measures),
        )
    console().print(listed)
    console().print("\nIL: questions asked; the others in %, means over test patients with 95% intervals")
    say_what_this_is(population.world.scenario)
    write_json(json_file, {name: score.as_json() for name, score in found.items()})
