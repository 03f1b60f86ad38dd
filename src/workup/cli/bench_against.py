"""`workup bench speed --against`: what changed in speed since a commit."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from workup.cli.terminal import cells, console, table, warnings, write_json
from workup.errors import UnknownNameError


def compare(
    commit: str, scenario: str, view: str | None, *, rounds: int, seconds: float, runs: Path, json_file: Path | None
) -> None:
    """Measure, show and write the ratios; `scenario` may be 'all', and without a view both are measured."""
    from workup.benchmarks.against import VIEWS, bench_against
    from workup.envs.views.registration import scenario_folders

    every = scenario_folders()
    if scenario not in ("all", *every):
        raise UnknownNameError(
            f"no scenario {scenario!r} comes with workup; expected 'all' or one of {', '.join(every)}"
        )
    names = every if scenario == "all" else [scenario]
    warnings().print(f"the code of {escape(commit)} is compiled in a folder of its own first, which takes a minute")
    with cells(runs) as show:
        found = bench_against(
            commit,
            names,
            views=VIEWS if view is None else (view,),
            rounds=rounds,
            seconds=seconds,
            runs=runs,
            progress=show,
        )
    changed = " and what is in no commit yet" * found["changed"]
    console().print(f"{found['commit'][:12]}{changed} against {found['against'][:12]}; above 1 is faster\n")
    listed = table("scenario", "view", "environments", "best", "median of pairs", "steps per CPU second")
    for name, views in found["ratios"].items():
        for shown, sizes in views.items():
            for size, ratio in sizes.items():
                rates = (f"{ratio['best']:.3f}", f"{ratio['median']:.3f}", f"{ratio['steps_per_cpu_s']:,.0f}")
                listed.add_row(name, shown, f"{int(size):,}", *rates)
    console().print(listed)
    console().print(f"CPU time, {found['rounds']} rounds of each in turn")
    if found["left_out"]:
        console().print(f"not in {found['against'][:12]}: {', '.join(map(escape, found['left_out']))}")
    write_json(json_file, found)
