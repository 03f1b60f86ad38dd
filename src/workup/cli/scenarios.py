"""Commands about scenarios: list, lint, explain, diff, solve, play."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from workup.cli.terminal import (
    JsonFile,
    Perspective,
    Rate,
    ScenarioId,
    Seed,
    console,
    load_population,
    load_world,
    planning_ahead,
    progress,
    say_what_this_is,
    table,
    warnings,
    write_json,
)
from workup.errors import WorkupError
from workup.files import write_whole

if TYPE_CHECKING:
    from workup.agents.planning import Solution
    from workup.evaluation.optimum import Bookkeeper
    from workup.scenarios.language.schema import Scenario

_WHICH = "A scenario's id, or a path to its folder or file."


def scenarios() -> None:
    """List the scenarios, their status and the share of their figures that were seen in a source."""
    from workup.scenarios.language.library import (
        fusion_scenarios,
        list_scenarios,
        load_scenario,
        offered_by,
        teaching_scenarios,
    )
    from workup.scenarios.language.reading.signatures import standing_of
    from workup.scenarios.language.words.prose import shares

    listed, owners = table("id", "version", "title", "status", "seen", "counts"), []
    listed.columns[0].no_wrap = True  # to be copied
    for name in list_scenarios():
        if offer := offered_by(name):
            owners.append(f"{name}: installed with {offer.owner}")
        try:
            s = load_scenario(name)
        except WorkupError as error:
            if offer is None:
                raise
            warnings().print(escape(f"{offer} cannot be read: {error}"))
            continue
        counts = " / ".join(str(len(part)) for part in (s.conditions, s.investigations, s.vignettes))
        status = standing_of(s).words if s.reviews else standing_of(s).status
        listed.add_row(name, s.version, s.title, escape(status), f"{shares(s)['seen']:.0%}", counts)
    console().print(listed)
    console().print(
        "\nseen: share of the figures that were seen in a source\ncounts: conditions / investigations, history and "
        "examination too / vignettes"
    )
    console().print(f"for teaching, by id like the others: {', '.join(teaching_scenarios())}")
    console().print(f"of the fusion benchmark: {', '.join(fusion_scenarios())}")
    for owner in owners:
        console().print(escape(owner))


def lint(
    file: Annotated[str, typer.Argument(metavar="FILE|ID", help="A scenario's file, folder or id.")],
    json_file: JsonFile = None,
) -> None:
    """Every fault of a scenario at once, with its line and how to mend it. Exit status 1 if there are any."""
    from workup.envs.compile.faults import lint_compiled
    from workup.scenarios.language.backing import recomputed, recomputed_words
    from workup.scenarios.language.library import find_scenario, load_scenario
    from workup.scenarios.language.lint.lint import check
    from workup.scenarios.language.lint.lint import look_again as again
    from workup.scenarios.language.reading.signatures import standing_of

    faults = lint_compiled(find_scenario(file))
    for fault in faults:
        console().print(escape(str(fault)))
    listed = [
        {"path": fault.path, "line": fault.line, "message": fault.message}
        | ({} if fault.column is None else {"column": fault.column})
        for fault in faults
    ]
    if faults:
        console().print(f"{len(faults)} fault{'s' * (len(faults) != 1)}")
        write_json(json_file, {"file": file, "passed": False, "faults": listed})
        raise typer.Exit(1)
    scenario = load_scenario(file)
    look_again, standing = again(check(find_scenario(file))[0]), standing_of(scenario)
    for warning in look_again:
        console().print(escape(f"look again: {warning}"))
    stated, derived = recomputed(scenario)
    if stated < derived:
        console().print(f"advice: {recomputed_words(scenario)}; of the others nobody notices a slip")
    console().print(escape(f"{file}: no faults; {standing.words}"))
    told = {"look_again": look_again, "status": standing.status, "derived": derived, "recomputed": stated}
    write_json(json_file, {"file": file, "passed": True, "faults": [], **told})


def explain(
    scenario: ScenarioId,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="Write a page with pictures and tables instead.")
    ] = None,
) -> None:
    """The scenario in plain words: on the terminal, or as a page with a picture of what depends on what."""
    from workup.scenarios.language.library import load_scenario
    from workup.scenarios.language.words.prose import explain as prose

    if out is None:
        console().print(escape(prose(load_scenario(scenario))))
        return
    if out.suffix.lower() not in (".html", ".htm"):
        raise WorkupError(f"--out {out} is no web page; give a name that ends in .html")
    from workup.report.explain import explanation

    write_whole(out, explanation(load_scenario(scenario), f"workup explain {scenario} --out {out.name}"))
    console().print(escape(str(out.resolve())))


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=f"The earlier scenario. {_WHICH}")],
    after: Annotated[str, typer.Argument(metavar="B", help=f"The later scenario. {_WHICH}")],
    json_file: JsonFile = None,
) -> None:
    """What changed from A to B, in clinical words. Exit status 1 if anything did.

    Comments and the order of keys do not count; what was renamed or moved is told as removed and new.
    """
    from workup.scenarios.language.library import load_scenario
    from workup.scenarios.language.words.difference import differences

    was, now = load_scenario(before), load_scenario(after)
    changes = differences(was, now)
    if unrelated := _unrelated(was, now):
        console().print(f"{escape(unrelated)}; --json FILE lists what differs")
    for part, told in () if unrelated else groupby(changes, key=lambda change: change.part):
        console().print(f"[bold]{escape(part)}[/bold]")
        for change in told:
            console().print(f"- {escape(change.words)}")
        console().print()
    console().print(_summary(len(changes), same_digest=was.digest == now.digest))
    say_what_this_is(now)
    listed = [
        {"part": each.part, "path": each.path, "words": each.words, "before": each.before, "after": each.after}
        for each in changes
    ]
    digests = {"before": {"id": was.id, "digest": was.digest}, "after": {"id": now.id, "digest": now.digest}}
    write_json(json_file, digests | {"changes": listed})
    if changes:
        raise typer.Exit(1)


def _unrelated(was: Scenario, now: Scenario) -> str:
    """That two scenarios are no versions of one case: they have other names, and few conditions and findings in common."""
    ours, theirs = ({*s.conditions, *s.findings} for s in (was, now))
    shared = len(ours & theirs)
    if was.id == now.id or 2 * shared >= min(len(ours), len(theirs)):
        return ""
    many = min(len(ours), len(theirs))
    return f"{was.id} and {now.id} are different cases: they share {shared} of {many} conditions and findings"


def _summary(count: int, *, same_digest: bool) -> str:
    if count:
        return f"{count} difference{'s' * (count != 1)}"
    if same_digest:
        return "no differences"
    return (
        "no differences, but the order of entries: trained policies and solved bounds of the one do not fit the other"
    )


def play(
    scenario: ScenarioId,
    patient: Annotated[int, typer.Option(min=0, help="Which patient of the seed.")] = 0,
    seed: Seed = 0,
    gbp_per_qaly: Rate = None,
    perspective: Perspective = None,
) -> None:
    """Take a journey yourself, and learn what each order gained or lost against the optimum, and why."""
    from workup.play.debrief import debrief, judged_choices
    from workup.play.play import QuitError
    from workup.play.play import play as take

    world = load_world(scenario, gbp_per_qaly, perspective)
    say_what_this_is(world.scenario)
    console().print(escape(world.scenario.about))

    def say(line: str) -> None:
        console().print(escape(line))

    try:
        journeys, choices = take(world, patient=patient, seed=seed, ask=_ask, say=say)
    except QuitError as left:
        if not left.choices:
            raise WorkupError(f"{left}; nothing was scored") from None
        for line in judged_choices(world, left.choices):
            say(line)
        raise WorkupError(f"{left}; the choices before it were judged, the end of the journey was not scored") from None
    for line in debrief(journeys, choices):
        say(line)


def _ask(prompt: str) -> str:
    try:
        return input(prompt)
    except EOFError:
        from workup.play.play import QuitError

        raise QuitError("the input ended before a decision") from None


def solve(
    scenario: ScenarioId,
    patients: Annotated[
        int, typer.Option(min=2, help="Patients who show what it does; sampled where the whole is too large.")
    ] = 200,
    seed: Seed = 0,
    vignettes: Annotated[bool, typer.Option("--vignettes", help="Also for each vignette's patient.")] = False,
    gbp_per_qaly: Rate = None,
    perspective: Perspective = None,
    json_file: JsonFile = None,
) -> None:
    """What the best policy is worth, exactly or between bounds, certified given the scenario's figures, and what it does."""
    from workup.agents.planning import Optimum
    from workup.cli.solving import as_json, what_it_does
    from workup.evaluation.optimum import Bookkeeper
    from workup.evaluation.run import run_agents
    from workup.wording import CERTIFIED, pounds

    population = load_population(scenario, gbp_per_qaly, perspective)
    world, keeper = population.world, Bookkeeper(population)
    keeper.check_law()
    with progress() as display:
        task = display.add_task("presentations solved", total=None)
        solved = partial(display.advance, task)
        agent = keeper.optimum(progress=solved)
        if not agent.planner.whole:
            to_plan = keeper.to_plan(patients=patients, seed=seed, acting=True)
            display.update(task, total=to_plan)
            if to_plan:
                warnings().print(f"[dim]{planning_ahead(to_plan)}; with fewer --patients sooner[/dim]")
        journeys = run_agents(population, {Optimum.name: agent}, patients=patients, seed=seed, record=True)[
            Optimum.name
        ]
        found = keeper.solve(patients=patients, seed=seed, planner=agent.planner, progress=solved)
        more = display.add_task("of vignettes", total=None, visible=vignettes)
        told = _of_vignettes(keeper, seed, partial(display.advance, more)) if vignettes else {}
    console().print(f"{world.scenario.id}: the best policy is worth {pounds(found.value)} per patient")
    if found.exact:
        console().print(f"exact, over all patients and the whole journey, {CERTIFIED}")
    else:
        console().print(f"at least {pounds(found.lower)}, at most {pounds(found.upper)}, {CERTIFIED}")
        console().print(f"the best decision right after history and examination: {pounds(found.v0)}")
        console().print(f"over {found.patients} patients of seed {seed}, 95% by sampling: {_ends(found)}")
    console().print()
    for line in what_it_does(journeys):
        console().print(escape(line))
    console().print(f"Shares of {patients:,} patients of seed {seed}; journey by journey:")
    console().print(f"workup simulate {escape(scenario)} --agent optimum --out FILE.csv")
    for name, of in told.items():
        console().print(
            f"{name}: the best policy gains {of['gain']:,.2f} after history and examination, at most {of['upper_gain']:,.2f}"
        )
    say_what_this_is(world.scenario)
    bounds: dict[str, Any] = {"vignettes": told} if vignettes else {}
    bounds |= {name: getattr(found, name) for name in ("value", "lower", "upper", "exact")}
    bounds |= {"patients": patients, "seed": seed, **as_json(journeys)}
    sampled = {"v0": found.v0, "lower_interval": found.lower_interval, "upper_interval": found.upper_interval}
    write_json(json_file, bounds if found.exact else bounds | sampled)


def _of_vignettes(keeper: Bookkeeper, seed: int, progress: Callable[[int], None]) -> dict[str, dict[str, float]]:
    """Pounds that the best policy gains over V0 in each vignette, at least and at most, and the widest gap between the two
    as a share of the gain, over its draws."""
    from workup.vignettes.check import DRAWS

    told = {}
    for name, of in keeper.of_vignettes(draws=DRAWS, seed=seed, progress=progress).items():
        gain, gap = of.lower - of.v0, of.upper - of.lower
        widest = float((gap[gain > 0] / gain[gain > 0]).max()) if (gain > 0).any() else 0.0
        upper = float((of.upper - of.v0).mean())
        told[name] = {"gain": float(gain.mean()), "upper_gain": upper, "widest_gap": widest}
    return told


def _ends(found: Solution) -> str:
    (a, b), (c, d) = found.lower_interval, found.upper_interval
    return f"lower bound {a:,.2f} to {b:,.2f}, upper bound {c:,.2f} to {d:,.2f}"
