"""Speed, measured against CartPole in the same run."""

from __future__ import annotations

from workup.commands.terminal import JsonFile, console, write_json


def speed(json_file: JsonFile = None) -> None:
    """Steps per CPU second of the whole weight-loss scenario, relative to gym.make("CartPole-v1")."""
    from workup.bench import speed as measure

    result = measure()
    for size, ratio in result["ratios"].items():
        console().print(f"{size:>5} environments: {ratio:8.2f} × CartPole")
    console().print(f"CartPole: {result['cartpole_steps_per_cpu_s']:,.0f} steps per CPU second")
    write_json(json_file, result)
