"""Commands about agents: train, evaluate, check, simulate."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from workup.cli.by_condition import show_by_condition
from workup.cli.terminal import (
    JsonFile,
    Perspective,
    Rate,
    ScenarioId,
    Seed,
    console,
    held_out,
    load_population,
    number,
    planning_ahead,
    progress,
    say_what_this_is,
    table,
    warnings,
    write_json,
)
from workup.errors import WorkupError
from workup.files import make_folder, write_whole
from workup.wording import CERTIFIED, percent

if TYPE_CHECKING:
    from workup.evaluation.score import Evaluation
    from workup.statistics import Interval
    from workup.vignettes.check import Check, Failure

AgentName = Annotated[
    str,
    typer.Option("--agent", metavar="NAME|DIR|FILE.py:NAME", help="An agent's name, a saved policy or your own code."),
]
AgentNames = Annotated[
    str, typer.Option("--agents", metavar="A,B", help="Names, saved policies or FILE.py:NAME, with commas.")
]


class Preset(StrEnum):
    """`belief`: the exact posterior is observed and the reward shaped; `raw`: neither."""

    BELIEF = "belief"
    RAW = "raw"


Patients = Annotated[int, typer.Option("--patients", min=1, help="How many patients.")]


def train(
    scenario: ScenarioId,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the policy and its checkpoints go.")],
    agent: Annotated[
        str,
        typer.Option(
            "--agent", metavar="NAME", help="The learner, such as ppo, fixed or tree; a wrong name lists all."
        ),
    ] = "ppo",
    preset: Annotated[Preset, typer.Option("--preset", help="What a ppo policy observes.")] = Preset.BELIEF,
    seed: Seed = 0,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="Wall-clock time to train for; some learners end by themselves.")
    ] = 110.0,
    gbp_per_qaly: Rate = None,
    perspective: Perspective = None,
) -> None:
    """Train a policy. Run again with the same settings, it resumes after a kill and does nothing once finished."""
    from workup.agents.base import Effort
    from workup.agents.registry import learner_of

    if preset is Preset.RAW and agent != "ppo":
        raise WorkupError(f"--preset is for ppo; {agent} has none, so leave it out")
    learner = learner_of(agent if preset is Preset.BELIEF else f"{agent}:{preset.value}")
    population = load_population(scenario, gbp_per_qaly, perspective)
    summary = ""
    with progress() as display:
        task = display.add_task(f"training {agent}", total=1.0)

        def show(share: float, words: str) -> None:
            nonlocal summary
            summary = words
            display.update(task, completed=share, description=f"training {agent}{words and f': {words}'}")

        learner.fit(population, out=out, seed=seed, effort=Effort(seconds=seconds), progress=show)
    kind = f"{preset.value}, " if learner.name == "ppo" else ""
    console().print(f"Trained {agent} ({kind}seed {seed}): {summary}")
    curve = out / "learning_curve.jsonl"
    told = f"; learning curve: {escape(str(curve))}" if curve.is_file() else ""
    console().print(f"Policy: {escape(str(out / 'policy.json'))}{told}")
    console().print(f"Next: workup check {escape(scenario)} --agent {escape(str(out))}")
    say_what_this_is(population.world.scenario)


def evaluate(
    scenario: ScenarioId,
    agents: AgentNames,
    patients: Patients = 2000,
    seed: Seed = 0,
    optimum: Annotated[
        bool,
        typer.Option("--optimum", help="Also plan what was possible for these patients: minutes, where it is new."),
    ] = False,
    by_condition: Annotated[
        bool, typer.Option("--by-condition", help="Also by true condition: whom each mean comes from.")
    ] = False,
    gbp_per_qaly: Rate = None,
    perspective: Perspective = None,
    json_file: JsonFile = None,
) -> None:
    """Compare agents on the same patients. What the optimum gains is told if it is asked for, or known already."""
    from workup.agents.planning import Optimum
    from workup.evaluation.optimum import Bookkeeper
    from workup.evaluation.run import run_agents
    from workup.evaluation.score import score

    names = [name.strip() for name in agents.split(",") if name.strip()]
    if len(set(names)) != len(names) or not names:
        raise WorkupError(f"--agents is {agents!r}; expected names with commas between them, each once")
    population = load_population(scenario, gbp_per_qaly, perspective)
    judged = held_out(scenario, population, gbp_per_qaly, perspective)
    keeper, asked = Bookkeeper(population), optimum or Optimum.name in names
    with progress() as display:
        to_plan = keeper.to_plan(patients=patients, seed=seed, acting=True) if asked else 0
        if to_plan:
            warnings().print(f"[dim]{planning_ahead(to_plan)}; without optimum it is not needed[/dim]")
        planning = display.add_task("planning: presentations solved", total=to_plan, visible=to_plan > 0)
        solved = partial(display.advance, planning)
        chosen = keeper.agents(names, seed=seed, progress=solved)
        tasks = {name: display.add_task(name, total=patients) for name in chosen}
        journeys = run_agents(
            judged,
            chosen,
            patients=patients,
            seed=seed,
            progress=lambda name, done: display.update(tasks[name], completed=done),
        )
        bounds, refusal, plan = keeper.possible(patients=patients, seed=seed, asked=asked, progress=solved)
    result = score(journeys, bounds, refusal=refusal, plan=plan)
    show_evaluation(result)
    if by_condition:
        console().print()
        show_by_condition(result, {name: of.label for name, of in population.world.scenario.conditions.items()})
    say_what_this_is(population.world.scenario)
    write_json(json_file, result.as_json())


def show_evaluation(result: Evaluation) -> None:
    """What every agent was worth and what its journeys were like, best first."""
    ranked = sorted(result.agents, key=lambda name: -result.agents[name].value.mean)
    worth = table("agent", "value (95%)", "below the best (95%)", "captured (95%)")
    course = table("agent", "gain", "median", "trimmed", "right", "Brier", "cost", "harm", "mSv", "tests", "days")
    for name in ranked:
        s = result.agents[name]
        below = "" if name == ranked[0] else spread(result.minus(ranked[0], name))
        worth.add_row(escape(name), spread(s.value), below, shares(s.captured))
        middle = (number(s.gain.mean), number(s.median.mean), number(s.trimmed.mean))
        money = (f"£{s.cost_gbp.mean:,.0f}", f"£{number(s.harm_gbp.mean)}")
        rest = (f"{s.dose_msv.mean:.1f}", f"{s.tests.mean:.1f}", f"{s.days.mean:.1f}")
        course.add_row(escape(name), *middle, f"{s.accuracy.mean:.1%}", f"{s.brier.mean:.3f}", *money, *rest)
    console().print(f"{result.scenario}: {result.patients:,} patients, seed {result.seed}; pounds per patient\n")
    console().print(worth)
    console().print()
    console().print(course)
    console().print()
    for line in result.cut_off():
        console().print(escape(line))
    console().print(_optimum_line(result))
    console().print(escape(f"{result.reference} {result.meaning}"))


def spread(interval: Interval) -> str:
    """'12.3 (10.1 to 14.5)'."""
    return f"{number(interval.mean)} ({number(interval.low)} to {number(interval.high)})"


def shares(interval: Interval) -> str:
    """'92% (85 to 99)', or a dash where it is not defined."""
    if interval.mean != interval.mean:
        return "–"
    low, high = (percent(each).removesuffix("%") for each in (interval.low, interval.high))
    return f"{percent(interval.mean)} ({low} to {high})" if interval.low == interval.low else percent(interval.mean)


def _optimum_line(result: Evaluation) -> str:
    from workup.evaluation.optimum import NOT_ASKED

    best = result.optimum
    if best is None:
        return f"optimum: {'' if result.refusal == NOT_ASKED else 'unknown; '}{escape(result.refusal or NOT_ASKED)}"
    kind = "exact" if best.exact else f"{best.lower.mean:,.1f} to {best.upper.mean:,.1f}"
    return (
        f"optimum: {kind}, {CERTIFIED}; value {best.lower.mean:,.1f} ({best.lower.low:,.1f} to {best.lower.high:,.1f} by sampling), "
        f"gain over the best decision after history and examination {best.gain.mean:,.1f}"
    )


def check(
    scenario: ScenarioId,
    agent: AgentName,
    seed: Seed = 0,
    vignette: Annotated[list[str] | None, typer.Option("--vignette", metavar="ID", help="Only this one.")] = None,
    gbp_per_qaly: Rate = None,
    perspective: Perspective = None,
    json_file: JsonFile = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the result as JUnit XML, for CI servers.")
    ] = None,
) -> None:
    """Run an agent on the scenario's vignettes, 200 draws each. Exit status 1 if any expectation fails."""
    from workup.agents.registry import make_agent
    from workup.vignettes.check import check_agent

    population = load_population(scenario, gbp_per_qaly, perspective)
    world, chosen = population.world, make_agent(agent, population, seed=seed)
    only = tuple(vignette or ())
    with progress() as display:
        task = display.add_task(f"checking {agent}", total=len(only or world.scenario.vignettes))
        result = check_agent(world, chosen, seed=seed, only=only, progress=lambda _: display.advance(task))
    show_check(result)
    say_what_this_is(world.scenario)
    write_json(json_file, result.as_json())
    if junit is not None:
        from workup.vignettes.junit import junit_xml

        write_whole(junit, junit_xml([result]))
    if not result.passed:
        raise typer.Exit(1)


def show_check(result: Check) -> None:
    """Each vignette, and for each expectation that failed where, how often, and one journey."""
    shown: tuple[str, ...] = ()
    for vignette in result.vignettes:
        verdict = "[green]passed[/green]" if vignette.passed else "[red]failed[/red]"
        console().print(f"{verdict}  {vignette.id}  {escape(vignette.title)}")
        for text in vignette.never_counted:
            console().print(f"        [dim]never came up: {escape(text)}[/dim]")
        for failure in vignette.failures:
            _show_failure(failure)
            if failure.journey != shown:
                _show_journey(failure)
            shown = failure.journey
    for rule in result.locked:
        console().print(
            f"rule {rule.number} came to its turn in {rule.reached} of {rule.draws} draws of {rule.vignette} but could not do "
            f"{escape(rule.decision)}, which requires: {escape(rule.requires)}"
        )
    passed = sum(vignette.passed for vignette in result.vignettes)
    console().print(f"{result.agent}: {passed} of {len(result.vignettes)} vignettes passed, seed {result.seed}")


def _show_failure(failure: Failure) -> None:
    console().print(f"        [bold]{escape(failure.expectation)}[/bold]: failed in {failure.share}")
    console().print(f"        why: {escape(failure.why)}")
    console().print(f"        for example, at step {failure.step}: {escape(failure.what)}")


def _show_journey(failure: Failure) -> None:
    for line in failure.journey:
        console().print(f"            [dim]{escape(line)}[/dim]")


def simulate(
    scenario: ScenarioId,
    agent: AgentName,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="A .parquet, .json, .csv or .xes file, or minari:NAME-v0.")
    ],
    patients: Patients = 1000,
    seed: Seed = 0,
    gbp_per_qaly: Rate = None,
    perspective: Perspective = None,
) -> None:
    """Write the journeys of patients under an agent: every order, result, time, posterior and component."""
    from workup.agents.referenced import by_own_name
    from workup.agents.registry import make_agent
    from workup.envs.records.event_logs import write_csv, write_xes
    from workup.envs.records.files import write_json as write_journeys_json
    from workup.envs.records.files import write_parquet
    from workup.envs.views.minari import PREFIX, write_minari
    from workup.evaluation.run import run_agents

    writers = {".parquet": write_parquet, ".json": write_journeys_json, ".csv": write_csv, ".xes": write_xes}
    to_minari = str(out).startswith(PREFIX)
    if not to_minari and out.suffix not in writers:
        raise WorkupError(f"--out is {out}; expected a name that ends with {', '.join(writers)}, or minari:NAME-v0")
    population = load_population(scenario, gbp_per_qaly, perspective)
    world, chosen = population.world, by_own_name({agent: make_agent(agent, population, seed=seed)})
    (name,) = chosen
    with progress() as display:
        task = display.add_task(name, total=patients)
        journeys = run_agents(
            held_out(scenario, population, gbp_per_qaly, perspective),
            chosen,
            patients=patients,
            seed=seed,
            record=True,
            progress=lambda _, done: display.update(task, completed=done),
        )[name]
    if to_minari:
        place = Path(scenario)
        made_from: dict[str, Any] = {"scenario": str(place.resolve()) if place.exists() else scenario}
        asked = {"gbp_per_qaly": gbp_per_qaly, "perspective": perspective}
        made_from |= {name: of for name, of in asked.items() if of is not None}
        if not population.drawn:
            made_from["split"] = "test"
        write_minari(journeys, str(out).removeprefix(PREFIX), made_from=made_from)
    else:
        make_folder(out.parent)
        writers[out.suffix](journeys, out)
    console().print(f"{patients:,} journeys under {escape(name)}, seed {seed}: {escape(str(out))}")
    say_what_this_is(world.scenario)
