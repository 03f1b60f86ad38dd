"""Contact sheets of every kind, for people to look at.

    python -m workup.envs.modalities.sheet [FOLDER]

writes film.png, slide.png, waveform.png, note.png and table.png. What each should show says docs/modalities.md.
"""

from __future__ import annotations

import io
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workup.envs.modalities import film, note, slide, table, waveform
from workup.envs.modalities.draws import Keys, keys
from workup.files import make_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAFT = "draft, not reviewed by a clinician"
COLOURS = {"film": 32, "slide": 128, "waveform": 32, "note": 32, "table": 32}
"""Of a sheet's file, so few that it stays small."""
_TUMOUR = {"tissue": "adenocarcinoma"}
FILMS: dict[str, dict[str, Any]] = {
    "standing, healthy": {},
    "lying, healthy": {"view": "ap"},
    "right upper shadow": {"lesion": "right_upper"},
    "the same, faint": {"lesion": "right_upper", "opacity": 0.12},
    "left hilum": {"lesion": "left_hilum", "opacity": 0.25},
    "large, right lower": {"lesion": "right_lower", "radius": 0.1},
    "several": {"lesion": "several", "opacity": 0.25},
    "wide heart": {"heart": "wide"},
    "consolidation": {"lungs": "consolidation"},
    "interstitial": {"lungs": "interstitial"},
    "left effusion": {"effusion": "left"},
    "lying, wide, fluid": {"view": "ap", "heart": "wide", "effusion": "right"},
}
SLIDES: dict[str, dict[str, Any]] = {
    "liver": {},
    "a quarter with fat": {"fat": 0.25},
    "most with fat": {"fat": 0.7},
    "edge of the core": {"glass": 0.3},
    "lung": {"tissue": "lung"},
    "adenocarcinoma": _TUMOUR,
    "darker nuclei": {**_TUMOUR, "hyperchromasia": 1.6},
    "unlike nuclei": {**_TUMOUR, "pleomorphism": 0.6},
    "lymphoid": {"tissue": "lymphoid"},
    "stroma": {"tissue": "stroma"},
    "marker positive": {**_TUMOUR, "marker": "positive"},
    "marker negative": {**_TUMOUR, "marker": "negative"},
}
TRACINGS: dict[str, dict[str, Any]] = {
    "sinus, 72 a minute": {"rate": 72},
    "sinus, 120": {"rate": 120},
    "atrial fibrillation, 105": {"rhythm": "fibrillation", "rate": 105},
    "right heart strain, 110": {"pattern": "right_strain", "rate": 110},
    "inferior infarct, ST up": {"pattern": "inferior", "st": 0.35, "rate": 80},
}
NOTES: dict[str, dict[str, Any]] = {
    "cough for 12 weeks, 8 kg lost, no asbestos": {
        "cough": "yes", "cough_weeks": 12, "weight_loss": "yes", "kg_lost": 8, "asbestos": "no",
    },
    "the same, told last": {
        "cough": "yes", "cough_weeks": 12, "weight_loss": "yes", "kg_lost": 8, "asbestos": "no", "position": "last",
    },
    "rigors and dysuria, no cough, few other sentences": {
        "rigors": "yes", "dysuria": "yes", "cough": "no", "distractors": "few",
    },
}  # fmt: skip
TABLES: dict[str, dict[str, Any]] = {
    "healthy": {},
    "CRP 140, white cells 18": {"crp": 140.0, "white_cells": 18.0},
    "the other laboratory, haemolysed, potassium 6.1": {
        "laboratory": "conventional", "haemolysed": "yes", "potassium": 6.1,
    },
}  # fmt: skip


def sheets() -> dict[str, Figure]:
    """Kind -> its sheet."""
    return {"film": _films(), "slide": _slides(), "waveform": _tracings(), "note": _notes(), "table": _tables()}


def write(folder: Path) -> tuple[Path, ...]:
    """Write the sheets as PNG into a folder, which is made; the files."""
    import matplotlib.pyplot as plt
    from PIL import Image

    make_folder(folder)
    files = []
    for kind, figure in sheets().items():
        files.append(folder / f"{kind}.png")
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=72, format="png")
        plt.close(figure)
        with Image.open(drawn) as picture:
            picture.convert("RGB").quantize(COLOURS[kind], dither=Image.Dither.NONE).save(files[-1], optimize=True)
    return tuple(files)


def _who(number: int) -> Keys:
    return keys(7, np.array([number]), "sheet")


def _grid(rows: list[str], columns: list[str], wide: float, high: float, title: str) -> tuple[Figure, NDArray[Any]]:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(rows), len(columns), figsize=(wide, high), squeeze=False, layout="constrained")
    figure.suptitle(f"{title} ({DRAFT})", fontsize=9)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            axes[i, j].set_xticks([])
            axes[i, j].set_yticks([])
            if i == 0:
                axes[i, j].set_title(column, fontsize=7)
        axes[i, 0].set_ylabel(row, fontsize=7)
    return figure, axes


def _films() -> Figure:
    rows = {
        "64 pixels, clear": (64, "clear", "first"),
        "64, hard, machine 2": (64, "hard", "second"),
        "256, clear, machine 3": (256, "clear", "third"),
    }
    figure, axes = _grid(list(rows), list(FILMS), 18.0, 5.0, "Films of the chest")
    for i, (size, noise, machine) in enumerate(rows.values()):
        for j, looks in enumerate(FILMS.values()):
            shown = film.render(_who(20 * i + j), {**looks, "machine": machine}, size=size, noise=noise)[0]
            axes[i, j].imshow(shown, cmap="gray", vmin=0, vmax=255)
    return figure


def _slides() -> Figure:
    rows = {
        "purple, clear": (64, "clear", "purple"),
        "violet, hard": (64, "hard", "violet"),
        "pink, clear": (64, "clear", "pink"),
    }
    figure, axes = _grid(list(rows), list(SLIDES), 15.0, 4.2, "Slides")
    for i, (size, noise, stain) in enumerate(rows.values()):
        for j, looks in enumerate(SLIDES.values()):
            shown = slide.render(_who(20 * i + j), {**looks, "stain": stain}, size=size, noise=noise)[0]
            axes[i, j].imshow(shown.transpose(1, 2, 0))
    return figure


def _tracings() -> Figure:
    figure, axes = _grid(
        list(waveform.LEADS), list(TRACINGS), 13.2, 4.6, "Electrocardiograms, 5 s, 0.2 s and 0.5 mV a square"
    )
    seconds = np.arange(waveform.SIZE) / waveform.HZ
    for j, looks in enumerate(TRACINGS.values()):
        shown = waveform.render(_who(j), looks, noise=0.02)[0]
        for i in range(len(waveform.LEADS)):
            millivolts = waveform.LOWEST_MV + shown[i] / 255.0 * waveform.FULL_SCALE_MV
            axes[i, j].plot(seconds, millivolts, color="black", linewidth=0.7)
            axes[i, j].set_xticks(np.arange(0.0, 5.01, 0.2), labels=[])
            axes[i, j].set_yticks(np.arange(-1.5, 1.6, 0.5), labels=[])
            axes[i, j].grid(color="#f0b0a8", linewidth=0.4)
            axes[i, j].tick_params(length=0)
            axes[i, j].set_ylim(-1.4, 1.4)
    return figure


def _notes() -> Figure:
    figure, axes = _grid([""], list(NOTES), 13.2, 2.2, "Notes")
    for j, looks in enumerate(NOTES.values()):
        _written(axes[0, j], textwrap.fill(note.text(_who(j), looks)[0], 52), "serif")
    return figure


def _tables() -> Figure:
    figure, axes = _grid([""], list(TABLES), 13.2, 3.0, "Reports of a laboratory")
    for j, looks in enumerate(TABLES.values()):
        _written(axes[0, j], table.text(_who(j), looks)[0].rstrip(), "monospace")
    return figure


def _written(axes: Any, text: str, family: str) -> None:
    axes.text(0.03, 0.96, text, va="top", ha="left", fontsize=7.5, family=family, transform=axes.transAxes)


if __name__ == "__main__":
    for file in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/figures/modalities")):
        sys.stdout.write(f"{file}\n")
