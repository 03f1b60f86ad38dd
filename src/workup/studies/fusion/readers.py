"""The read view: what a frozen network makes of raw data, trained on other patients to name what a picture shows.

One reader a kind of picture. Its weights come with workup as safetensors of under a megabyte, with the digest of what the
renderer drew when it was trained and the keys of everybody it was trained on: it is refused where either does not fit.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn
from torch.nn import functional

from workup.errors import FileFormatError, WorkupError, WorkupWarning
from workup.files import UnwritableError, bytes_of, cache_folder, write_whole
from workup.studies.fusion.looks import FILM, SLIDE, Shown, pictures, shown
from workup.studies.fusion.splits import keys_of, stream

if TYPE_CHECKING:
    from workup.studies.fusion.tasks.base import Patients, Task

FORMAT: Final = "workup-reader-1"
FOLDER: Final = Path(__file__).parent / "readers"
EMBEDDING: Final = 24
MOST_BYTES: Final = 1_000_000
MOST_BYTES_KEPT: Final = 100_000_000
KINDS: Final = {"film": FILM, "slide": SLIDE}
PATIENTS, EPOCHS, RATE, BATCH = 8_000, 8, 1e-3, 64
LEAST_R2, LEAST_BITS = 0.1, 0.6
"""Below either a reader has died."""
_AT_ONCE = 512


class ReaderRefused(WorkupError):  # noqa: N818
    """A reader that may not be used here; says why."""


class Reader(nn.Module):
    """A small convolutional network: a picture to 24 numbers, and these to a graded finding and the log-odds of a bit.

    Normalised throughout, and smooth at its end: without that it died in one of a few trainings.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, width, stride in ((channels, 8, 5, 2), (8, 16, 3, 1), (16, 24, 3, 1)):
            layers += [
                nn.Conv2d(before, after, width, stride, width // 2),
                nn.GroupNorm(after // 4, after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.embed = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(24 * 16, EMBEDDING), nn.LayerNorm(EMBEDDING), nn.GELU()
        )
        self.name = nn.Linear(EMBEDDING, 2)

    def forward(self, pictures: Tensor) -> Tensor:
        """(n, 2) graded finding and log-odds of the bit, of (n, channels, 64, 64)."""
        named: Tensor = self.name(self.embed(pictures))
        return named


@dataclass(frozen=True)
class Trained:
    """A reader with where it comes from."""

    kind: str
    network: Reader
    digest: str
    """Of what the renderer drew."""
    trained_on: NDArray[np.uint64]
    """(n,) keys of its patients."""
    r2: float
    """Share of the graded finding's variance that it names, on patients left out."""
    bits: float
    """Share of bits named rightly, on the same."""
    cpu_s: float


def read_view(task: Task, patients: Patients, keys: NDArray[np.uint64]) -> dict[str, NDArray[np.float32]]:
    """Embeddings of what the records hold; of what they do not, zeros.

    Returns:
        Modality -> (n, 24) float32.

    Raises:
        ReaderRefused: a reader was trained on one of these patients, or on pictures of another renderer.
        FileFormatError: its file is not sound.
    """
    seen: dict[str, NDArray[np.float32]] = {}
    for m, (name, how) in enumerate(shown(task).items()):
        held = patients.present[:, m]
        seen[name] = np.zeros((len(held), EMBEDDING), dtype=np.float32)
        seen[name][held] = _kept(shipped(how.kind), how, patients.findings[name][held], keys[held])
    return seen


def _kept(reader: Trained, how: Shown, findings: NDArray[np.float64], keys: NDArray[np.uint64]) -> NDArray[np.float32]:
    """`embedded`, worked out once for all processes: to draw pictures takes longer than to train a fusion."""
    refuse(reader, keys)
    weights = b"".join(value.numpy().tobytes() for value in reader.network.state_dict().values())
    parts = (FORMAT.encode(), reader.digest.encode(), repr(how).encode(), weights, keys.tobytes(), findings.tobytes())
    path = cache_folder() / "fusion" / f"{hashlib.sha256(b' '.join(parts)).hexdigest()[:32]}.npy"
    try:
        known = np.load(BytesIO(bytes_of(path, MOST_BYTES_KEPT)), allow_pickle=False)
        if known.shape == (len(keys), EMBEDDING) and known.dtype == np.float32:
            return known
    except (OSError, ValueError, EOFError):
        pass  # not there, or damaged: worked out anew
    found, content = embedded(reader, how, findings, keys), BytesIO()
    np.save(content, found, allow_pickle=False)
    try:
        write_whole(path, content.getvalue())
    except UnwritableError as error:
        warnings.warn(f"{error}; pictures are read anew each time", WorkupWarning, stacklevel=2)
    return found


def embedded(
    reader: Trained, how: Shown, findings: NDArray[np.float64], keys: NDArray[np.uint64]
) -> NDArray[np.float32]:
    """(n, 24) float32 of patients whom the reader does not know. Raises ReaderRefused."""
    refuse(reader, keys)
    blocks = [np.empty((0, EMBEDDING), dtype=np.float32)]
    for first in range(0, len(keys), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        with torch.no_grad():
            blocks.append(reader.network.embed(as_read(pictures(how, findings[part], keys[part]))).numpy())
    return np.concatenate(blocks)


def refuse(reader: Trained, keys: NDArray[np.uint64]) -> None:
    """Raises ReaderRefused where it was trained on one of these patients, or reads what is drawn otherwise by now."""
    known = np.isin(keys, reader.trained_on)
    if known.any():
        raise ReaderRefused(
            f"the reader of {reader.kind}s was trained on patient {int(known.argmax())} of these ({int(known.sum()):,} of {len(keys):,}); "
            "train it on patients of the split `reader`"
        )
    if reader.digest != (now := digest_of(reader.kind)):
        raise ReaderRefused(
            f"the reader of {reader.kind}s was trained on pictures {reader.digest}, and they are {now} now; train it again with "
            "`workup bench fusion --readers`"
        )


@cache
def digest_of(kind: str) -> str:
    """16 hex digits of what the renderer draws of eight patients."""
    how, keys = KINDS[kind], keys_of(f"digest {kind}", 0, 8)
    findings = np.stack([np.linspace(-2.0, 2.0, 8), np.arange(8) % 2.0], axis=1)
    return hashlib.sha256(pictures(how, findings, keys).tobytes()).hexdigest()[:16]


@cache
def shipped(kind: str) -> Trained:
    """The reader of a kind that comes with workup."""
    return load_reader(FOLDER / f"{kind}.safetensors")


def train_reader(kind: str, *, patients: int = PATIENTS, epochs: int = EPOCHS, seed: int = 0) -> Trained:
    """Train one on patients of its own, a fifth of them left out to stop by and to measure it on.

    Raises:
        WorkupError: it died: it names bits or the graded finding no better than a constant.
    """
    keys, rng = keys_of(f"reader {kind}", seed, patients), stream("reader", kind, seed)
    findings = np.stack([1.2 * rng.standard_normal(patients), rng.integers(0, 2, patients).astype(np.float64)], axis=1)
    return train_on(kind, findings, keys, epochs=epochs, seed=seed)


def train_on(
    kind: str, findings: NDArray[np.float64], keys: NDArray[np.uint64], *, epochs: int = EPOCHS, seed: int = 0
) -> Trained:
    """The same on given patients: (n, 2) a graded finding and a bit, (n,) keys."""
    begun = time.process_time()
    blocks = as_read(pictures(KINDS[kind], findings, keys))
    target = torch.from_numpy(findings.astype(np.float32))
    held_out = max(1, len(keys) // 5)
    learn = len(keys) - held_out
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Reader(blocks.shape[1])
        optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-3)
        best, kept = float("inf"), network.state_dict()
        for _ in range(epochs):
            network.train()
            for rows in torch.split(torch.randperm(learn), BATCH):
                optimiser.zero_grad()
                _loss(network(blocks[rows]), target[rows]).backward()
                optimiser.step()
            network.eval()
            with torch.no_grad():
                left = float(_loss(_in_parts(network, blocks[learn:]), target[learn:]))
            if left < best:
                best, kept = left, {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(kept)
    r2, bits = _how_good(network.eval(), blocks[learn:], target[learn:])
    if not (r2 > LEAST_R2 and bits > LEAST_BITS):
        raise WorkupError(
            f"the reader of {kind}s did not learn (seed {seed}): R² {r2:.2f}, {bits:.0%} of bits; train it on more patients"
        )
    return Trained(kind, network, digest_of(kind), keys, r2, bits, time.process_time() - begun)


def save_reader(reader: Trained, path: Path) -> None:
    """Write it whole. Raises WorkupError over a megabyte."""
    facts = {
        "format": FORMAT, "kind": reader.kind, "digest": reader.digest, "r2": f"{reader.r2:.4f}", "bits": f"{reader.bits:.4f}",
        "cpu_s": f"{reader.cpu_s:.1f}",
    }  # fmt: skip
    numbers = {name: value.contiguous() for name, value in reader.network.state_dict().items()}
    numbers["trained_on"] = torch.from_numpy(reader.trained_on.view(np.int64))
    content = save_tensors(numbers, metadata={"workup": json.dumps(facts, sort_keys=True)})
    if len(content) > MOST_BYTES:
        raise WorkupError(
            f"the reader of {reader.kind}s has {len(content):,} bytes; expected at most {MOST_BYTES:,}: a smaller network"
        )
    write_whole(path, content)


def load_reader(path: Path) -> Trained:
    """Read one back; numbers alone are read, nothing is run.

    Raises:
        FileFormatError: missing, too large, or not a reader.
    """
    try:
        content = bytes_of(path, MOST_BYTES)
        facts = _facts(content)
        numbers = load_tensors(content)
        trained_on = numbers.pop("trained_on").numpy().view(np.uint64)
        network = Reader(numbers["embed.0.weight"].shape[1])
        network.load_state_dict(numbers)
        if facts["format"] != FORMAT or facts["kind"] not in KINDS:
            raise ValueError(f"its format is {str(facts['format'])[:40]!r}, its kind {str(facts['kind'])[:40]!r}")
        if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
            raise ValueError("a weight is not finite")
        figures = (float(facts[name]) for name in ("r2", "bits", "cpu_s"))
        return Trained(facts["kind"], network.eval(), facts["digest"], trained_on, *figures)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as fault:
        raise FileFormatError(
            f"{path}: no sound reader ({fault}); train it again with `workup bench fusion --readers`"
        ) from fault


def _facts(content: bytes) -> dict[str, Any]:
    size = int.from_bytes(content[:8], "little")
    return dict(json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["workup"]))


def as_read(drawn: NDArray[np.uint8]) -> Tensor:
    """(n, channels, 64, 64) float in [-0.5, 0.5], of pictures as they are drawn."""
    return torch.from_numpy(drawn if drawn.ndim == 4 else drawn[:, None]).float() / 255 - 0.5


def _loss(named: Tensor, target: Tensor) -> Tensor:
    return functional.mse_loss(named[:, 0], target[:, 0]) + functional.binary_cross_entropy_with_logits(
        named[:, 1], target[:, 1]
    )


def _in_parts(network: Reader, blocks: Tensor) -> Tensor:
    return torch.cat([network(part) for part in torch.split(blocks, _AT_ONCE)])


def _how_good(network: Reader, blocks: Tensor, target: Tensor) -> tuple[float, float]:
    with torch.no_grad():
        named = _in_parts(network, blocks)
    left = float(((named[:, 0] - target[:, 0]) ** 2).mean() / target[:, 0].var())
    return 1.0 - left, float(((named[:, 1] > 0) == (target[:, 1] > 0.5)).float().mean())
