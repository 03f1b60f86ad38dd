"""The smallest scenario whose figures can be weighed by hand."""

from __future__ import annotations

from typing import Any


def tiny() -> dict[str, Any]:
    """One good test that is just not worth its price, a mark that says nothing, and a price that somebody saw.

    A tenth are ill. Treating the ill saves 200; treating the well loses 300. The test shows the illness in half of the ill
    and in none of the well, so it is worth 0.1 x 0.5 x 200 = 10 and costs 11. Doubling the odds of `ill` in the test
    (0.5 to 2/3) makes it worth 13.3: it is then the first order of everybody.
    """
    return {
        "id": "tiny",
        "title": "Tiny",
        "version": "1",
        "about": "Worked by hand.",
        "status": "assumed",
        "sources": {"S1": {"cite": "A price list", "seen": True}},
        "who": {
            "authors": ["a test"],
            "guideline": {"name": "none", "version": "0"},
            "setting": "A test",
            "price_year": 2023,
        },
        "context": {},
        "conditions": {"well": {"label": "Well"}, "ill": {"label": "Ill"}},
        "prior": {"table": {"well": 0.9, "ill": 0.1}},
        "findings": {
            "told": {"label": "Told", "chance": 0.3},
            "sign": {"label": "Sign", "chance": 0.4},
            "of_gold": {"label": "Of gold", "given": ["condition"], "chance": {"well": 0, "ill": 0.5}},
        },
        "investigations": {
            "history": {"label": "History", "tier": "history", "reveals": ["told"]},
            "examination": {"label": "Examination", "tier": "examination", "reveals": ["sign"]},
            "gold": {
                "label": "Gold",
                "tier": "bloods",
                "reveals": ["of_gold"],
                "cost_gbp": {"value": 11, "status": "seen", "source": "S1"},
            },
        },
        "utility": {"unit": "gbp", "gbp_per_qaly": 20000},
        "decisions": {
            "leave": {
                "label": "Leave", "kind": "reassure", "right_for": ["well"], "utility": {"well": 0, "ill": -200},
            },
            "treat": {"label": "Treat", "kind": "treat", "right_for": ["ill"], "utility": {"well": -300, "ill": 0}},
        },
        "rewards": {
            "complex_decision": {"label": "All", "weights": {"cost": 1, "harm": 1, "delay": 1, "utility": 1}},
            "triage": {
                "label": "Triage",
                "weights": {"cost": 1, "harm": 1, "delay": 1, "utility": 1},
                "urgency_utility_gbp": {"routine": {"routine": 0}},
            },
        },
        "guideline": [{"do": "leave", "why": "."}],
        "vignettes": {
            "ill": {
                "title": "Ill",
                "story": ".",
                "condition": "ill",
                "expect": [{"must_not": ["gold"], "why": "It is not worth its price"}],
                "decide": ["leave", "treat"],
                "why": ".",
            }
        },
    }  # fmt: skip
