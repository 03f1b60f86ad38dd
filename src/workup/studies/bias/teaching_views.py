"""The educator's page in words and places: for each setting of each control, what every text says and where every mark stands.

The page's script looks these up by the setting and puts them in; it works nothing out. A view is
`{"text": {id: words}, "attr": {id: {attribute: value}}, "upto": {group: how many of its marks are filled}}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workup.studies.bias.teaching import Cells, Picked, Repair, Strength
from workup.studies.bias.teaching_gates import Learned, Stage, Trained

View = dict[str, Any]

PLACES: Final = 8
"""Whom of the twenty the learner may send."""
TWENTY: Final = Cells(tp=3, fn=1, fp=2, tn=14)
"""The law of `two_by_two` in twenty whole patients: 3.2, 0.8, 2.4 and 13.6 of them are expected."""
_ORDER: Final = "wwPwwwNwwPwwFwwPwwFw"
"""The twenty as they come: P ill and positive, N ill and negative, F well and positive, w well and negative."""
COLUMNS: Final = 40
"""Dots in a row: each of the four groups of 1,000 fills whole rows."""
ROC: Final = (42.0, 14.0, 190.0)
"""Left, top and side of the ROC's square."""
POLICIES: Final = {"chance": "suspicion:ill:0", "guideline": "guideline", "suspicion": "suspicion:ill:1"}
"""How patients are chosen in `gates`, as the page names it -> the policy."""


@dataclass(frozen=True)
class Study:
    """What a study saw among its verified patients, and its sensitivity once adjusted."""

    who: str
    mark: str
    sensitivity: float
    specificity: float
    adjusted: float


ROGER: Final = (Study("Men", "M", 0.78, 0.44, 0.42), Study("Women", "W", 0.79, 0.37, 0.32))
"""Exercise echocardiography: 3,679 patients, of whom 340 (244 men, 96 women) had angiography; adjusted specificity was similar in
both sexes and is not given as a figure.

Source: Roger VL et al., Circulation 1997;95:405-410, abstract (seen)."""


def percent(share: float) -> str:
    """As whole per cent."""
    return f"{100.0 * share:.0f}%"


def per(share: float, of: int) -> str:
    """A share as whole people of so many."""
    return f"{of * share:,.0f}"


def twenty() -> list[dict[str, Any]]:
    """The twenty: whether each tested positive and is ill."""
    return [{"positive": each in "PF", "ill": each in "PN"} for each in _ORDER]


def audits() -> dict[str, list[list[str]]]:
    """What an audit of some of the twenty says.

    Returns:
        `sensitivity[tp][fn]` and `specificity[tn][fp]`, in figures; `finds` and `clears`, the same as clauses; `verdict[tp][fn]`, the
        sensitivity against the truth: "high", "right", "low", or "" where there is none.
    """
    ill, well = [(tp, fn) for tp in range(4) for fn in range(2)], [(tn, fp) for tn in range(15) for fp in range(3)]
    return {
        "sensitivity": _rows([_of(*each) for each in ill], 2),
        "specificity": _rows([_of(*each) for each in well], 3),
        "finds": _rows([_says("ill", "finds", "sensitivity", *each) for each in ill], 2),
        "clears": _rows([_says("well", "clears", "specificity", *each) for each in well], 3),
        "verdict": _rows([_verdict(*each) for each in ill], 2),
    }


def _rows(cells: list[str], width: int) -> list[list[str]]:
    return [cells[i : i + width] for i in range(0, len(cells), width)]


def _of(right: int, wrong: int) -> str:
    return f"{right} of {right + wrong}, {percent(right / (right + wrong))}" if right + wrong else "cannot be said"


def _says(who: str, does: str, name: str, right: int, wrong: int) -> str:
    if right + wrong == 0:
        return f"of the {who} nothing can be said, for nobody whom you sent is {who}"
    return f"of the {who}, the test {does} {_of(right, wrong)} ({name})"


def _verdict(tp: int, fn: int) -> str:
    if tp + fn == 0:
        return ""
    seen, true = tp / (tp + fn), TWENTY.sensitivity
    return "high" if seen > true else "low" if seen < true else "right"


def dots(everyone: Cells) -> list[dict[str, Any]]:
    """A thousand patients, positive tests above: group (tp, fp, fn, tn), column and row, from 0; rows are counted through the whole."""
    found, row = [], 0
    for group in ("tp", "fp", "fn", "tn"):
        n = round(1000 * getattr(everyone, group))
        found += [{"group": group, "column": i % COLUMNS, "row": row + i // COLUMNS} for i in range(n)]
        row += -(-n // COLUMNS)
    return found


def on_roc(sensitivity: float, specificity: float) -> tuple[float, float]:
    """Where a test stands in the ROC's square."""
    left, top, side = ROC
    return round(left + side * (1.0 - specificity), 1), round(top + side * (1.0 - sensitivity), 1)


def strength_view(one: Strength, everyone: Cells) -> View:
    """State 4 at one step of the slider."""
    seen, x, y = one.verified, *on_roc(one.verified.sensitivity, one.verified.specificity)
    how = "as likely to be verified as" if one.ratio == 1.0 else f"{one.ratio:g} times as likely to be verified as"
    n = sum(round(1000 * each) for each in (seen.tp, seen.fn, seen.fp, seen.tn))
    summary = (
        f"A positive test is {how} a negative one; {n} of 1,000 are verified. Among them the test seems to find "
        f"{percent(seen.sensitivity)} of the ill and to clear {percent(seen.specificity)} of the well; in truth it finds "
        f"{percent(everyone.sensitivity)} and clears {percent(everyone.specificity)}."
    )
    return {
        "text": {
            "s4-r": "equally often" if one.ratio == 1.0 else f"{one.ratio:g} times",
            "s4-summary": summary,
            "s4-se": percent(seen.sensitivity),
            "s4-sp": percent(seen.specificity),
            "s4-share-positive": percent((seen.tp + seen.fp) / (everyone.tp + everyone.fp)),
            "s4-share-negative": percent((seen.fn + seen.tn) / (everyone.fn + everyone.tn)),
            **{f"s4-{cell}": per(getattr(seen, cell), 1000) for cell in ("tp", "fn", "fp", "tn")},
        },
        "attr": {
            "s4-apparent": {"transform": f"translate({x} {y})"},
            "s4-slider": {"aria-valuetext": f"{one.ratio:g} times as likely"},
        },
        "upto": {cell: round(1000 * getattr(seen, cell)) for cell in ("tp", "fn", "fp", "tn")},
    }


BARS: Final = (92.0, 164.0)
"""Left end and full length of the bars of states 5 and 7."""


def bar(low: float, high: float) -> dict[str, str]:
    """A bar from one share to another."""
    left, full = BARS
    return {"x": f"{left + full * low:.1f}", "width": f"{full * (high - low):.1f}"}


def repair_view(one: Repair, everyone: Cells) -> View:
    """State 5 for one way of picking."""
    seen, done = one.verified, one.by_test
    n = round(1000 * (seen.fn + seen.tn))
    if done is None:
        counted = (f"{percent(one.least_sensitivity)[:-1]}–100%", f"0–{percent(one.most_specificity)}")
        spans = ((one.least_sensitivity, 1.0), (0.0, one.most_specificity))
        summary = (
            "Every patient with a positive test is verified and nobody with a negative one. So the audit says that the test finds 100% of the ill, and "
            f"no counting can mend it: by the record alone sensitivity may be anything from {percent(one.least_sensitivity)} to 100%."
        )
    else:
        counted = (percent(done.sensitivity), percent(done.specificity))
        spans = ((0.0, done.sensitivity), (0.0, done.specificity))
        if one.picked == "lot":
            summary = (
                f"{n} of the 720 with a negative test are verified, drawn by lot. Counted for ten each, sensitivity comes to "
                f"{counted[0]}, which is the truth."
            )
        else:
            summary = (
                f"The doctor picked {n} of the 720 with a negative test, by how unwell they looked. Counted for ten each, sensitivity "
                f"comes to {counted[0]} instead of {percent(everyone.sensitivity)}: the ill were picked, and each stood for ten. On record "
                "it looks just like drawing by lot."
            )
    looked, words = one.by_look, "could be" if done is None else "counted for ten"
    return {
        "text": {
            "s5-summary": summary,
            "s5-se-audit": percent(seen.sensitivity),
            "s5-sp-audit": percent(seen.specificity),
            "s5-se-counted": counted[0],
            "s5-sp-counted": counted[1],
            "s5-se-words": words,
            "s5-sp-words": words,
            "s5-se-label": counted[0],
            "s5-sp-label": counted[1],
            "s5-se-audit-label": percent(seen.sensitivity),
            "s5-sp-audit-label": percent(seen.specificity),
            "s5-se-look": "cannot be said" if looked is None else percent(looked.sensitivity),
            "s5-sp-look": "cannot be said" if looked is None else percent(looked.specificity),
            **{f"s5-{cell}": per(getattr(seen, cell), 1000) for cell in ("tp", "fn", "fp", "tn")},
            "s5-fn-counted": "?" if done is None else per(done.fn, 1000),
            "s5-tn-counted": "?" if done is None else per(done.tn, 1000),
        },
        "attr": {
            "s5-se-audit-bar": bar(0.0, seen.sensitivity),
            "s5-sp-audit-bar": bar(0.0, seen.specificity),
            "s5-se-bar": {**bar(*spans[0]), "class": "counted unsure" if done is None else "counted"},
            "s5-sp-bar": {**bar(*spans[1]), "class": "counted unsure" if done is None else "counted"},
        },
    }


STAGE_WORDS: Final = {"everybody": "Everybody", "bloods": "Bloods", "imaging": "Imaging", "invasive": "Invasive test"}
HISTOGRAM: Final = (104.0, 7.2, 58.0, 46.0, 0.25)
"""Left, width of a step, height of a row, height of the highest bar, and the share that it stands for."""


def gates_view(stages: Mapping[str, Stage]) -> View:
    """State 6 under one policy."""
    _, _, height, tall, most = HISTOGRAM
    text: dict[str, str] = {}
    attr: dict[str, dict[str, str]] = {}
    for row, (name, stage) in enumerate(stages.items()):
        text |= {
            f"s6-{name}-n": per(stage.share, 10_000),
            f"s6-{name}-ill": per(stage.ill, 10_000),
            f"s6-{name}-share": percent(stage.ill / stage.share),
            f"s6-{name}-mean": f"{stage.mean + 0.0:.1f}".replace("-0.0", "0.0").replace("-", "−"),
            f"s6-{name}-sd": f"{stage.sd:.2f}",
            f"s6-{name}-label": f"{per(stage.share, 10_000)} of 10,000",
            f"s6-{name}-sick": f"{percent(stage.ill / stage.share)} ill",
        }
        attr[f"s6-{name}-has"] = {"width": f"{84 * stage.share:.1f}"}
        bottom = (row + 1) * height
        for step, share in enumerate(stage.severity):
            tops = max(tall * min(float(share), most) / most, 0.0)
            attr[f"s6-{name}-{step}"] = {"y": f"{bottom - tops:.1f}", "height": f"{tops:.1f}"}
    first, last = stages["everybody"], stages["invasive"]
    text["s6-summary"] = (
        f"{per(stages['bloods'].share, 10_000)} of 10,000 patients have bloods, {per(stages['imaging'].share, 10_000)} imaging as well, "
        f"{per(last.share, 10_000)} an invasive test as well. {percent(first.ill)} of everybody are ill, and "
        f"{percent(last.ill / last.share)} of those with all the data."
    )
    if abs(last.ill / last.share - first.ill) < 1e-9:
        text["s6-summary"] += " Chosen by chance, they are like everybody: now choose another way."
    return {"text": text, "attr": attr}


CURVE: Final = (40.0, 8.0, 250.0, 130.0)
"""Left, top, width and height of the picture of risks."""


def model_view(one: Learned, trained: Trained) -> View:
    """State 7 for one model."""
    expected, ill = per(one.expected, 1000), per(one.ill, 1000)
    compared = "" if trained == "everybody" else ", as a model of everybody would"
    right = f"{one.expected:.3f}" == f"{one.ill:.3f}"
    who = {
        "tested": "those who had every test",
        "weighted": "those who had every test, each counted for all who look like them on record",
        "everybody": "everybody",
    }[trained]
    after = (
        "which is right."
        if right
        else f"so it expects {one.expected / one.ill:.1f} times as many as there are"
        + (", because the doctors acted on more than the record holds." if trained == "weighted" else ".")
    )
    summary = (
        f"Trained on {who}, the model expects {expected} of 1,000 patients to be ill; {ill} are, {after} "
        f"It puts a sick patient before a well one in {100 * one.auc:.0f} of 100 pairs{compared}."
    )
    return {
        "text": {
            "s7-summary": summary,
            "s7-expected": expected,
            "s7-ill": ill,
            "s7-expected-label": expected,
            "s7-oe": f"{one.ill / one.expected:.2f}",
            "s7-auc": f"{one.auc:.2f}",
            **{f"s7-risk-{i}": risk(each) for i, each in enumerate(one.risk)},
        },
        "attr": {
            "s7-expected-bar": bar(0.0, min(one.expected * 10.0, 1.0)),
            "s7-ill-bar": bar(0.0, min(one.ill * 10.0, 1.0)),
            "s7-line": {"points": line(one.risk)},
        },
    }


def risk(share: float) -> str:
    """As per cent with one decimal."""
    return "under 0.1%" if share < 0.001 else f"{100 * share:.1f}%"


def line(shares: Iterable[float]) -> str:
    """Points of a line through the risks of the looks, low to high."""
    left, top, width, height = CURVE
    risks = list(shares)
    return " ".join(
        f"{left + width * i / (len(risks) - 1):.1f},{top + height * (1.0 - each):.1f}" for i, each in enumerate(risks)
    )


def views(
    everyone: Cells,
    strengths: Sequence[Strength],
    repairs: Mapping[Picked, Repair],
    stages: Mapping[str, Mapping[str, Stage]],
    learned: Mapping[str, Mapping[Trained, Learned]],
) -> dict[str, dict[str, View]]:
    """Control -> setting -> view.

    Args:
        everyone, strengths, repairs: of `teaching`.
        stages: by the names of `POLICIES`.
        learned: "plain" under `suspicion`, "eye" under `gestalt`.
    """
    return {
        "strength": {str(i): strength_view(one, everyone) for i, one in enumerate(strengths)},
        "picked": {picked: repair_view(one, everyone) for picked, one in repairs.items()},
        "policy": {name: gates_view(of) for name, of in stages.items()},
        "model": {
            f"{trained}-{seen}": model_view(one, trained) for seen, of in learned.items() for trained, one in of.items()
        },
    }
