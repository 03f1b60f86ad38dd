"""Saved policies: they come back as they were, and whatever else lies there is refused, in words, without being run."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workup.agents.learned.fixed import FixedAgent, tune_fixed
from workup.agents.learned.ppo import PPOAgent
from workup.agents.learned.ppo.inputs import Inputs, Preset
from workup.agents.learned.ppo.policy import PolicySpec
from workup.agents.registry import load_agent
from workup.agents.saved import Header, SavedPolicy, read_policy, write_policy
from workup.envs.engine.engine import Engine
from workup.envs.model.world import World
from workup.errors import FileFormatError, WorkupError
from workup.files import write_whole

HIDDEN = 8


def network(world: World, preset: Preset = "belief", seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = [Inputs(world, preset).size, HIDDEN, len(world.actions)]
    weights: dict[str, np.ndarray] = {}
    for i, (a, b) in enumerate(pairwise(sizes)):
        weights[f"weight_{i}"] = rng.normal(size=(b, a)).astype(np.float32)
        weights[f"bias_{i}"] = rng.normal(size=b).astype(np.float32)
    return weights


def spec(preset: Preset = "belief") -> dict[str, Any]:
    return PolicySpec(
        preset=preset, layers=[HIDDEN], activation="relu", seed=0, steps=10, seconds=1.5, validation_value_gbp=-2.25
    ).model_dump()


def save(directory: Path, world: World, preset: Preset = "belief") -> Path:
    write_policy(directory, SavedPolicy("ppo", spec(preset), network(world, preset)), world)
    return directory


def tensor_file(directory: Path) -> Path:
    return next(directory.glob("*.safetensors"))


def resigned(directory: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the JSON and put the checksum right, as somebody who means harm would."""
    path = directory / "policy.json"
    content = json.loads(path.read_text())
    change(content)
    content["checksum"] = None
    content["checksum"] = hashlib.sha256(json.dumps(content, indent=1).encode() + b"\n").hexdigest()
    path.write_text(json.dumps(content, indent=1) + "\n")


def planted(directory: Path, data: bytes, tensors: dict[str, Any] | None = None) -> None:
    """Put other bytes in place of the tensors, under the name and in the JSON that they must have."""
    tensor_file(directory).unlink()
    digest = hashlib.sha256(data).hexdigest()
    (directory / f"policy-{digest}.safetensors").write_bytes(data)

    def change(content: dict[str, Any]) -> None:
        content["sha256"] = digest
        if tensors is not None:
            content["tensors"] = tensors

    resigned(directory, change)


def safetensors_bytes(header: dict[str, Any] | bytes, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize("preset", ["belief", "raw"])
def test_a_network_comes_back_with_the_same_actions(tmp_path: Path, world: World, preset: Preset) -> None:
    before = PPOAgent(world, preset, network(world, preset))
    after = load_agent(save(tmp_path, world, preset), world)
    engine = Engine(world, 256, seed=1, view=preset)
    for _ in range(12):
        view = engine.journey_view(observation=True)
        assert np.array_equal(before.act(view), after.act(view))
        engine.step(before.act(view))


def test_a_fixed_order_comes_back_as_it_was(tmp_path: Path, world: World) -> None:
    tuned = tune_fixed(world, patients=64, rounds=0)
    tuned.save(tmp_path)
    loaded = load_agent(tmp_path, world)
    assert isinstance(loaded, FixedAgent)
    assert loaded.plan == tuned.plan


def test_saving_again_leaves_one_policy_and_nothing_half_written(tmp_path: Path, world: World) -> None:
    save(tmp_path, world)
    write_policy(tmp_path, SavedPolicy("ppo", spec(), network(world, seed=1)), world)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".safetensors"]
    loaded = read_policy(tmp_path, world, kind="ppo")
    assert all(np.array_equal(loaded.tensors[name], array) for name, array in network(world, seed=1).items())


def test_a_kill_between_the_two_files_leaves_the_old_policy_in_force(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, world)

    def killed(path: Path, data: bytes) -> None:
        if path.suffix == ".json":
            raise KeyboardInterrupt
        write_whole(path, data)

    monkeypatch.setattr("workup.agents.saved.write_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        write_policy(tmp_path, SavedPolicy("ppo", spec(), network(world, seed=1)), world)
    loaded = read_policy(tmp_path, world, kind="ppo")
    assert np.array_equal(loaded.tensors["weight_0"], network(world)["weight_0"])


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"old")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert path.read_bytes() == b"old"


def test_what_is_not_finite_is_not_saved(tmp_path: Path, world: World) -> None:
    weights = network(world)
    weights["bias_0"][0] = np.nan
    with pytest.raises(FileFormatError, match=r"\['bias_0'\] hold values that are not finite"):
        write_policy(tmp_path, SavedPolicy("ppo", spec(), weights), world)
    with pytest.raises(FileFormatError, match="cannot be saved"):
        write_policy(tmp_path, SavedPolicy("ppo", {"x": float("nan")}, network(world)), world)
    with pytest.raises(FileFormatError, match="cannot be saved"):
        write_policy(tmp_path, SavedPolicy("ppo", spec(), {"weight_0": np.zeros(3, np.complex64)}), world)
    assert not list(tmp_path.iterdir())


class Bomb:
    """Runs when unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch exploded",)


def test_a_pickle_in_place_of_tensors_is_refused_and_not_run(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for bomb in (pickle.dumps(Bomb()), pickle.dumps(Bomb(), protocol=0)):
        directory = save(tmp_path / str(len(bomb)), world)
        planted(directory, bomb)
        with pytest.raises(FileFormatError, match="not a safetensors file"):
            load_agent(directory, world)
        (directory / "policy.json").write_bytes(bomb)
        with pytest.raises(FileFormatError, match="not a saved policy"):
            load_agent(directory, world)
    assert not (tmp_path / "exploded").exists()


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}

HOSTILE_TENSORS = {
    "empty": b"",
    "a header length of 2^62": struct.pack("<Q", 2**62) + b"{}",
    "a header length beyond the file": struct.pack("<Q", 1000) + b"{}",
    "a header that is not JSON": safetensors_bytes(b"{" * 100),
    "a deeply nested header": safetensors_bytes(b"[" * 50_000),
    "offsets beyond the data": safetensors_bytes({"weight_0": {**F32, "data_offsets": [0, 2**40]}}, b"\0" * 8),
    "negative offsets": safetensors_bytes({"weight_0": {**F32, "data_offsets": [-8, 0]}}, b"\0" * 8),
    "a shape whose size overflows": safetensors_bytes({"weight_0": {**F32, "shape": [2**40, 2**40]}}, b"\0" * 8),
    "overlapping tensors": safetensors_bytes({"weight_0": F32, "bias_0": F32}, b"\0" * 8),
    "bytes that belong to nothing": safetensors_bytes({"weight_0": F32}, b"\0" * 80),
    "an unknown type": safetensors_bytes({"weight_0": {**F32, "dtype": "PICKLE"}}, b"\0" * 8),
    "a type that NumPy lacks": safetensors_bytes({"weight_0": {**F32, "dtype": "BF16", "shape": [4]}}, b"\0" * 8),
    "a name that climbs out": safetensors_bytes({"../../weight_0": F32}, b"\0" * 8),
    "other tensors than promised": safetensors_bytes({"weight_0": F32}, b"\0" * 8),
}


@pytest.mark.parametrize("which", HOSTILE_TENSORS)
def test_hostile_tensor_files_are_refused(tmp_path: Path, world: World, which: str) -> None:
    planted(save(tmp_path, world), HOSTILE_TENSORS[which])
    with pytest.raises(
        FileFormatError, match=r"safetensors: (not a safetensors file|holds .*the JSON promises)"
    ) as told:
        load_agent(tmp_path, world)
    assert "Restore it from a copy, or train again" in str(told.value)


def nan_weights(world: World) -> bytes:
    from safetensors.numpy import save as as_bytes

    weights = network(world)
    weights["weight_1"][0, 0] = np.inf
    return bytes(as_bytes(weights))


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, world: World) -> None:
    planted(save(tmp_path, world), nan_weights(world))
    with pytest.raises(FileFormatError, match=r"tensors \['weight_1'\] hold values that are not finite"):
        load_agent(tmp_path, world)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("bias_1"), "expected weight_i and bias_i of each layer"),
        (lambda w: w.update(weight_7=w.pop("weight_1")), "expected weight_i and bias_i of each layer"),
        (lambda w: w.update(weight_0=w["weight_0"][:, 1:]), r"layer 0 has weight \(8, \d+\) .*expected \(8, \d+\)"),
        (lambda w: w.update(weight_1=w["weight_1"][1:]), r"layer 1 has weight \(13, 8\) .*expected \(14, 8\)"),
        (lambda w: w.update(bias_0=w["bias_0"].astype(np.float64)), "layer 0 .*float64; expected .*float32"),
        (lambda w: w.update(weight_0=np.float32(3.0)), r"layer 0 has weight \(\) "),
        (lambda w: w.clear(), "expected weight_i and bias_i"),
        (lambda w: w.update(weight_0=np.full_like(w["weight_0"], 3e38)), "layer 0 .*more than a float32 holds"),
        (lambda w: w.update(weight_1=w["weight_1"] * np.float32(1e37)), "layer 1 .*out of scale"),
    ],
)
def test_a_network_of_the_wrong_shape_is_refused(
    tmp_path: Path, world: World, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    weights = network(world)
    change(weights)
    write_policy(tmp_path, SavedPolicy("ppo", spec(), weights), world)
    with pytest.raises(FileFormatError, match=message) as told:
        load_agent(tmp_path, world)
    assert str(told.value).startswith(str(tmp_path / "policy.json"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(kind="pickle"), "kind is 'pickle'; expected that of a learner: "),
        (
            lambda c: c.update(kind="ppo checkpoint"),
            "kind is 'ppo checkpoint'; expected that of a learner: ",
        ),
        (lambda c: c.update(kind="fixed"), "spec: order: Field required"),
        (lambda c: c.update(format="workup scenario"), "format: "),
        (lambda c: c.update(version=2), "version: "),
        (lambda c: c.update(run="rm -rf /"), "run: Extra inputs are not permitted"),
        (lambda c: c["spec"].update(run="rm -rf /"), "spec: run: Extra inputs are not permitted"),
        (lambda c: c["spec"].update(preset="all"), "spec: preset: "),
        (lambda c: c["spec"].update(preset="raw"), "does not fit the scenario: layer 0"),
        (lambda c: c["spec"].update(layers=[9]), r"layers is \[9\], but the tensors are of \[8\]"),
        (lambda c: c["spec"].update(steps="10"), "spec: steps: .*integer"),
        (lambda c: c["spec"].update(steps=-1), "spec: steps: .*greater than or equal to 0"),
        (lambda c: c["spec"].update(seconds=-1.0), "spec: seconds: .*greater than or equal to 0"),
        (lambda c: c["spec"].pop("seed"), "spec: seed: Field required"),
        (lambda c: c.update(sha256="../../../etc/passwd"), "sha256: .*pattern"),
        (lambda c: c.update(sha256="A" * 64), "sha256: .*pattern"),
        (lambda c: c.update(sha256="0" * 64), "safetensors: not a file"),
        (lambda c: c.update(sha256=None), "lists tensors but no sha256"),
        (lambda c: c.update(sha256=None, tensors={}), "expected weight_i and bias_i of each layer"),
        (lambda c: c["tensors"]["bias_0"].update(dtype="object"), "tensors.bias_0.dtype: "),
        (lambda c: c["tensors"]["bias_0"].update(shape=[-1]), "tensors.bias_0.shape.0: "),
        (lambda c: c["tensors"].pop("bias_0"), "holds bias_0 .*the JSON promises bias_1"),
        (lambda c: c.update(digest="0123456789abcdef"), "made for scenario tutorial .*Train it again on this version"),
        (lambda c: c.update(scenario="weight_loss"), "made for scenario weight_loss"),
        (lambda c: c["actions"].reverse(), r"its actions are not those of tutorial; they differ in \['their order'\]"),
        (lambda c: c["actions"].append("order mri"), r"they differ in \['order mri'\]"),
    ],
)
def test_a_description_that_lies_is_refused(
    tmp_path: Path, world: World, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    resigned(save(tmp_path, world), change)
    with pytest.raises(FileFormatError, match=message) as told:
        load_agent(tmp_path, world)
    assert str(told.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not a saved policy"),
        (b"null", "not a saved policy"),
        (b"[" * 200_000, "not a saved policy"),
        (b'{"spec": ' * 5_000, "not a saved policy"),
        (b"\xff\xfe", "not a saved policy"),
        (b'{"a": 1' + b" " * 5_000_000, "more than 4,000,000 bytes"),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, world: World, text: bytes, message: str) -> None:
    (save(tmp_path, world) / "policy.json").write_bytes(text)
    with pytest.raises(FileFormatError, match=message):
        load_agent(tmp_path, world)


@pytest.mark.parametrize("old_and_new", [("10", "11"), ("-2.25", "1e999"), ("-2.25", "NaN"), ("\n", "\n\n")])
def test_a_figure_changed_by_hand_is_noticed(tmp_path: Path, world: World, old_and_new: tuple[str, str]) -> None:
    path = save(tmp_path, world) / "policy.json"
    text = path.read_text()
    assert old_and_new[0] in text
    path.write_text(text.replace(*old_and_new, 1))
    with pytest.raises(FileFormatError, match=r"altered|not a saved policy|does not have"):
        load_agent(tmp_path, world)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, world: World) -> None:
    with pytest.raises(FileFormatError, match=r"policy\.json: not a file; expected one that `workup train` wrote"):
        load_agent(tmp_path, world)
    os.mkfifo(tmp_path / "policy.json")
    with pytest.raises(FileFormatError, match="not a file"):
        load_agent(tmp_path, world)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, world: World) -> Path:
    return save(tmp_path_factory.mktemp("sound"), world)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_passes_in_silence(
    saved: Path, tmp_path_factory: pytest.TempPathFactory, world: World, data: Any
) -> None:
    source = data.draw(st.sampled_from(sorted(saved.iterdir())))
    whole = source.read_bytes()
    damaged = bytearray(whole)
    match data.draw(st.sampled_from(["flip", "cut", "insert", "zero"])):
        case "flip":
            for _ in range(data.draw(st.integers(1, 4))):
                damaged[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
        case "cut":
            del damaged[data.draw(st.integers(0, len(whole) - 1)) :]
        case "insert":
            at = data.draw(st.integers(0, len(whole)))
            damaged[at:at] = data.draw(st.binary(min_size=1, max_size=20))
        case "zero":
            at = data.draw(st.integers(0, len(whole) - 1))
            damaged[at : at + 64] = bytes(len(damaged[at : at + 64]))
    other = tmp_path_factory.mktemp("damaged")
    for file in saved.iterdir():
        (other / file.name).write_bytes(bytes(damaged) if file == source else file.read_bytes())
    if bytes(damaged) == whole:
        load_agent(other, world)
    else:
        with pytest.raises(WorkupError, match=str(other)):
            load_agent(other, world)


@settings(max_examples=60, deadline=None)
@given(header=st.binary(max_size=200), data=st.binary(max_size=200))
def test_no_made_up_tensor_file_gets_past_the_promise(saved: Path, world: World, header: bytes, data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for file in saved.iterdir():
            (Path(folder) / file.name).write_bytes(file.read_bytes())
        planted(Path(folder), safetensors_bytes(header, data))
        with pytest.raises(WorkupError, match=folder):
            load_agent(Path(folder), world)


def test_the_checksum_covers_the_whole_description(saved: Path) -> None:
    content = json.loads((saved / "policy.json").read_text())
    assert set(content) == set(Header.model_fields)
    assert len(content["checksum"]) == 64
