"""What each place of a scenario is called: 'CT of the chest: costs', 'Fever: “yes” with Pneumonia'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workup.scenarios.language.nesting import OTHERWISE
from workup.scenarios.language.schema import OPENING, Scenario
from workup.scenarios.language.tables import Table, Tables
from workup.scenarios.language.vocabulary import LanguageError
from workup.scenarios.language.words.phrases import Phrases
from workup.scenarios.language.words.scores import part_rows
from workup.wording import listed, plain

Path = tuple[str | int, ...]

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()
"""Stands where a scenario says nothing at all."""

THINGS = {
    "context": "fact about the patient",
    "comorbidities": "comorbidity",
    "groups": "group of conditions",
    "conditions": "condition",
    "latent": "hidden finding",
    "findings": "finding",
    "scores": "score",
    "set_ups": "shared set-up",
    "resources": "resource",
    "investigations": "test",
    "acts": "act",
    "order_sets": "order set",
    "availability": "reason why a result is not to be had",
    "decisions": "decision",
    "rewards": "reward preset",
    "vignettes": "vignette",
    "targets": "published figure",
    "guideline_versions": "version of the guideline",
    "sources": "source",
    "complications": "complication",
}
"""What an entry of a collection is called."""

LAWS = frozenset({"chance", "table", "mean", "sd", "median", "sigma", "utility", "gbp", "qaly"})
"""Fields that hold figures nested under the values of `given`."""
IN_WORTH = frozenset({"qaly", "cost_gbp", "bed_days", "own_cost_gbp", "transfer_gbp"})
"""The same, of a worth in parts."""
BY_CONDITION = frozenset({"waiting_factor", "progression_factor", "benefit_gbp"})
FIELDS = {
    "cost_gbp": "costs",
    "loss_gbp": "a loss of",
    "loss_gbp_per_msv": "harm of each mSv",
    "dose_msv": "dose",
    "discomfort_gbp": "discomfort worth",
    "waiting_cost_gbp_per_day": "each day of waiting costs",
    "median_time": "half of those untreated have progressed within",
    "turnaround": "result in",
    "change_of": "is a change of",
    "after": "is seen after",
    "recorded": "is written down",
    "look": "looks",
    "shown": "is shown as",
    "new_visit_after": "a new visit begins after",
    "attempts": "tries",
    "uses": "uses",
    "set_up": "shares",
    "why": "reason",
    "about": "introduction",
    "max_steps": "the journey is cut off after (actions)",
    "charged": "is paid for when it fails",
    "harm_gbp": "harm of at most",
    "gbp_per_qaly": "one QALY counts",
    "bed_day_gbp": "a day in a hospital bed costs",
    "perspective": "seen by",
    "worth": "",
    "bed_days": "days in a hospital bed",
    "own_cost_gbp": "the patient pays",
    "transfer_gbp": "the patient is paid",
    "loss_qaly": "a loss of",
    "given": "depends on",
    "benefit_gbp": "worth",
    "benefit": "worth",
    "when_decided": "if the journey ends with",
    "gbp": "",
    "qaly": "",
    "waiting_factor": "factor on the cost of waiting",
    "progression_factor": "factor on the rate of progression",
    "cite": "citation",
    "url": "address",
    "seen": "read by the authors",
    "do": "does",
    "weights": "weight of",
    "risk": "risk of at most",
    "odds": "odds multiplied by",
    "urgency_utility_gbp": "",
    "reported": "",
    "modifiers": "",
    "contraindicated": "",
    "requires": "",
    "expect": "",
    "points": "",
    "refusable": "refusal",
    "incidental": "incidental finding",
}
_CEILINGS = {
    "cost_gbp": "may spend at most",
    "dose_msv": "may give at most",
    "harm_gbp": "may do harm of at most",
    "tests": "may order tests, at most",
    "risk": "may run a risk of at most",
}


@dataclass(frozen=True)
class Side:
    """A scenario as plain data, with its words; one of two where two are compared."""

    scenario: Scenario
    tree: dict[str, Any]
    phrases: Phrases

    @classmethod
    def of(cls, scenario: Scenario) -> Side:
        """The scenario without what is worked out from it; every number as a float."""
        tree = scenario.model_dump(mode="json", exclude={"figures", "digest", "written"})
        for section, field in (("findings", "look"), ("investigations", "shown")):  # no content, so not in the dump
            entries = getattr(scenario, section).items()
            said = {name: getattr(of, field) for name, of in entries if getattr(of, field) is not None}
            for name, of in said.items():
                tree[section][name][field] = of
        reviews = [review.model_dump(mode="json") for review in scenario.reviews]
        return cls(scenario, _floats(tree | {"reviews": reviews}), Phrases(scenario))

    def at(self, path: Path) -> Any:
        """What stands at a place; ABSENT if nothing does."""
        here: Any = self.tree
        for part in path:
            known = range(len(here)) if isinstance(here, list) else here if isinstance(here, Mapping) else ()
            if part not in known:
                return ABSENT
            here = here[part]
        return here

    def subject(self, path: Path) -> tuple[str, Path]:
        """What is spoken of, and the rest of the path beneath it."""
        head, rest = str(path[0]), path[1:]
        if head == "prior":
            return "Chance of each condition", rest
        if head == "utility":
            return "What decisions are worth", rest
        if head not in THINGS or not rest:
            return ("", path) if head in ("loss_gbp_per_msv", "new_visit_after", "max_steps") else (plain(head), rest)
        name, rest = str(rest[0]), rest[1:]
        said = self.called(head, name)
        inner = 1 if rest[:1] == ("worth",) else 0
        if rest[inner : inner + 1] == ("complications",) and len(rest) > inner + 1:
            complication = self.at((head, name, *rest[: inner + 2]))
            return f"{said}, {complication['label']}", rest[inner + 2 :]
        return said, rest

    def called(self, collection: str, name: str) -> str:
        """What an entry of a collection is called."""
        of = self.at((collection, name))
        if collection in ("vignettes", "rewards", "targets", "groups", "resources", "sources", "guideline_versions"):
            title = of.get("title", of.get("label")) if isinstance(of, dict) else None
            return f"{THINGS[collection].capitalize()} {name}" + (f" (“{title}”)" if title else "")
        if collection == "availability":
            return f"Availability, {plain(name)}"
        if isinstance(of, dict) and "label" in of:
            return str(of["label"])
        return self.phrases.label(name)

    def same_law(self, other: Side, path: Path) -> bool:
        """Whether the law at a place gives the same figures on both sides."""
        mine, theirs = self._table(path), other._table(path)
        if mine is None or theirs is None or mine.parents != theirs.parents:
            return False
        return mine.values.shape == theirs.values.shape and bool(np.array_equal(mine.values, theirs.values))

    def _table(self, path: Path) -> Table | None:
        tables = Tables(self.scenario)
        ways: dict[str, Callable[[str], Table]] = dict.fromkeys(
            ("context", "comorbidities", "latent", "findings"), tables.variable
        )
        ways |= {"decisions": tables.utility, "availability": tables.mechanism}
        try:
            if path == ("prior",):
                return tables.variable("condition")
            if len(path) == 2 and path[0] in ways:
                return ways[str(path[0])](str(path[1]))
            if len(path) == 4 and path[2] == "complications":
                return tables.complication(str(path[1]), str(path[3]))
            return None
        except LanguageError:
            return None

    def place(self, path: Path) -> str:
        """What a place beneath its subject is called: 'yes with Pneumonia'."""
        rest = self.subject(path)[1]
        special = self._special(path, rest)
        if special:
            return special
        law = next((i for i in range(len(rest)) if _is_law(rest, i)), None)
        if law is None:
            return " ".join(filter(None, map(self._field, rest)))
        keys = [str(part) for part in rest[law + 1 :] if part != ""]
        before = " ".join(filter(None, map(self._field, rest[:law])))
        owner = self.at(path[: len(path) - len(rest) + law])
        given = (
            ["condition"] if rest[law] in BY_CONDITION else list(owner.get("given", ()) if owner is not ABSENT else ())
        )
        of_value = [keys.pop()] if rest[law] == "table" and keys else []
        under = [self._key(parent, key) for parent, key in zip(given, keys, strict=False)]
        what = self._what(path, str(rest[law]), of_value, owner)
        if rest[law] == "chance" and self._is_sensitivity(path, given, keys):
            return f"sensitivity for {self.phrases.brief(keys[0])} ({what})"
        told = " ".join(filter(None, (before, what)))
        if not under:
            return told
        return f"{told}{' ' if under[0].startswith('with') else ', '}{', '.join(under)}"

    def _what(self, path: Path, law: str, of_value: list[str], owner: Any) -> str:
        """What a nested table gives figures of: a value, a chance, a parameter, a worth."""
        if of_value:
            return self.phrases.brief(of_value[0]) if path[0] == "prior" else f"“{plain(of_value[0])}”"
        if law == "chance" and path[0] in ("context", "comorbidities", "latent", "findings"):
            return f"“{plain((owner.get('values') or list(owner.get('bands') or ()) or ['yes'])[-1])}”"
        if law == "qaly" and "worth" in path:
            return "health"
        return "worth" if law == "utility" else self._field(law)

    def _special(self, path: Path, rest: Path) -> str:
        """Places whose fields do not read as they stand."""
        keys = [part for part in rest if part != ""]
        match keys:
            case ["ceilings", str(ceiling), *more]:
                return " ".join(filter(None, (_CEILINGS[ceiling], *map(self._field, more))))
            case ["urgency_utility_gbp", decided, true]:
                return f"worth when decided as {decided} and truly {true}"
            case ["reported", true, reported]:
                return f"“{true}” reported as “{reported}”"
            case ["bands", str(band), *end]:
                return f"“{plain(band)}” {'starts at' if end else 'is from'}"
            case ["modifiers", int(), "odds", *named]:
                where = self.at((*path[: len(path) - len(rest) + 2], "when"))
                of = f" of {self.phrases.brief(str(named[0]))}" if named else ""
                return f"odds{of}, where {self.phrases.when(where)}"
            case ["points", int(i), *inner] if inner:
                return self._part(str(path[1]), i, [str(key) for key in inner])
            case ["cut_offs", str(word), *end]:
                bounds = {"at_least": "begins at", "below": "ends below"}
                return f"“{plain(word)}” {bounds[str(end[0])] if end else 'is'}"
            case ["worth"]:
                return "worth in parts"
            case ["complications", *_] | []:
                return ""
            case [int(rule), *more] if path[0] == "guideline":
                return f"rule {rule + 1}: {' '.join(filter(None, map(self._field, more[1:])))}"
        return ""

    def _part(self, score: str, i: int, keys: list[str]) -> str:
        """A part of a score: 'points if Fever is yes', or a cut-off in what it asks."""
        part = self.at(("scores", score, "points", i))
        if keys[:1] == ["when"]:
            return f"asks for {self.phrases.brief(keys[-2])} {'at least' if keys[-1] == 'at_least' else 'below'}"
        asked = [what for what, _ in part_rows(part, self.phrases)] if part is not ABSENT else []
        told = asked[list(part["points"]).index(keys[-1])] if len(keys) > 1 and asked else next(iter(asked), "")
        return f"points if {told}" if told else "points"

    def named(self, path: Path) -> str:
        """The subject and what of it: 'CT of the chest: costs'; ends with a colon if there is but one of the two."""
        subject, place = self.subject(path)[0], self.place(path)
        return first_up(f"{subject}: {place}" if subject and place else f"{subject or place}:")

    def _is_sensitivity(self, path: Path, given: list[str], keys: list[str]) -> bool:
        """Whether a chance is that of a test being positive in a condition that it mostly finds."""
        tests = self.scenario.investigations.values()
        beyond = any(path[1] in of.reveals for of in tests if of.tier not in OPENING)
        value = self.at(path)
        single = given == ["condition"] and len(keys) == 1 and keys[0] in self.scenario.conditions
        return beyond and single and isinstance(value, float) and value >= 0.5

    def _field(self, part: str | int) -> str:
        if part == "" or isinstance(part, int):
            return ""
        return FIELDS.get(part, self.phrases.labels.get(part, plain(part)))

    def _key(self, parent: str, key: str) -> str:
        """One level of a nested table: 'with Pneumonia', 'without Kidney disease', 'Smoking: ever'."""
        if parent == "condition":
            words = [self.phrases.brief(word.strip()) for word in key.split(",")]
            return "with any other condition" if key == OTHERWISE else f"with {listed(words, 'or')}"
        label = self.phrases.brief(parent)
        if key in ("yes", "no"):
            return f"{'with' if key == 'yes' else 'without'} {label}"
        return f"{label}: {plain(key)}"


def law_at(path: Path) -> bool:
    """Whether a place lies in a nested table of figures."""
    return any(_is_law(path, i) for i in range(len(path)))


def _is_law(path: Path, i: int) -> bool:
    return path[i] in LAWS or path[i] in BY_CONDITION or (path[i] in IN_WORTH and path[i - 1 : i] == ("worth",))


def first_up(text: str) -> str:
    """With a capital."""
    return text[:1].upper() + text[1:]


def _floats(value: Any) -> Any:
    """Plain data with 1 and 1.0 alike."""
    if isinstance(value, dict):
        return {key: _floats(of) for key, of in value.items()}
    if isinstance(value, list):
        return [_floats(of) for of in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
