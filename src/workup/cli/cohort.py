"""`workup cohort`: what a clinic's database keeps of patients whom a policy investigated, and what can be learnt from it."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from workup.cli.terminal import DISCLAIMER, JsonFile, ScenarioId, Seed, console, progress, write_json
from workup.errors import UnknownNameError


class MakesByDefault(TyperGroup):
    """`workup cohort ID ...` is `workup cohort make ID ...`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command named first, or `make`."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            near = difflib.get_close_matches(args[0], list(self.commands), n=1, cutoff=0.8)
            if near and not Path(args[0]).exists():
                raise UnknownNameError(f"no command and no scenario {args[0]!r}; did you mean {near[0]!r}?")
            args = ["make", *args]
        return super().resolve_command(ctx, args)


cohorts = typer.Typer(
    cls=MakesByDefault,
    help="What a clinic's database keeps of patients whom a policy investigated: `workup cohort ID --policy P --out DIR`.",
    no_args_is_help=True,
)


@cohorts.command()
def make(
    scenario: ScenarioId,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="An empty folder, or one to go on with.")],
    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            metavar="NAME",
            help="Who decides: guideline, voi, suspicion:GROUP:SLOPE, gestalt:GROUP:SLOPE, lapse:EPS:POLICY, a saved folder ...",
        ),
    ] = "guideline",
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many are met.")] = 10_000,
    seed: Seed = 0,
    include: Annotated[
        str | None,
        typer.Option(
            "--include", metavar="RULE", help="Keep only those for whom this holds at the end, as 'ct: done'."
        ),
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Write records.csv too.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes at once; by default one a core.")] = None,
) -> None:
    """Meet patients under a policy and write what a database keeps of them, every step with its probability, and what was true."""
    from workup.studies.cohorts import TABLES, read_card, write_cohort

    with progress() as bar:
        task = bar.add_task("patients", total=patients)
        write_cohort(
            scenario,
            policy,
            patients=patients,
            seed=seed,
            out=out,
            include=include,
            csv=csv,
            workers=workers or os.cpu_count() or 1,
            progress=lambda met, of: bar.update(task, completed=met, total=of),
        )
    card = read_card(out)
    console().print(f"[dim]{DISCLAIMER}[/dim]")
    console().print(
        escape(
            f"{card['kept']:,} of {card['met']:,} patients in {out}: {', '.join(TABLES.values())}; read card.md first"
        )
    )


@cohorts.command()
def supports(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A cohort.")],
    question: Annotated[
        str,
        typer.Argument(
            metavar="QUESTION",
            help="'prevalence GROUP', 'sensitivity FINDING=VALUE GROUP', 'specificity ...', or 'model GROUP FINDING FINDING ...'.",
        ),
    ],
    verified: Annotated[
        str, typer.Option("--verified", metavar="RULE", help="Who counts as verified, as 'biopsy: done'.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="A,B", help="Findings whose values make the strata.")] = "",
    scenario: Annotated[
        Path | None, typer.Option("--scenario", metavar="FILE", help="The cohort's scenario, if it is your own.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Whether these records can answer a question: who had no chance of being verified, and how many patients the rest stand for."""
    from workup.studies.bias.supports import supported

    strata = tuple(name.strip() for name in by.split(",") if name.strip())
    answer = supported(folder, question, verified=verified, by=strata, scenario=scenario)
    console().print(escape(answer.told()))
    write_json(json_file, answer.as_json())
