"""The benchmark of imports measures what it says: the same posteriors, the same table, real steps."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from workup.benchmarks.imports import posterior_ms, write_large_table
from workup.benchmarks.tables import AGENTS
from workup.cli.main import app
from workup.importers.networks.files import load_network
from workup.importers.table import Choices, import_table
from workup.importers.tables.files import read_table

pytestmark = pytest.mark.slow

NETWORK = """network n { }
variable d { type discrete [ 2 ] { no, yes }; }
variable x { type discrete [ 2 ] { no, yes }; }
variable y { type discrete [ 3 ] { low, middle, high }; }
probability ( d ) { table 0.7, 0.3; }
probability ( x | d ) { (no) 0.9, 0.1; (yes) 0.2, 0.8; }
probability ( y | d ) { (no) 0.8, 0.2, 0.0; (yes) 0.1, 0.3, 0.6; }
"""


def test_queries_are_never_impossible(tmp_path: Path) -> None:
    (tmp_path / "n.bif").write_text(NETWORK)
    found = posterior_ms(load_network(tmp_path / "n.bif"), queries=60)
    assert found["queries"] == 60
    assert 0 < found["median"] <= found["p95"] <= found["max"]


def test_the_generated_table_is_what_it_says(tmp_path: Path) -> None:
    table = read_table(write_large_table(tmp_path, rows=2000, columns=10)[0])
    assert len(table.columns) == 10
    assert len(table.lines) == 2000
    missing = np.mean([column.missing.mean() for column in table.columns[:-1]])
    assert missing == pytest.approx(0.05, abs=0.01)


def test_the_command_measures_and_writes(tmp_path: Path) -> None:
    (tmp_path / "n.bif").write_text(NETWORK)
    command = ["bench", "imports", "--networks", f"{tmp_path}/n.bif=d", "--rows", "300", "--columns", "5", "--seconds", "0.3",
               "--runs", str(tmp_path / "runs"), "--json", str(tmp_path / "j")]  # fmt: skip
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "j").read_text())
    assert set(found["steps_4096"]) == {"n (d)", "table of 5 columns", "CartPole-v1"}
    assert all(rate["steps_per_cpu_s"] > 0 for rate in found["steps_4096"].values())
    assert found["import_s"] > 0
    again = CliRunner().invoke(app, command)
    assert "3 of 3 were measured before" in again.output
    assert json.loads((tmp_path / "j").read_text()) == found
    (tmp_path / "n.bif").write_text(NETWORK.replace("0.7, 0.3", "0.6, 0.4"))
    assert "1 of 3 were measured before" in CliRunner().invoke(app, command).output  # the table


def test_tables_are_compared_on_their_test_rows(tmp_path: Path) -> None:
    table, costs = write_large_table(tmp_path, rows=200, columns=4)
    import_table(table, target="ill", costs=costs, out=tmp_path / "small", choices=Choices(error_cost=50))
    command = ["bench", "tables", "--folders", str(tmp_path / "small"), "--out", str(tmp_path / "runs"), "--seeds", "0",
               "--json", str(tmp_path / "j")]  # fmt: skip
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "j").read_text())["small"]
    assert (found["train"], found["test"]) == (140, 60)
    assert set(found["agents"]) == set(AGENTS)
    for scores in found["agents"].values():
        money = -scores["cost"]["mean"] - 50 * (1 - scores["accuracy"]["mean"])
        assert scores["value"]["mean"] == pytest.approx(money)
    assert found["agents"]["none"]["accuracy"]["mean"] == pytest.approx(found["commonest"])
    assert found["agents"]["all"]["tests"]["mean"] > found["agents"]["tree"]["tests"]["mean"]
    first = (tmp_path / "j").read_bytes()
    again = CliRunner().invoke(app, command)
    assert "6 of 6 were measured before" in again.output
    assert (tmp_path / "j").read_bytes() == first
