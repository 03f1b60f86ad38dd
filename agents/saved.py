"""Policies on disk: a JSON description and, for networks, a safetensors file beside it. No code is ever run.

The JSON names its tensor file by content (`policy-<sha256>.safetensors`) and is replaced last, so a process
killed while writing leaves the previous pair in force. The JSON carries a checksum of itself and has one spelling only,
so any changed byte of either file is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workup.envs.model.world import World
from workup.errors import FileFormatError
from workup.files import write_whole

Dtype = Literal["float32", "float64", "int64", "uint32", "uint8"]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_MOST_JSON_BYTES = 4_000_000
_MOST_TENSOR_BYTES = 256_000_000
_MEND = "Restore it from a copy, or train again"


class Strict(BaseModel):
    """Base of what is read from a file: frozen, nothing extra, finite numbers, no coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class TensorInfo(Strict):
    """Type and shape of one tensor."""

    dtype: Dtype
    shape: list[Annotated[int, Field(ge=0, le=10_000_000)]]


class Header(Strict):
    """The JSON file."""

    format: Literal["workup policy"] = "workup policy"
    version: Literal[1] = 1
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_: ]{0,40}$")]
    """The learner that wrote it, or what of its else this is, such as its checkpoint."""
    scenario: str
    digest: str
    """Of the scenario that it was made for."""
    actions: list[str]
    """Names of the action space, in order."""
    sha256: Hex | None = None
    tensors: dict[str, TensorInfo] = Field(default_factory=dict)
    spec: dict[str, Any]
    """What else the kind of policy needs; validated by its loader."""
    checksum: Hex | None = None
    """SHA-256 of this file's text with null here."""

    def signed(self) -> Header:
        """With its checksum."""
        plain = self.model_copy(update={"checksum": None})
        return self.model_copy(update={"checksum": hashlib.sha256(plain.text()).hexdigest()})

    def text(self) -> bytes:
        """The only spelling of the file. Raises ValueError where `spec` holds what JSON cannot say."""
        return json.dumps(self.model_dump(), indent=1, allow_nan=False).encode() + b"\n"


@dataclass(frozen=True, eq=False)
class SavedPolicy:
    """A checked policy: its kind's own `spec`, and tensors of the promised names, types and shapes, all finite."""

    kind: str
    spec: Mapping[str, Any]
    tensors: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def write_policy(directory: Path, policy: SavedPolicy, world: World, *, stem: str = "policy") -> None:
    """Save as `<stem>.json` and `<stem>-<sha256>.safetensors`; earlier tensor files of the stem are removed after.

    Raises:
        FileFormatError: a tensor is not finite, or of a type that the format does not have.
    """
    from safetensors.numpy import save

    tensors = {name: np.asarray(array, order="C") for name, array in policy.tensors.items()}
    data = save(tensors) if tensors else b""
    digest = hashlib.sha256(data).hexdigest() if tensors else None
    try:
        header = Header(
            kind=policy.kind,
            scenario=world.scenario.id,
            digest=world.scenario.digest,
            actions=[action.name for action in world.actions],
            sha256=digest,
            tensors={name: TensorInfo(dtype=str(a.dtype), shape=list(a.shape)) for name, a in tensors.items()},  # type: ignore[arg-type]
            spec=dict(policy.spec),
        )
        text = header.signed().text()
    except ValueError as error:
        raise FileFormatError(f"{directory / stem}: cannot be saved as a policy: {error}") from error
    _require_finite(directory / f"{stem}.json", tensors)
    kept = f"{stem}-{digest}.safetensors"
    if tensors:
        write_whole(directory / kept, data)
    write_whole(directory / f"{stem}.json", text)
    for stale in directory.glob(f"{stem}-*.safetensors"):
        if stale.name != kept:
            stale.unlink(missing_ok=True)


def read_policy(directory: Path, world: World, *, kind: str, stem: str = "policy") -> SavedPolicy:
    """Read and check a saved policy.

    Raises:
        FileFormatError: missing, truncated, altered or hostile files, another kind of policy, another
            scenario (or another version of it), or tensors other than the JSON promises.
    """
    path = directory / f"{stem}.json"
    header = read_header(path)
    if header.kind != kind:
        raise FileFormatError(
            f"{path}: kind is {header.kind!r}; expected {kind!r}. Give the directory of such a policy"
        )
    _require_same_scenario(path, header, world)
    return SavedPolicy(kind, header.spec, _read_tensors(directory, stem, header))


def read_header(path: Path) -> Header:
    """The JSON of a saved policy, checked for form alone.

    Raises:
        FileFormatError: not such a file, or one that was altered.
    """
    data = _read_bounded(path, _MOST_JSON_BYTES)
    try:
        header = Header.model_validate_json(data)
    except ValidationError as error:
        raise FileFormatError(f"{path}: not a saved policy: {faults_of(error)}. {_MEND}") from error
    try:
        expected = header.signed().text()
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: spec holds what JSON does not have: {error}. {_MEND}") from error
    if data != expected:
        raise FileFormatError(f"{path}: its text does not have the checksum that it names, so it was altered. {_MEND}")
    return header


def faults_of(error: ValidationError) -> str:
    """All faults on one line, each with its place and what was found."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'file'}: {fault['msg']} (found {str(fault['input'])[:60]!r})"
        for fault in error.errors()
    )


def _require_same_scenario(path: Path, header: Header, world: World) -> None:
    scenario = world.scenario
    if (header.scenario, header.digest) != (scenario.id, scenario.digest):
        raise FileFormatError(
            f"{path}: made for scenario {header.scenario} ({header.digest}); this is {scenario.id} "
            f"({scenario.digest}). Train it again on this version of the scenario, with this rate and perspective."
        )
    expected = [action.name for action in world.actions]
    if header.actions != expected:
        differing = sorted(set(header.actions) ^ set(expected)) or ["their order"]
        raise FileFormatError(
            f"{path}: its actions are not those of {scenario.id}; they differ in {differing[:8]}. {_MEND}"
        )


def _read_bounded(path: Path, most: int) -> bytes:
    if not path.is_file():
        raise FileFormatError(
            f"{path}: not a file; expected one that `workup train` wrote. Give the directory that `workup train ID --out DIR` wrote"
        )
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > most:
        raise FileFormatError(f"{path}: more than {most:,} bytes; expected a small policy file. {_MEND}")
    return data


def _read_tensors(directory: Path, stem: str, header: Header) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if header.sha256 is None:
        if header.tensors:
            raise FileFormatError(f"{directory / stem}.json: lists tensors but no sha256 of their file. {_MEND}")
        return {}
    path = directory / f"{stem}-{header.sha256}.safetensors"
    data = _read_bounded(path, _MOST_TENSOR_BYTES)
    if hashlib.sha256(data).hexdigest() != header.sha256:
        raise FileFormatError(
            f"{path}: its bytes do not have the sha256 in its name; it is truncated or was altered. {_MEND}"
        )
    try:
        tensors: dict[str, NDArray[Any]] = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"{path}: not a safetensors file: {error}. {_MEND}") from error
    found = {
        name: TensorInfo.model_construct(dtype=cast(Any, str(a.dtype)), shape=list(a.shape))
        for name, a in tensors.items()
    }
    if found != header.tensors:
        raise FileFormatError(f"{path}: holds {_listed(found)}; the JSON promises {_listed(header.tensors)}. {_MEND}")
    _require_finite(path, tensors)
    return tensors


def _listed(tensors: Mapping[str, TensorInfo]) -> str:
    return ", ".join(f"{name} {info.dtype}{info.shape}" for name, info in sorted(tensors.items())) or "no tensors"


def _require_finite(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    bad = [name for name, a in tensors.items() if a.dtype.kind == "f" and not np.isfinite(a).all()]
    if bad:
        raise FileFormatError(f"{path}: tensors {bad} hold values that are not finite. {_MEND}")
