"""What changed between two scenarios is told, all of it, in clinical words."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from workup.scenarios.language.authorship import FIGURE_KEYS, Review
from workup.scenarios.language.library import find_scenario, load_scenario
from workup.scenarios.language.reading.provenance import STATUSES
from workup.scenarios.language.reading.reader import interpret, read
from workup.scenarios.language.reading.yaml_tree import Tree
from workup.scenarios.language.schema import Scenario, Tier, Urgency
from workup.scenarios.language.vocabulary import STATUS_WORDS
from workup.scenarios.language.words.difference import PARTS, Change, differences

Path = tuple[Any, ...]

TUTORIAL = load_scenario("tutorial")
WORDS = (*get_args(Tier), *get_args(Urgency), "at_start", "when_revealed", "reviewed", "draft", "treat", "refer")
WORDS += ("withheld", "fails", "gbp", "qaly", "normal", "lognormal", "band", "number", "log_uniform", "sensitivity")
WORDS += ("prevalence", "7 h", "GBP")


def tree() -> dict[str, Any]:
    return copy.deepcopy(read(find_scenario("tutorial")).tree.data)


def scenario_of(data: dict[str, Any]) -> Scenario:
    scenario = interpret(Tree("changed.yaml", data)).scenario
    assert scenario is not None
    return scenario


def changed(path: str, value: Any) -> tuple[Change, ...]:
    """Differences of the tutorial from itself with one thing written anew."""
    data = tree()
    *way, last = path.split(".")
    block: Any = data
    for key in way:
        block = block[int(key)] if isinstance(block, list) else block[key]
    block[int(last) if isinstance(block, list) else last] = value
    return differences(TUTORIAL, scenario_of(data))


def words(path: str, value: Any) -> list[str]:
    return [change.words for change in changed(path, value)]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict | list):
        for key, of in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(of, (*path, key))
    else:
        yield path, value


def others(path: Path, value: Any) -> list[Any]:
    """Other values that may stand at a leaf; the first that the models accept is taken."""
    if path[-1] == "status" and path[0] != "who":
        return [status for status in STATUSES if status != value]
    if value in STATUS_WORDS:
        return [word for word in STATUS_WORDS if word != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value + 0.001]
    if value is None:
        return [[40, 50]]
    return [f"{value} otherwise", *(word for word in WORDS if word != value)]


def with_another_leaf(data: dict[str, Any], path: Path, value: Any) -> Scenario | None:
    """The scenario with another value at a leaf; None where the language allows no other."""
    block: Any = data
    for key in path[:-1]:
        block = block[key]
    for other in others(path, value):
        block[path[-1]] = other
        scenario = interpret(Tree("changed.yaml", data)).scenario
        block[path[-1]] = value
        if scenario is not None:
            return scenario
    return None


def names(change: Change, path: Path) -> bool:
    """Whether a change is about a leaf: it stands at, above or (a block's status) beneath it."""
    place = [str(part) for part in path if part != "value" and part not in FIGURE_KEYS]
    told = change.path.split(".")
    short = min(len(place), len(told))
    return told[:short] == place[:short] or place[0] == "guideline" == told[0]


def label_of(data: dict[str, Any], path: Path) -> str:
    """What a clinician calls the thing that a leaf belongs to; nothing if it has no label."""
    of = data[path[0]].get(path[1], {}) if len(path) > 2 and isinstance(data[path[0]], dict) else {}
    return str(of.get("label", of.get("title", ""))) if isinstance(of, dict) else ""


def test_every_leaf_of_a_scenario_makes_a_difference_that_names_it() -> None:
    data = tree()
    tried = 0
    for path, value in leaves(data):
        scenario = with_another_leaf(data, path, value)
        if scenario is None:
            assert path in {("who", "currency")}
            continue
        found = differences(TUTORIAL, scenario)
        assert found, f"a change of {path} is not told"
        assert any(names(change, path) for change in found), f"{path}: {[change.path for change in found]}"
        label = label_of(data, path)
        assert any(label in change.words for change in found), f"{path}: {[change.words for change in found]}"
        assert all(change.words and change.part in PARTS for change in found)
        assert all(change.before != change.after for change in found)
        tried += 1
    assert tried > 400


@pytest.mark.parametrize("name", ["tutorial", "weight_loss", "pulmonary_embolism"])
def test_a_scenario_does_not_differ_from_itself(name: str) -> None:
    assert differences(load_scenario(name), load_scenario(name)) == ()


def test_between_any_two_scenarios_no_difference_is_lost() -> None:
    before, after = load_scenario("tutorial"), load_scenario("pulmonary_embolism")
    found = [change.path.split(".") for change in differences(before, after)]
    left, right = (dict(_flat(each.model_dump(mode="json", exclude={"figures", "digest"}))) for each in (before, after))
    lost = [
        path
        for path in left.keys() | right.keys()
        if left.get(path) != right.get(path)
        and not any(
            place[: len(path)] == list(path)[: len(place)] or place == list(path)[: len(place)] for place in found
        )
    ]
    assert lost == []


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Leaves by path; a list or a mapping without entries is a leaf."""
    if isinstance(value, dict) and value:
        for key, of in value.items():
            yield from _flat(of, (*path, key))
    elif value not in ({}, [], None):
        yield path, sorted(map(str, value)) if isinstance(value, list) else value


def test_the_order_of_keys_does_not_count_but_the_digest_shows_it() -> None:
    data = tree()
    turned = scenario_of({key: _turned(of) if key != "rewards" else of for key, of in reversed(data.items())})
    assert differences(TUTORIAL, turned) == ()
    assert turned.digest != TUTORIAL.digest


def _turned(value: Any) -> Any:
    """The same with the keys of every mapping in the other order, but for bands, which ascend."""
    if not isinstance(value, dict):
        return value
    return {key: of if key == "bands" else _turned(of) for key, of in reversed(value.items())}


@pytest.mark.parametrize(("path", "value", "said"), [
    ("investigations.ct.cost_gbp", 160, "CT of the chest with contrast: costs £150 → £160"),
    ("investigations.chest_film.turnaround", "3 days", "Chest film: result in 4 h → 3 days"),
    ("findings.film.chance.yes", 0.75, "Chest film: “shadow” with Something solid in the lung 84% → 75%"),
    ("prior.table.viral", 0.9, "Chance of each condition: Viral bronchitis 94.5% → 90%"),
    ("conditions.viral.progression.median_time", "9 days",
     "Viral bronchitis: progression half of those untreated have progressed within 90 days → 9 days"),
    ("acts.antibiotics.benefit_gbp.viral", -50, "First dose of antibiotics: worth with Viral bronchitis −£40 → −£50"),
    ("decisions.treat.utility.viral", -0.03, "Treat as pneumonia today: worth with Viral bronchitis −0.02 QALY → −0.03 QALY"),
    ("investigations.history.reveals", ["fever"], "History: no longer shows Blood coughed up"),
    ("order_sets.first_bloods.members", ["crp_test", "kidney_test", "ct"],
     "Bloods with one needle: also orders CT of the chest with contrast"),
    ("availability.misread.chance", 0.03, "Availability, misread: chance 2% → 3%"),
    ("availability.misread.reported.clear.shadow", 0.9, "Availability, misread: “clear” reported as “shadow” 100% → 90%"),
    ("vignettes.febrile.ceilings.cost_gbp", 130, "Vignette febrile (“Fever and crackles”): may spend at most £120 → £130"),
    ("vignettes.well.decide", ["support"],
     "Vignette well (“A cold that lingers”): may also end with Supportive care at home; may no longer end with "
     "Reassure, and come back if not better in two weeks"),
    ("guideline.2.why", "Fever", "Rule 3 of the guideline now says: if Fever is yes and CRP has not been done: Bloods with one "
     "needle (Fever); before: if Fever is yes and CRP has not been done: Bloods with one needle (Fever may be bacterial)"),
    ("investigations.ct.label", "CT", "CT of the chest with contrast: is now called “CT”"),
    ("loss_gbp_per_msv", 4, "Harm of each mSv: £3 → £4"),
    ("sources.T1.seen", True, "Source T1: read by the authors no → yes"),
    ("targets.film_for_cancer.value", 0.8, "Published figure film_for_cancer: value 79% → 80%"),
])  # fmt: skip
def test_a_change_is_told_in_clinical_words(path: str, value: Any, said: str) -> None:
    assert said in words(path, value)


def test_the_chance_of_a_test_in_the_condition_it_finds_is_its_sensitivity() -> None:
    data = tree()
    data["findings"]["film"] |= {"given": ["condition"], "chance": {"lung_cancer": 0.8, "otherwise": 0.1}}
    before = scenario_of(data)
    data["findings"]["film"]["chance"] = {"lung_cancer": 0.75, "otherwise": 0.12}
    said = [change.words for change in differences(before, scenario_of(data))]
    assert said == [
        "Chest film: sensitivity for Lung cancer (“shadow”) 80% → 75%",
        "Chest film: “shadow” with any other condition 10% → 12%",
    ]


def test_a_new_and_a_removed_test_are_told_with_what_they_take() -> None:
    data = tree()
    data["investigations"]["spirometry"] = data["investigations"].pop("crp_test") | {"label": "Spirometry"}
    said = [change.words for change in differences(TUTORIAL, scenario_of(data)) if change.part == "Tests and acts"]
    assert said == [
        "New test: Spirometry (bloods; £8; 2 h; shows C-reactive protein)",
        "Removed test: CRP (bloods; £8; 2 h; shows C-reactive protein)",
    ]


def test_a_new_rule_leaves_the_rules_behind_it_as_they_were() -> None:
    data = tree()
    data["guideline"].insert(2, {"do": "ct", "when": {"fever": "yes"}, "why": "At once"})
    said = [change.words for change in differences(TUTORIAL, scenario_of(data))]
    assert said == ["New rule 3 of the guideline: if Fever is yes: CT of the chest with contrast (At once)"]


def test_a_rule_that_no_longer_waits_is_told_with_its_rule() -> None:
    (change,) = changed(
        "guideline.10", {"do": "reassure", "why": "Nothing points to more than a virus", "even_if_pending": True}
    )
    what = "(Nothing points to more than a virus)"
    label = TUTORIAL.decisions["reassure"].label
    assert change.words == (
        f"Rule 11 of the guideline now says: {label}, without waiting for what is still pending {what}; before: {label} {what}"
    )
    assert change.part == "Guideline"


def test_a_law_that_is_only_written_otherwise_is_said_to_give_the_same_figures() -> None:
    found = changed("findings.crackles.chance", {"pneumonia": 0.7, "viral": 0.1, "lung_cancer": 0.1})
    assert [change.words for change in found if change.part == "Findings"] == [
        "Crackles on listening: written otherwise; every figure that follows from it is the same"
    ]


def test_figures_that_are_now_better_known_are_told_together() -> None:
    data = tree()
    data["sources"]["T1"]["seen"] = True
    data["findings"]["ct_lungs"] |= {"status": "seen", "source": "T1"}
    data["investigations"]["ct"]["dose_msv"] = {"value": 6.6, "status": "seen", "source": "T1"}
    said = [change.words for change in differences(TUTORIAL, scenario_of(data)) if change.path != "sources.T1.seen"]
    assert [text.partition(";")[0] for text in said] == [
        "CT of the lungs: 9 figures are now seen (T1) instead of assumed",
        "CT of the chest with contrast: dose is now seen (T1) instead of recalled",
    ]


def test_a_signature_is_a_difference() -> None:
    review = Review(name="C. Reader", role="Physician", date="2025-03-01", version="1.0", signed="0" * 64)
    (found,) = differences(TUTORIAL, TUTORIAL.model_copy(update={"reviews": (review,)}))
    assert (found.part, "C. Reader" in found.words) == ("Provenance", True)
