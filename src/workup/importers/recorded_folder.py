"""The folder of an environment over recorded patients, as `workup.envs.compile.recorded` reads it back."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from workup.envs.compile.recorded import ABOUT, FORMAT, ROWS, Recorded, load_recorded
from workup.errors import WorkupError
from workup.files import write_whole


def write(folder: Path, scenario_text: str, rows: Mapping[str, Any], about: Mapping[str, Any]) -> Recorded:
    """Write the folder and read it back.

    Args:
        folder: made if it is not there.
        scenario_text: scenario.yaml, the model that was fitted to the training rows.
        rows: columns of equal length, a row for each patient: `split` (train or test), `condition` (its index), for every
            observable `NAME code` (index of its value, or MISSING) and, where it is a number, `NAME number`; others are kept.
        about: where the rows come from, and `set_ups_once_a_journey`.

    Raises:
        ScenarioError: a scenario that the linter refuses; then nothing of it stays in the folder.
    """
    content = io.BytesIO()
    pl.DataFrame(dict(rows)).write_parquet(content)
    write_whole(folder / "scenario.yaml", scenario_text)
    write_whole(folder / ROWS, content.getvalue())
    told = {"format": FORMAT, **about, "patients_sha256": hashlib.sha256(content.getvalue()).hexdigest()}
    write_whole(folder / ABOUT, json.dumps(told, indent=1) + "\n")
    try:
        return load_recorded(folder)
    except WorkupError:
        for name in ("scenario.yaml", ROWS, ABOUT):
            (folder / name).unlink()
        if not any(folder.iterdir()):
            folder.rmdir()
        raise
