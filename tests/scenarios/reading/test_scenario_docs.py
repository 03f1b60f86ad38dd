"""The reference page, the JSON Schema and the plain-words page agree with the language."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from support.places import ROOT

from workup.scenarios.language.authorship import Review
from workup.scenarios.language.library import list_scenarios, load_scenario
from workup.scenarios.language.lint.lint import faults_of
from workup.scenarios.language.reading.json_schema import FILE, json_schema
from workup.scenarios.language.reading.reader import interpret, read
from workup.scenarios.language.reading.yaml_tree import Tree, parse
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.prose import explain

PAGE = ROOT / "docs" / "language.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
SCENARIOS = FILE.parent
VALIDATOR = jsonschema.Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))


def _merged(base: Any, addition: Any) -> Any:
    if isinstance(base, dict) and isinstance(addition, dict):
        return {**base, **{key: _merged(base.get(key), of) for key, of in addition.items()}}
    return addition


@pytest.mark.parametrize("block", BLOCKS, ids=[block.partition("\n")[0] for block in BLOCKS])
def test_each_example_of_the_page_is_sound_in_the_tutorial(block: str) -> None:
    addition = parse(block.encode(), "language.md").data
    data = _merged(read(SCENARIOS / "tutorial").tree.data, addition)
    reading = interpret(Tree("language.md", data))
    assert faults_of(reading) == ()
    assert reading.scenario is not None
    assert reading.scenario.digest != load_scenario("tutorial").digest
    VALIDATOR.validate(data)


def test_the_page_names_every_key_of_the_language() -> None:
    tutorial = (SCENARIOS / "tutorial" / "scenario.yaml").read_text(encoding="utf-8")
    models = [
        Scenario,
        *(entry for entry in vars(__import__("workup.scenarios.language.schema", fromlist=["x"])).values()),
    ]
    keys = {
        name
        for model in models
        if isinstance(model, type)
        and hasattr(model, "model_fields")
        and model.__name__ not in ("FigureRecord", "Model")
        for name in model.model_fields
    } - {"figures", "digest", "written", "reviews", "signed", "currency"}
    assert {key for key in keys if not re.search(rf"\b{key}\b", TEXT)} == set()
    optional = {"reviewers", "role", "url", "ordinal", "sd", "mean", "against", "within", "even_if_pending"}
    optional |= {"scores", "points", "cut_offs"}
    optional |= {"benefit", "when_decided", "gbp", "worth", "qaly", "bed_days", "own_cost_gbp", "transfer_gbp"}
    optional |= {"bed_day_gbp", "perspective"}
    optional |= {"change_of", "after", "recorded"}
    assert {key for key in keys if not re.search(rf"\b{key}\b", tutorial)} <= optional


def test_the_published_schema_is_up_to_date() -> None:
    message = "run `python -m workup.scenarios.language.reading.json_schema`"
    assert json.loads(FILE.read_text(encoding="utf-8")) == json_schema(), message


@pytest.mark.parametrize("scenario_id", list_scenarios())
def test_every_scenario_fits_the_published_schema(scenario_id: str) -> None:
    VALIDATOR.validate(read(SCENARIOS / scenario_id).tree.data)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("findings", "fever", "labbel"), "Fever"),
        (("findings", "fever", "status"), "guessed"),
        (("investigations", "ct", "cost_gbp"), "lots"),
        (("investigations", "ct", "turnaround"), "3 fortnights"),
        (("investigations", "ct", "dose_msv"), {"value": 3, "sorce": "T1"}),
        (("investigations", "ct", "tier"), "pictures"),
        (("who", "status"), "assumed"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(path: tuple[str, ...], wrong: Any) -> None:
    data = json.loads(json.dumps(read(SCENARIOS / "tutorial").tree.data))
    block = data
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = wrong
    assert not VALIDATOR.is_valid(data)
    assert faults_of(interpret(Tree("wrong.yaml", data)))


@pytest.mark.parametrize("scenario_id", list_scenarios())
def test_the_plain_words_page_tells_everything(scenario_id: str) -> None:
    scenario = load_scenario(scenario_id)
    page = explain(scenario)
    assert "**Draft, not reviewed by a clinician.**" in page
    named: list[dict[str, Any]] = [scenario.conditions, scenario.context, scenario.findings]
    named += [scenario.investigations, scenario.acts]
    for part in [*named, scenario.comorbidities, scenario.latent, scenario.decisions, scenario.order_sets]:
        assert all(of.label in page for of in part.values())
    assert all(vignette.title in page and vignette.why in page for vignette in scenario.vignettes.values())
    assert all(rule.why in page for rule in scenario.guideline)
    assert all(source.cite.strip() in page for source in scenario.sources.values())


def test_a_reviewed_scenario_names_its_reviewer() -> None:
    scenario = load_scenario("tutorial")
    review = Review(name="C. Reader", role="physician", date="2025-03-01", version="1.0", signed=scenario.written)
    page = explain(scenario.model_copy(update={"reviews": (review,)}))
    assert "**Reviewed by C. Reader (physician, 2025-03-01).**" in page
    assert "not reviewed" not in page


def test_the_plain_words_page_keeps_values_and_labels_apart() -> None:
    data = read(SCENARIOS / "tutorial").tree.data
    data["context"]["smoked"] = {"label": "Smoking", "known": "at_start", "values": ["ct", "ever"], "chance": 0.4}
    data["investigations"]["ct"]["incidental"] |= {"chance": {"ct": 0.05, "ever": 0.15}}
    data["findings"]["fever"] |= {"given": ["smoked"], "chance": {"ct": 0.1, "ever": 0.2}}
    data["vignettes"] = {}
    scenario = interpret(Tree("values.yaml", data)).scenario
    assert scenario is not None
    assert "yes in 10% if ct; 20% if ever (by Smoking)" in explain(scenario)


@pytest.mark.parametrize("name", list_scenarios())
def test_the_page_of_a_scenario_states_its_share_of_seen_figures_and_its_status(name: str) -> None:
    page = (SCENARIOS / name / "README.md").read_text(encoding="utf-8")
    share = re.search(r"Of its \d+ figures, .*", explain(load_scenario(name)))
    assert share is not None
    said = " ".join(page.split())
    assert share[0] in said, f"scenarios/{name}/README.md should say: {share[0]}"
    assert "not reviewed by a clinician" in said.lower(), (
        f"scenarios/{name}/README.md should say: Not reviewed by a clinician"
    )
