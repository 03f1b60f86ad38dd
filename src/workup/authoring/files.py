"""From the answers of an interview to the files of a scenario: YAML that can be read aloud, and a page about it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from workup.authoring.answers import (
    Answers,
    CareAnswer,
    ComplicationAnswer,
    Facts,
    FindingAnswer,
    OpeningAnswer,
    Origin,
    RuleAnswer,
    TestAnswer,
    TreatmentAnswer,
)
from workup.authoring.lines import DONE
from workup.authoring.words import FOOT, HEAD, SECTIONS
from workup.scenarios.language.reading.signatures import standing_of
from workup.scenarios.language.schema import Scenario
from workup.scenarios.language.words.prose import DISCLAIMER, share_line
from workup.scenarios.language.writing import Names, block, inline, listed, value_words, yaml_text

ESTIMATE = "The author's own estimate, to be checked"
PROPOSED = "Proposed by `workup new`, to be changed"
URGENCY_GBP = {
    "emergency": {"emergency": 0, "urgent": -1500, "routine": -300},
    "urgent": {"emergency": -3000, "urgent": 0, "routine": -200},
    "routine": {"emergency": -5000, "urgent": -6000, "routine": 0},
}
"""A first proposal for the preset `triage`, in pounds: urgency decided -> urgency of the condition. Assumed."""


def scenario_files(answers: Answers, scenario_id: str) -> dict[str, str]:
    """Name and text of scenario.yaml, vignettes.yaml and, if anything was cited, sources.yaml."""
    return _Writer(answers, scenario_id).files()


def page(scenario: Scenario) -> str:
    """README.md of a draft: what it is about, how far it can be trusted, and how to go on."""
    s, words = scenario, standing_of(scenario).words
    conditions = "".join(f"- {condition.label} ({condition.urgency})\n" for condition in s.conditions.values())
    vignettes = "".join(f"- *{v.title}.* {_sentence(v.story)} {_sentence(v.why)}\n" for v in s.vignettes.values())
    return (
        f"# {s.title}\n\n**{words[0].upper()}{words[1:]}.** {DISCLAIMER}\n\n{s.about.strip()}\n\n"
        f"{share_line(s)}. *Seen* means that an author read it in its source, *recalled* that it was cited from memory, "
        "*assumed* that it is the authors' estimate.\n\n"
        f"## What may be behind it\n\n{conditions}\n## Patients to test a policy on\n\n{vignettes}\n"
        f"## How to go on\n\n{FOOT.format(id=s.id)}"
    )


def _sentence(text: str) -> str:
    """The text with a stop at its end, where it has none."""
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


class _Writer:
    def __init__(self, answers: Answers, scenario_id: str) -> None:
        self.answers, self.id = answers, scenario_id
        self.sources: dict[str, CommentedMap] = {}
        self.complications: dict[str, str] = {}
        names, a = Names(), answers
        self.names = names
        self.context = {of.label: _name(names, of.label) for of in a.context}
        self.conditions = {of.label: _name(names, of.label) for of in a.conditions}
        self.items = {"History": names.name("history"), "Examination": names.name("examination")}
        self.items |= {of.label: _name(names, of.label) for of in a.tests}
        self.items |= {of.label: _name(names, of.label) for of in a.treatments}
        self.facts = self.context | {
            of.label: _name(names, of.label) for of in (*a.history.findings, *a.examination.findings)
        }
        self.facts |= {of.label: _name(names, of.finding.label) for of in a.tests}
        self.decisions = {of.label: _name(names, of.label) for of in a.decisions}
        self.values = {of.label: dict(zip(of.values, value_words(of.values), strict=True)) for of in a.context}
        for label, finding in self._findings():
            self.values[label] = dict(zip(finding.values, value_words(finding.values), strict=True))

    def _findings(self) -> Iterable[tuple[str, FindingAnswer]]:
        """Each finding, with the label by which facts call it: for a result, that of its test."""
        for finding in (*self.answers.history.findings, *self.answers.examination.findings):
            yield finding.label, finding
        for test in self.answers.tests:
            yield test.label, test.finding

    def files(self) -> dict[str, str]:
        written = {"scenario.yaml": yaml_text(self._scenario(), HEAD), "vignettes.yaml": yaml_text(self._vignettes())}
        return written | ({"sources.yaml": yaml_text(CommentedMap(self.sources))} if self.sources else {})

    def _scenario(self) -> CommentedMap:
        a = self.answers
        top = block(id=self.id, title=a.title, version="0.1", about=a.about, status="assumed", note=ESTIMATE)
        guideline = inline(name=a.guideline, version=str(a.price_year))
        top["who"] = block(
            authors=listed(a.authors), status="draft", guideline=guideline, setting=a.setting, price_year=a.price_year
        )
        top["context"] = block({self.context[of.label]: self._context(of.label) for of in a.context})
        top["conditions"] = block(
            {
                self.conditions[of.label]: block(
                    label=of.label,
                    urgency=of.urgency,
                    waiting_cost_gbp_per_day=_number(of.waiting_cost_gbp_per_day),
                )
                for of in a.conditions
            }
        )
        top["prior"] = self._prior()
        top["findings"] = block({self.facts[label]: self._finding(of) for label, of in self._findings()})
        top["investigations"] = self._investigations()
        if a.treatments:
            top["acts"] = block({self.items[of.label]: self._act(of) for of in a.treatments})
        if a.loss_gbp_per_msv:
            top["loss_gbp_per_msv"] = _number(a.loss_gbp_per_msv)
        top["utility"] = block(unit=a.unit, gbp_per_qaly=_number(a.gbp_per_qaly))
        if a.unit == "gbp":
            top["utility"]["note"] = PROPOSED
        top["decisions"] = block({self.decisions[of.label]: self._decision(of.label) for of in a.decisions})
        top["rewards"] = self._rewards()
        top["guideline"] = CommentedSeq(self._rule(rule) for rule in self._rules())
        for section, comment in SECTIONS.items():
            if section not in top:
                continue
            top.yaml_set_comment_before_after_key(section, before=f"\n{comment}")
        return top

    def _origin(self, origin: Origin) -> CommentedMap:
        """Status and source of the figures of a block; nothing for an estimate, which the whole file is by default."""
        if not origin.cite:
            return CommentedMap()
        cited = {of["cite"]: name for name, of in self.sources.items()}
        name = cited.setdefault(origin.cite, f"S{len(cited) + 1}")
        read = origin.read or bool(name in self.sources and self.sources[name]["seen"])
        self.sources[name] = block(cite=origin.cite, seen=read)
        return block(status="seen" if origin.read else "recalled", source=name)

    def _context(self, label: str) -> CommentedMap:
        of = next(of for of in self.answers.context if of.label == label)
        words = self.values[label]
        made = block(label=label, known="at_start" if of.at_start else "when_revealed", values=listed(words.values()))
        made.update(self._origin(of.origin))
        made["table"] = _shares(words.values(), of.shares)
        return made

    def _prior(self) -> CommentedMap:
        a = self.answers
        made = self._origin(a.prior_origin)
        rows = {value: _shares(self.conditions.values(), shares) for value, shares in a.prior.items()}
        if a.prior_by is None:
            made["table"] = rows[""]
        else:
            made["given"] = listed([self.context[a.prior_by]])
            made["table"] = block({self.values[a.prior_by][value]: row for value, row in rows.items()})
        return made

    def _finding(self, of: FindingAnswer) -> CommentedMap:
        words = value_words(of.values)
        made = block(label=of.label)
        if words != ("no", "yes"):
            made["values"] = listed(words)
        made.update(self._origin(of.origin))
        made["given"] = listed(["condition"])
        if len(words) == 2:
            made["chance"] = inline({name: _number(of.shares[c][1]) for c, name in self.conditions.items()})
        else:
            made["table"] = block({name: _shares(words, of.shares[c]) for c, name in self.conditions.items()})
        return made

    def _investigations(self) -> CommentedMap:
        a = self.answers
        told = [self.context[of.label] for of in a.context if not of.at_start]
        items = block(
            {
                self.items["History"]: self._opening("History", "history", a.history, told),
                self.items["Examination"]: self._opening("Examination", "examination", a.examination, []),
            }
        )
        items.update({self.items[test.label]: self._test(test) for test in a.tests})
        return items

    def _opening(self, label: str, tier: str, of: OpeningAnswer, told: list[str]) -> CommentedMap:
        reveals = [*told, *(self.facts[finding.label] for finding in of.findings)]
        return block(
            label=label, tier=tier, reveals=listed(reveals), cost_gbp=_number(of.cost_gbp), turnaround=of.turnaround
        )

    def _test(self, of: TestAnswer) -> CommentedMap:
        made = block(label=of.label, tier=of.tier, reveals=listed([self.facts[of.label]]))
        made.update(block(cost_gbp=_number(of.cost_gbp), turnaround=of.turnaround))
        if of.discomfort_gbp:
            made["discomfort_gbp"] = _number(of.discomfort_gbp)
        made.update(self._care(of.label))
        return made

    def _act(self, of: TreatmentAnswer) -> CommentedMap:
        made = block(label=of.label, cost_gbp=_number(of.cost_gbp), turnaround=of.turnaround)
        if of.discomfort_gbp:
            made["discomfort_gbp"] = _number(of.discomfort_gbp)
        made["benefit_gbp"] = inline({self.conditions[c]: _number(of.benefit_gbp[c]) for c in self.conditions})
        waiting = {
            name: _number(of.waiting_factor[c]) for c, name in self.conditions.items() if of.waiting_factor[c] != 1
        }
        if waiting:
            made["waiting_factor"] = inline(waiting)
        made.update(self._care(of.label))
        return made

    def _care(self, label: str) -> CommentedMap:
        care, made = self.answers.care.get(label, CareAnswer()), CommentedMap()
        if care.dose_msv:
            made["dose_msv"] = _number(care.dose_msv)
        if care.after:
            made["requires"] = listed(inline(self._first(of)) for of in care.after)
        if care.not_if:
            made["contraindicated"] = CommentedSeq(
                inline(when=inline(self._stated({no.label: no.value})), loss_gbp=_number(no.loss_gbp), why=no.why)
                for no in care.not_if
            )
        if care.complications:
            made["complications"] = block(
                {
                    name: inline(label=of.label, chance=_number(of.chance), loss_gbp=_number(of.loss_gbp))
                    for name, of in self._complications(care)
                }
            )
        return made

    def _first(self, facts: Facts) -> dict[str, str]:
        """One of these has to hold first; that a test or treatment is done is said of itself, not of its result."""
        return {
            **{self.items[label]: DONE for label, value in facts.items() if value == DONE and label in self.items},
            **self._stated(
                {label: value for label, value in facts.items() if value != DONE or label not in self.items}
            ),
        }

    def _complications(self, care: CareAnswer) -> Iterable[tuple[str, ComplicationAnswer]]:
        for of in care.complications:
            yield self.complications.setdefault(of.label.lower(), _name(self.names, of.label)), of

    def _decision(self, label: str) -> CommentedMap:
        of = next(of for of in self.answers.decisions if of.label == label)
        return block(
            label=label,
            kind=of.kind,
            urgency=of.urgency,
            right_for=listed(self.conditions[c] for c in of.right_for),
            utility=inline({name: _number(of.worth[c]) for c, name in self.conditions.items()}),
        )

    def _rewards(self) -> CommentedMap:
        decided = dict.fromkeys(of.urgency for of in self.answers.decisions)
        needed = dict.fromkeys(of.urgency for of in self.answers.conditions)
        weights = {"cost": 1, "harm": 1, "delay": 1, "utility": 1}
        triage = block({d: inline({n: URGENCY_GBP[d][n] for n in needed}) for d in decided})
        return block(
            complex_decision=block(label="What the decision is worth for the patient", weights=inline(weights)),
            triage=block(
                label="Only the urgency has to be right",
                note=PROPOSED,
                weights=inline(weights),
                urgency_utility_gbp=triage,
            ),
        )

    def _rules(self) -> Iterable[RuleAnswer]:
        yield RuleAnswer("History", ({},), "Listen first")
        yield RuleAnswer("Examination", ({},), "Then examine")
        yield from self.answers.rules

    def _rule(self, rule: RuleAnswer) -> CommentedMap:
        item = self.items.get(rule.do)
        made = block(do=self.decisions[rule.do] if item is None else item)
        undone = {} if item is None else {item: "not_done"}
        alternatives = [inline(undone | self._stated(facts)) for facts in rule.alternatives or ({},)]
        if any(alternatives):
            made["when"] = alternatives[0] if len(alternatives) == 1 else CommentedSeq(alternatives)
        made["why"] = rule.why
        return made

    def _stated(self, facts: Mapping[str, str]) -> dict[str, str]:
        return {self.facts[label]: self.values[label][value] for label, value in facts.items()}

    def _vignettes(self) -> CommentedMap:
        v = self.answers.vignette
        must = [self.items["History"], self.items["Examination"], *(self.items[label] for label in v.must)]
        expect = CommentedSeq([inline(must=listed(must), why=v.why)])
        if v.must_not:
            expect.append(inline(must_not=listed(self.items[label] for label in v.must_not), why=v.why))
        made = block(title=v.title, story=v.story)
        made.update(block(context=inline(self._stated(v.context)), findings=inline(self._stated(v.findings))))
        made.update(block(condition=self.conditions[v.condition], expect=expect))
        made.update(block(decide=listed(self.decisions[label] for label in v.decide), why=v.why))
        return block({_name(Names(), " ".join(v.title.split()[:6])): made})


def _name(names: Names, label: str) -> str:
    """A name of the language as near to a label as can be: 'Blood coughed up' -> blood_coughed_up."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    return names.name(plain.lower())


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _shares(words: Iterable[str], shares: Sequence[float]) -> CommentedMap:
    return inline({word: _number(share) for word, share in zip(words, shares, strict=True)})
