"""Fitting a fusion to patients, and asking it of others; the same for every method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workup.agents.fusion.balance import pattern_codes
from workup.agents.fusion.base import Build, Fusion, FusionError, Rows, TaskSpec, UnseenPatternError, log_prevalence
from workup.agents.fusion.encoders import encoders_for
from workup.agents.fusion.parts import counted, fusing, of_question, seeded
from workup.agents.fusion.rows import as_seen, check_finite, means_of, on, rows_of, with_history
from workup.agents.fusion.trainer import Member, Settings, Trainer, weights_of

LEAST_GAIN_NATS = 1e-3
"""A training that beats the prevalence by no more on validation patients did not learn."""
_PARTS = 4096
"""Rows that are asked about at a time."""


@dataclass(frozen=True)
class Fitted:
    """A trained fusion, and what it takes to ask it."""

    fusion: Fusion
    spec: TaskSpec
    """With the history as a modality, where one was given."""
    asked: TaskSpec
    """As it was given."""
    method: str
    prior: Tensor
    """(max(questions, 1), classes) log prevalence among training patients."""
    fill: Mapping[str, Tensor]
    patterns: Tensor
    """Codes of the patterns of training patients."""
    parameters: int
    fusion_parameters: int
    """Without the encoders."""
    cpu_s: float
    """Members that were shared count as if they had been trained here."""
    epochs: int
    validation_loss: float = float("nan")
    """Mean nats on validation patients, weighted as in training."""
    prevalence_loss: float = float("nan")
    """That of the prevalence."""

    @property
    def learned(self) -> bool:
        """Whether it beats the prevalence on validation patients."""
        return self.validation_loss < self.prevalence_loss - LEAST_GAIN_NATS


def fit(
    build: Build,
    spec: TaskSpec,
    inputs: Mapping[str, Any],
    present: Any,
    order: Any,
    question: Any | None,
    label: Any,
    *,
    seed: int,
    device: str = "cpu",
    history: Any | None = None,
    validation: Rows | None = None,
    encoders: Callable[[], Mapping[str, nn.Module]] | None = None,
    kinds: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    method: str | None = None,
    shared: dict[str, Member] | None = None,
) -> Fitted:
    """Train a fusion on patients.

    Args:
        build: `build(task, encoders, *, seed) -> Fusion`.
        spec: the task.
        inputs, present, order, question, label, history: as `rows_of` takes them; n patients.
        seed: of weights, batches, and the split where `validation` is None.
        device: where it is trained and stays.
        validation: other patients, of `rows_of` with their history; None sets a fifth of the n apart.
        encoders, kinds: what makes fresh encoders, modality -> module with `width`; `encoders_for` by `kinds` where None.
        settings: `Settings()` where None.
        method: its name in messages.
        shared: trained fusions by `method`, read and added to: for the same seed, patients, encoders and settings.

    Raises:
        FusionError: what `rows_of` refuses, a modality that nobody has, or a method that cannot be built for this task.
        MissingModalityError, NotFiniteError: a patient lacks what the method needs; an input, a loss or a logit is not finite.
    """
    settings, name = settings or Settings(), str(method or getattr(build, "__name__", type(build).__name__))
    everybody, task = rows_of(spec, inputs, present, order, question, label, history), with_history(spec, history)
    training, tested = _split(everybody, validation, seed, settings)
    made = seeded_encoders(encoders or partial(encoders_for, task, training.inputs, kinds), seed)
    fusion = build(task, made, seed=seed).to(device)
    training, tested = on(training, device), on(tested, device)
    fill, kept = means_of(training, task), {} if shared is None else shared
    trainer = Trainer(task, name, settings, seed, kept, fill)
    cpu_s, epochs = trainer.once(name, fusion, training, tested)
    fitted = Fitted(
        fusion.eval(),
        task,
        spec,
        name,
        prior=log_prevalence(training.label, training.question, task).to(device),
        fill=fill,
        patterns=pattern_codes(training.present).unique(),
        parameters=counted(fusion),
        fusion_parameters=fusing(fusion, made),
        cpu_s=cpu_s,
        epochs=epochs,
    )
    return _judged(fitted, training, tested)


def seeded_encoders(make: Callable[[], Mapping[str, nn.Module]], seed: int) -> Mapping[str, nn.Module]:
    """Encoders whose weights are drawn by the seed alone."""
    with seeded(seed, "encoders"):
        return make()


def logits(
    fitted: Fitted,
    inputs: Mapping[str, Any],
    present: Any,
    order: Any,
    question: Any | None = None,
    history: Any | None = None,
) -> NDArray[np.float64]:
    """What a trained fusion says of patients; where nothing is present, the prevalence among training patients.

    Args:
        fitted: of `fit`.
        inputs, present, order, question, history: as `rows_of` takes them.

    Returns:
        (n, classes) float64.

    Raises:
        UnseenPatternError: a pattern that training had not, where the method refuses such.
        FusionError, MissingModalityError, NotFiniteError: as `fit`.
    """
    rows = rows_of(fitted.asked, inputs, present, order, question, None, history)
    return _said(fitted, rows).double().cpu().numpy()


@torch.no_grad()
def _said(fitted: Fitted, rows: Rows) -> Tensor:
    _refuse_unseen(fitted, rows)
    said = []
    for start in range(0, len(rows), _PARTS):
        part = on(
            rows.take(torch.arange(start, min(start + _PARTS, len(rows)), device=rows.label.device)),
            fitted.prior.device,
        )
        seen = as_seen(fitted.fusion, part, fitted.fill, fitted.spec, fitted.method)
        found = fitted.fusion(seen.inputs, seen.present, seen.order, seen.question)
        nothing = ~part.present.any(dim=1, keepdim=True)
        found = torch.where(nothing, of_question(fitted.prior, part.question, len(part)), found)
        check_finite(found, "the logit", part, task=fitted.spec.name, method=fitted.method)
        said.append(found)
    return torch.cat(said) if said else torch.zeros(0, fitted.spec.classes)


def _refuse_unseen(fitted: Fitted, rows: Rows) -> None:
    codes = pattern_codes(rows.present)
    unseen = ~torch.isin(codes, fitted.patterns.to(codes.device)) & (codes > 0)
    if fitted.fusion.unseen == "refused" and bool(unseen.any()):
        patient = int(unseen.nonzero()[0, 0])
        held = [
            name for name, there in zip(fitted.spec.modalities, rows.present[patient].tolist(), strict=True) if there
        ]
        raise UnseenPatternError(tuple(held), patient, fitted.method)


def _judged(fitted: Fitted, training: Rows, tested: Rows) -> Fitted:
    """With its loss on validation patients beside that of the prevalence."""
    rows = tested
    if fitted.fusion.unseen == "refused":
        rows = tested.take(torch.isin(pattern_codes(tested.present), fitted.patterns))
    weights = weights_of(fitted.fusion, training, rows, fitted.spec)
    said = _said(fitted, rows)
    prior = of_question(fitted.prior, rows.question, len(rows))
    losses = [nn.functional.cross_entropy(each, rows.label, reduction="none") for each in (said, prior)]
    found, prevalence = (float((each * weights).sum() / weights.sum()) for each in losses)
    return replace(fitted, validation_loss=found, prevalence_loss=prevalence)


def _split(rows: Rows, validation: Rows | None, seed: int, settings: Settings) -> tuple[Rows, Rows]:
    if validation is not None:
        if validation.present.shape[1] != rows.present.shape[1]:
            raise FusionError(
                f"validation has {validation.present.shape[1]} modalities, training {rows.present.shape[1]}; "
                "expected the same, so give `rows_of` the history of both or of neither"
            )
        return rows, validation
    with seeded(seed, "split"):
        shuffled = torch.randperm(len(rows))
    apart = int(len(rows) * settings.validation_share)
    return rows.take(shuffled[apart:]), rows.take(shuffled[:apart])
