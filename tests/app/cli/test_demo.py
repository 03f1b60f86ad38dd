"""The main job from end to end, on the tutorial with a short training."""

from pathlib import Path

import pytest

from workup.cli.demonstration import CHECKED, run
from workup.scenarios.language.library import load_scenario

pytestmark = pytest.mark.torch


def test_the_main_job_ends_with_a_report_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    told: list[tuple[str, float | None]] = []

    def demonstrate() -> str:
        told.clear()
        found = run(
            "tutorial",
            out=tmp_path / "demo",
            seed=0,
            seconds=1.0,
            patients=60,
            progress=lambda what, share: told.append((what, share)),
        )
        assert found.report == tmp_path / "demo" / "report.html"
        assert [check.agent for check in found.checks] == list(CHECKED)
        assert {"none", "guideline", "optimum", "ppo"} <= set(found.evaluation.agents)
        assert all(share is None or 0.0 <= share <= 1.0 for _, share in told)
        return found.report.read_text()

    page = demonstrate()
    assert load_scenario("tutorial").title in page
    assert "training ppo" in {what for what, _ in told}
    policy = (tmp_path / "demo" / "ppo" / "policy.json").stat().st_mtime_ns
    demonstrate()
    assert "training ppo" not in {what for what, _ in told}  # it was finished
    assert (tmp_path / "demo" / "ppo" / "policy.json").stat().st_mtime_ns == policy
    assert "presentations planned" not in {what for what, _ in told}  # they were kept
