"""What the digest of a scenario is of: its content, and nothing that is said about it or shows it."""

from __future__ import annotations

import re

import pytest
from support.again import scenario_of as again

from workup.scenarios.language.amounts import Benefit
from workup.scenarios.language.library import list_scenarios, load_scenario
from workup.scenarios.language.reading.digest import CONTENT, NOT_CONTENT, digest
from workup.scenarios.language.schema import Scenario


class Pictured(Scenario):
    """As a later version might have it: with a field that only says how the scenario is shown."""

    picture: str = "lungs.svg"


def test_the_digest_is_of_content_and_order_and_not_of_provenance() -> None:
    scenario = load_scenario("tutorial")
    assert re.fullmatch("[0-9a-f]{16}", scenario.digest)
    assert digest(scenario) == scenario.digest
    assert digest(scenario.model_copy(update={"figures": ()})) == scenario.digest
    assert digest(scenario.model_copy(update={"max_steps": 21})) != scenario.digest
    turned = dict(reversed(scenario.conditions.items()))
    assert digest(scenario.model_copy(update={"conditions": turned})) != scenario.digest


def test_the_versions_of_a_guideline_count_in_the_digest_and_their_absence_does_not() -> None:
    whole = load_scenario("tutorial")
    without = whole.model_copy(update={"guideline_versions": {}})
    assert digest(without) != digest(whole) == whole.digest


def test_a_rule_that_does_not_wait_counts_in_the_digest_and_one_that_waits_does_not() -> None:
    scenario = load_scenario("tutorial")
    last = scenario.guideline[-1].model_copy(update={"even_if_pending": True})
    hasty = scenario.model_copy(update={"guideline": (*scenario.guideline[:-1], last)})
    assert digest(hasty) != scenario.digest
    version = scenario.guideline_versions["film_for_fever"]
    rules = tuple(rule.model_copy(update={"even_if_pending": True}) for rule in version.rules)
    versions = {"film_for_fever": version.model_copy(update={"rules": rules})}
    assert digest(scenario.model_copy(update={"guideline_versions": versions})) != scenario.digest


def test_a_benefit_by_patient_counts_in_the_digest_and_its_absence_does_not() -> None:
    assert load_scenario("control").digest == "802665b64912688d"  # of before there were amounts
    scenario = load_scenario("tutorial")
    act = scenario.acts["antibiotics"].model_copy(update={"benefit": Benefit(gbp=5.0)})
    assert digest(scenario.model_copy(update={"acts": {**scenario.acts, "antibiotics": act}})) != scenario.digest


def test_what_changed_and_when_count_in_the_digest() -> None:
    scenario = again()
    for field, other in (("change_of", "egfr"), ("after", 72.0)):
        change = scenario.findings["crp_48h"].model_copy(update={field: other})
        assert (
            digest(scenario.model_copy(update={"findings": {**scenario.findings, "crp_48h": change}}))
            != scenario.digest
        )


def test_every_field_is_content_or_said_not_to_be() -> None:
    assert not set(CONTENT) & set(NOT_CONTENT)
    assert {*CONTENT, *NOT_CONTENT} == set(Scenario.model_fields)
    assert [field for field in Scenario.model_fields if field in CONTENT] == list(CONTENT)


@pytest.mark.parametrize("name", list_scenarios())
def test_a_field_that_only_shows_the_scenario_changes_no_digest(name: str) -> None:
    scenario = load_scenario(name)
    pictured = Pictured.model_construct(**{field: getattr(scenario, field) for field in Scenario.model_fields})
    assert "picture" in pictured.model_dump()
    assert digest(pictured) == scenario.digest
