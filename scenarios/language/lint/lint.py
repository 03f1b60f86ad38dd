"""Everything wrong with a scenario, all at once."""

from __future__ import annotations

from pathlib import Path

from workup.errors import Fault, ScenarioError
from workup.scenarios.language.lint import amounts as lint_amounts
from workup.scenarios.language.lint import changes as lint_changes
from workup.scenarios.language.lint import decisions as lint_decisions
from workup.scenarios.language.lint import journey as lint_journey
from workup.scenarios.language.lint import limits as lint_limits
from workup.scenarios.language.lint import looks as lint_looks
from workup.scenarios.language.lint import names as lint_names
from workup.scenarios.language.lint import scores as lint_scores
from workup.scenarios.language.lint import tables as lint_tables
from workup.scenarios.language.lint import vignettes as lint_vignettes
from workup.scenarios.language.lint import worth as lint_worth
from workup.scenarios.language.lint.book import Book
from workup.scenarios.language.reading.reader import Reading, read
from workup.scenarios.language.reading.signatures import standing_of
from workup.scenarios.language.schema import Scenario

_RULES = (
    lint_names.check_who,
    lint_names.check_names,
    lint_names.check_references,
    lint_names.check_items,
    lint_names.check_revealed,
    lint_names.check_mechanisms,
    lint_tables.check_variables,
    lint_tables.check_chances,
    lint_scores.check_scores,
    lint_worth.check_worths,
    lint_changes.check_changes,
    lint_looks.check_looks,
    lint_journey.check_requirements,
    lint_journey.check_contraindications,
    lint_journey.check_guideline,
    lint_decisions.check_decisions,
    lint_journey.check_rewards,
    lint_journey.check_signs,
    lint_amounts.check_amounts,
    lint_limits.check_limits,
    lint_vignettes.check_vignettes,
    lint_vignettes.check_targets,
)
_UNSIGNED_CLAIM = (
    "who.status says reviewed, but nobody has signed what stands here, so it is shown as a draft; "
    "let the reviewer run `workup sign`, or say draft"
)

_UNENDED = (
    "{file} does not end with the line `...`, so it may have been cut short; see that nothing is missing, and add it"
)


def lint(path: Path) -> tuple[Fault, ...]:
    """Every fault of the scenario at `path` (folder or file), in the order of its lines; empty if it is clean.

    Each has `path`, `line` and a `message` with the remedy. `load_scenario` raises the same faults as one ScenarioError.

    Examples:
        >>> from pathlib import Path
        >>> import workup
        >>> folder = Path("cough")
        >>> folder.mkdir()
        >>> _ = (folder / "scenario.yaml").write_text("title: Cough")
        >>> print(workup.lint(folder)[0])
        cough/scenario.yaml:1: id: missing: one word for the scenario, such as `id: my_cough`
    """
    try:
        return check(path)[1]
    except ScenarioError as error:
        return error.faults


def warnings(scenario: Scenario) -> tuple[str, ...]:
    """What is allowed but looks like an oversight, such as a set-up that no item uses."""
    claimed = scenario.who.status == "reviewed" and standing_of(scenario).status == "draft"
    return (_UNSIGNED_CLAIM,) * claimed + lint_journey.warnings(Book(scenario))


def look_again(reading: Reading) -> tuple[str, ...]:
    """`warnings` of what was read, and the files that may have been cut short: a file that ends between two entries of a list
    can be a whole scenario still."""
    unended = tuple(_UNENDED.format(file=file) for file in reading.tree.unended)
    return unended + (warnings(reading.scenario) if reading.scenario is not None else ())


def check(path: Path) -> tuple[Reading, tuple[Fault, ...]]:
    """The reading and all its faults.

    Raises:
        ScenarioError: the file could not be read as YAML at all.
    """
    reading = read(path)
    return reading, faults_of(reading)


def faults_of(reading: Reading) -> tuple[Fault, ...]:
    """Faults of form and, if the models accept the scenario, of meaning."""
    faults = list(reading.faults)
    if reading.scenario is not None:
        book = Book(reading.scenario)
        for rule in _RULES:
            rule(book)
        faults += [reading.tree.fault(place, message, column=place in book.exact) for place, message in book.faults]
    return tuple(sorted(dict.fromkeys(faults), key=lambda fault: (fault.path, fault.line)))
