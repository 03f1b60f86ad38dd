"""The educator's page: one HTML file of tables, pictures and a script that looks things up; it opens from a disk and asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workup.studies.bias import teaching, teaching_gates, teaching_views
from workup.studies.bias.teaching_views import per, percent
from workup.version import __version__

COMMAND: Final = "workup teach --export teach.html"
STEPS: Final = (
    ("Twenty patients", "Twenty"),
    ("Your audit", "Audit"),
    ("Reveal", "Reveal"),
    ("How strongly suspicion drives testing", "Suspicion"),
    ("Verify one in ten at random", "One in ten"),
    ("Who has which data", "Database"),
    ("A model learns from it", "Model"),
    ("Five questions to ask of a database", "Questions"),
)
"""Title and short name of each."""
QUESTIONS: Final = (
    (
        "Who decided what was looked at, and is the reason on record?",
        "Records can be mended for reasons that are in them, and for no others.",
        5,
    ),
    ("Who had no chance of being tested?", "Nothing is known of them, and no counting brings them back.", 5),
    (
        "Did the test that is judged decide who was verified, and how strongly?",
        "If so, its sensitivity looks too high and its specificity too low.",
        4,
    ),
    (
        "How sick are those with complete data, beside everybody who came?",
        "Behind each gate disease is commoner, and patients are more alike.",
        6,
    ),
    (
        "Was anybody verified by lot, or was the model checked on people whom nobody had suspected?",
        "A rank can be right where the risk is several times too high.",
        7,
    ),
)
"""Question, why, and the step that shows it."""
OUTCOMES: Final = {
    "high": "too high, because the one whom the test missed was not sent",
    "right": "about right, because you happened to send the one whom the test missed",
    "low": "too low, because you sent the one whom the test missed and not all whom it found",
}
"""What the sensitivity of an audit of the twenty came to, and why: one of them is ill and has a negative test."""
EXAMPLE: Final = {"own": "231.32.27.54", "ownr": str(teaching.RATIOS.index(1.7))}
"""Hepatic scintigraphy: positive and ill, positive and well, negative and ill, negative and well among 344 verified of 650; 263 of 429
positive and 81 of 221 negative tests were verified, which is 1.67 times as many.

Source: Drum DE, Christacopoulos JS, J Nucl Med 1972;13:908-915 (recalled)."""


def teaching_page() -> str:
    """The whole page."""
    everyone, strengths = teaching.everyone(), teaching.strengths()
    learned = {"plain": teaching_gates.learned("suspicion:ill:1"), "eye": teaching_gates.learned("gestalt:ill:1")}
    truth = learned["plain"]["everybody"]
    tables = _tables(everyone, strengths, learned)
    script = files("workup.studies.bias").joinpath("teaching_page", "teach.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("workup.studies.bias", "teaching_page"), PackageLoader("workup.report", "")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    return environment.get_template("teach.html").render(
        **_places(everyone, strengths),
        steps=[{"title": title, "short": short} for title, short in STEPS],
        questions=QUESTIONS,
        twenty=tables["twenty"],
        places=teaching_views.PLACES,
        ratios=teaching.RATIOS,
        everyone=everyone,
        stage_words=teaching_views.STAGE_WORDS,
        n_severities=len(teaching_gates.severities()),
        sick=teaching_gates.sick(),
        true_line=teaching_views.line(truth.risk),
        ill_of_1000=per(truth.ill, 1000),
        looks=[
            {"words": words, "risk": teaching_views.risk(each)}
            for words, each in zip(teaching_gates.looks(), truth.risk, strict=True)
        ],
        tables=Markup(
            json.dumps(tables, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
        ),
        script=Markup(script),
        script_digest="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=__version__,
        command=COMMAND,
    )


def _tables(
    everyone: teaching.Cells,
    strengths: tuple[teaching.Strength, ...],
    learned: dict[str, dict[teaching_gates.Trained, teaching_gates.Learned]],
) -> dict[str, Any]:
    """What the script looks up."""
    stages = {name: teaching_gates.stages(policy) for name, policy in teaching_views.POLICIES.items()}
    audits, (sensitivity, specificity) = teaching_views.audits(), teaching.true_shares()
    tp, fn, fp, tn = (int(each) for each in vars(teaching_views.TWENTY).values())
    return {
        "steps": [title for title, _ in STEPS],
        "places": teaching_views.PLACES,
        "twenty": teaching_views.twenty(),
        "audits": audits,
        "all": {name: audits[name][tp][fn] for name in ("sensitivity", "finds")}
        | {name: audits[name][tn][fp] for name in ("specificity", "clears")},
        "words": {"high": "too high", "right": "about right", "low": "too low"},
        "outcomes": OUTCOMES,
        "ratios": [f"{ratio:g}" for ratio in teaching.RATIOS],
        "percent": [percent(i / 1000.0) for i in range(1001)],
        "truth": {"sensitivity": sensitivity.tolist(), "specificity": specificity.tolist()},
        "example": EXAMPLE,
        "views": teaching_views.views(everyone, strengths, teaching.repairs(), stages, learned),
    }


def _places(everyone: teaching.Cells, strengths: tuple[teaching.Strength, ...]) -> dict[str, Any]:
    """Where things stand in the pictures."""
    points = [teaching_views.on_roc(each.verified.sensitivity, each.verified.specificity) for each in strengths]
    dots, roger = teaching_views.dots(everyone), []
    for one in teaching_views.ROGER:
        x, y = teaching_views.on_roc(one.sensitivity, one.specificity)
        below = teaching_views.on_roc(one.adjusted, one.specificity)[1]
        ratio = teaching.ratio_between(one.adjusted, one.sensitivity)
        roger.append({**vars(one), "x": x, "y": y, "adjusted_y": below, "ratio": f"{ratio:.1f}"})
    return {
        "dots": dots,
        "dot_rows": {
            group: min(dot["row"] for dot in dots if dot["group"] == group) for group in ("tp", "fp", "fn", "tn")
        },
        "roc": teaching_views.ROC,
        "histogram": teaching_views.HISTOGRAM,
        "bar_ends": teaching_views.BARS,
        "curve": teaching_views.CURVE,
        "roc_path": " ".join(f"{x},{y}" for x, y in points),
        "roc_true": teaching_views.on_roc(everyone.sensitivity, everyone.specificity),
        "roger": roger,
    }
