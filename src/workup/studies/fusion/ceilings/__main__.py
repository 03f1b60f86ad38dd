"""Holds every closed form against simulation, and prints both."""

from __future__ import annotations

import argparse
import sys

from workup.studies.fusion.ceilings.against import WITHIN, Compared, compared
from workup.studies.fusion.tasks import TASKS


def main() -> int:
    """0 where all agree within .001, else 1."""
    parser = argparse.ArgumentParser(prog="python -m workup.studies.fusion.ceilings", description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="which; all unless it is said")
    parser.add_argument("--patients", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    apart: list[Compared] = []
    for task in asked.tasks or TASKS:
        for found in compared(task, patients=asked.patients, seed=asked.seed):
            print(found, flush=True)
            apart += [found] if found.distance > WITHIN else []
    print(f"{len(apart)} apart by more than {WITHIN}" + "".join(f"\n  {found}" for found in apart))
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
