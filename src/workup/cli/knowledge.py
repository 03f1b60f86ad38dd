"""Commands for DDXPlus: import it, and score differential diagnoses as its paper does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from workup.cli.terminal import (
    JsonFile,
    ScenarioId,
    Seed,
    console,
    load_world,
    say_what_this_is,
    table,
    write_json,
)


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
    agents: Annotated[str, typer.Option("--agents", metavar="A,B", help="Names or saved policies, with commas.")],
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many test patients.")] = 2000,
    seed: Seed = 0,
    json_file: JsonFile = None,
) -> None:
    """Score the differential diagnoses that agents reach on DDXPlus: IL, GTPA@1, DDR, DDP, DDF1."""
    from workup.agents.registry import make_agent
    from workup.evaluation.differentials import score_differentials

    world = load_world(scenario)
    names = list(dict.fromkeys(name.strip() for name in agents.split(",") if name.strip()))
    made = {name: make_agent(name, world, seed=seed) for name in names}
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
    say_what_this_is(world.scenario)
    write_json(json_file, {name: score.as_json() for name, score in found.items()})
