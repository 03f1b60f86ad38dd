"""`workup report` for any scenario and agents."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import run

from workup.scenarios.language.library import find_scenario


def test_a_page_of_a_file_and_some_agents(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file, out = find_scenario("tutorial") / "scenario.yaml", tmp_path / "new" / "r.html"
    status, said, _ = run(capsys, "report", file, "--agents", "none, guideline", "--out", out, "--patients", 30)
    assert status == 0
    assert said.splitlines()[0] == str(out)
    page = out.read_text(encoding="utf-8")
    assert f"workup report {file} --agents none,guideline --out {out} --patients 30 --seed 0" in page
    assert page.index("Synthetic patients. Research and teaching only") < page.index("<svg") < page.index("<table")


@pytest.mark.parametrize(
    ("agents", "name", "told"),
    [("none,none", "r.html", "each once"), ("none", "r.pdf", ".html"), ("nobody", "r.html", "nobody")],
)
def test_what_cannot_be_reported_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, agents: str, name: str, told: str
) -> None:
    status, _, said = run(capsys, "report", "tutorial", "--agents", agents, "--out", tmp_path / name)
    assert (status, told in said, "Traceback" in said) == (2, True, False)
    assert not list(tmp_path.iterdir())
