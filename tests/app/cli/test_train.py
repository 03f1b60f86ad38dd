"""`workup train`: it says where things are, and goes on after a kill."""

from pathlib import Path

import pytest

pytest.importorskip("sb3_contrib", reason="needs workup[train]")

from workup.agents.learned.ppo.checkpoint import CurvePoint
from workup.agents.learned.ppo.training import Settings, train
from workup.cli.main import main
from workup.envs.compile.compile import compile_world
from workup.scenarios.language.library import load_scenario

pytestmark = pytest.mark.torch

SMALL = Settings(n_envs=64, rollout_steps=8, validate_every_s=0.0, validation_patients=64)


class Killed(BaseException):
    """Stands for the process being killed between two rollouts."""


def test_a_killed_run_goes_on_from_its_checkpoint_and_then_rests(tmp_path: Path) -> None:
    world = compile_world(load_scenario("tutorial"))

    def kill(share: float, point: CurvePoint | None) -> None:
        if share >= 0.5:
            raise Killed

    with pytest.raises(Killed):
        train(world, out=tmp_path, seconds=None, steps=4096, settings=SMALL, progress=kill)
    stopped = (tmp_path / "learning_curve.jsonl").read_text().splitlines()
    reached = CurvePoint.model_validate_json(stopped[-1]).steps
    assert 0 < reached < 4096
    shares: list[float] = []
    trained = train(
        world, out=tmp_path, seconds=None, steps=4096, settings=SMALL, progress=lambda share, _: shares.append(share)
    )
    assert shares[0] >= reached / 4096
    assert [point.model_dump_json() for point in trained.curve[: len(stopped)]] == stopped
    assert trained.curve[-1].steps >= 4096
    shares.clear()
    train(world, out=tmp_path, seconds=None, steps=4096, settings=SMALL, progress=lambda share, _: shares.append(share))
    assert not shares


def test_the_command_says_where_the_policy_is_and_refuses_other_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ppo"
    with pytest.raises(SystemExit) as end:
        main(["train", "tutorial", "--out", str(out), "--seconds", "1"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert "policy.json" in said
    assert "nothing here is medical advice" in said
    assert (out / "policy.json").is_file()
    with pytest.raises(SystemExit) as end:
        main(["train", "tutorial", "--out", str(out), "--seconds", "2"])
    assert end.value.code == 2
    assert "other settings" in capsys.readouterr().err
