"""The five strategies of the founding article's figure 2 and box 2: how the clinic reads them, and which method is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Strategy:
    """One way of bringing modalities together."""

    name: str
    method: str
    clinic: str
    """What a clinical team would be doing."""
    passes: str
    """What is passed on to the decision."""


STRATEGIES: Final = (
    Strategy(
        "early", "early",
        "Everybody writes down what strikes them before the question is known; then the data are taken away and the question is asked.",
        "features fixed before the question",
    ),
    Strategy(
        "late", "late_poe",
        "Each specialist sees one kind of data and gives an opinion with its certainty; nobody brings data to the meeting.",
        "an opinion a modality",
    ),
    Strategy(
        "intermediate", "concat",
        "All data are on the table once all have been collected, and are read together for the question.",
        "everything, read together",
    ),
    Strategy(
        "gradual", "gradual",
        "Results come in one fixed order; what is known so far is carried on, and one rule says when everybody stops.",
        "a state, in one order for all",
    ),
    Strategy(
        "personal", "personal",
        "What is ordered next, and whether anything is, follows from what this patient has shown so far.",
        "a state, in each patient's order",
    ),
)  # fmt: skip
"""The article's three, the sequential one that it names after them, and the one that it asks for."""
