"""Authors of scenarios: what they are asked by `workup new`, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workup.authoring.answers import Answers, Question
from workup.authoring.interview import interview

Script = Sequence[tuple[str, str]]
"""A part of each question, and the answer to it."""

COUGH: Script = [
    ("case called", "Cough for three weeks"),
    ("Who comes", "An adult has coughed for three weeks. Is it more than a virus?"),
    ("Who writes", "A. Clinician, B. Nurse"),
    ("Where are we", "General practice, United Kingdom"),
    ("What about the patient", "Smoking, Wish about scans"),
    ("Smoking: which values", "never 60, ever 40"),
    ("Smoking: is it known", ""),
    ("Wish about scans: which values", "accepts 9/10, declines 1 in 10"),
    ("Wish about scans: is it known", "ask"),
    ("Which conditions", "Viral bronchitis, Pneumonia, Lung cancer"),
    ("How urgent", "routine 1, emer £150, urgent 10"),
    ("depend on Smoking or Wish", "smoking"),
    ("with Smoking = never, how many", "96 3.9 0.1"),
    ("with Smoking = ever, how many", "90% 8% 2%"),
    ("What can the history", "Fever, Blood coughed up"),
    ("What can the examination", "Crackles"),
    ("Fever: in how many", "30 80 15"),
    ("Blood coughed up: in how many", "Lung cancer 1 in 5, otherwise 2"),
    ("Crackles: in how many", "10 70 10"),
    ("Which tests", "CRP, Chest film"),
    ("CRP: kind", "bloods, 8, 2h, 3, low / raised / high"),
    ("CRP = raised: in how many", "18 20 30"),
    ("CRP = high: in how many", "2 75 10"),
    ("Chest film: kind", "imaging, 35, 4 hours, clear / shadow"),
    ("Chest film = shadow: in how many", "4 80 80"),
    ("Which decisions can end", "Treat as pneumonia, Refer, Reassure"),
    ("Treat as pneumonia: kind", "treat emergency -400 -200 -10000"),
    ("Refer: kind", "refer urgent -1,000 -4,000 -2000"),
    ("Reassure: kind", "reassure routine 0 -5,000 -12000"),
    ("Which decision is right", "Reassure, Treat as pneumonia, Refer"),
    ("Is there more to say", "sources, complications, radiation, contraindications, prerequisites, treatments, prices"),
    ("Which treatments", "Oxygen"),
    ("Oxygen: cost", "20, 10 min, 5"),
    ("Oxygen: what does it add", "Pneumonia 200, otherwise -15"),
    ("Oxygen: how much of the cost of delay", "100 20 100"),
    ("Radiation", "0 0.1"),
    ("1 mSv", "6"),
    ("CRP: what must come first", ""),
    ("CRP: who must not", ""),
    ("CRP: what can go wrong", ""),
    ("Chest film: what must come first", "CRP or Crackles = yes"),
    ("Chest film: who must not", "Wish about scans = declines, 500 because they said no"),
    ("Chest film: what can go wrong", "Fall, 1 in 1000, 3000"),
    ("Oxygen: what must come first", "CRP = high and Chest film"),
    ("Oxygen: who must not", ""),
    ("Oxygen: what can go wrong", ""),
    ("Prices of which year", "2025"),
    ("The history: cost", "25, 8 minutes"),
    ("The examination: cost", ""),
    ("Which guideline", "NICE NG12"),
    ("figures of Smoking come", "none"),
    ("figures of Wish about scans come", ""),
    ("figures of how often each condition", "read: Someone A. Coughs. Journal 2020;1:1"),
    ("figures of Fever come", ""),
    ("figures of Blood coughed up come", "Hamilton W et al. Thorax 2005;60:1059"),
    ("figures of Crackles come", ""),
    ("figures of CRP come", ""),
    ("figures of Chest film come", ""),
    ("When is CRP ordered", "Fever = yes"),
    ("When is Chest film ordered", "CRP high or Crackles yes, or Blood coughed up = yes because it may be a mass"),
    ("When is Oxygen given", "never"),
    ("'Treat as pneumonia' made", "Chest film = shadow and Fever = yes, or CRP: high"),
    ("'Refer' made", "chest film is shadow because it is a mass until shown otherwise"),
    ("Tell the story", "A cold that lingers. Never smoked, no fever, no blood, clear chest."),
    ("have in truth", "viral"),
    ("What can be found", "Smoking = never, Fever = no, Blood coughed up = no, Crackles = no"),
    ("Which tests must", "not CRP, not Chest film"),
    ("right for this patient", "Reassure because a long cough alone is nearly always viral."),
]
"""With everything under 'more detail'."""

CHEST_PAIN: Script = [
    ("case called", "Chest pain for an hour"),
    ("Who comes", "An adult has had chest pain for an hour. Is it the heart, the lungs, the aorta or none of these?"),
    ("Who writes", "A. Clinician"),
    ("Where are we", "Emergency department, United Kingdom"),
    ("What about the patient", ""),
    ("Which conditions", "Heart attack, Pulmonary embolism, Aortic dissection, Reflux, Muscle pain"),
    ("How urgent", "emergency 500, emergency 300, emergency 1000, routine, routine"),
    ("how many have each condition", "15 3 1 31 50"),
    ("What can the history", "Sweating, Worse on breathing, Risk factors for clots"),
    ("What can the examination", "Unequal pulses, Tender on pressing"),
    ("Sweating: in how many", "60 15 40 5 5"),
    ("Worse on breathing: in how many", "10 65 5 10 40"),
    ("Risk factors for clots: in how many", "10 50 5 8 8"),
    ("Unequal pulses: in how many", "2 1 35 1 1"),
    ("Tender on pressing: in how many", "8 10 3 8 65"),
    ("Which tests", "ECG, Troponin, D-dimer, CT of the chest"),
    ("ECG: kind", "bedside, 10, 10 min, 0, normal / changed / ST elevation"),
    ("ECG = changed: in how many", "25 35 25 8 8"),
    ("ECG = ST elevation: in how many", "45 1 5 1 1"),
    ("Troponin: kind", "bloods, 15, 2 h, 3"),
    ("Troponin = positive: in how many", "92 30 25 3 3"),
    ("D-dimer: kind", "bloods, 12, 1 h, 3"),
    ("D-dimer = positive: in how many", "25 96 95 20 20"),
    ("CT of the chest: kind", "imaging, 120, 3 h, 10"),
    ("CT of the chest = positive: in how many", "2 95 98 2 2"),
    ("Which decisions can end", "Catheter lab, Anticoagulate, Theatre, Send home"),
    ("Catheter lab: kind", "treat emergency -500 -9000 -40000 -3000 -3000"),
    ("Anticoagulate: kind", "treat urgent -8000 -300 -45000 -900 -900"),
    ("Theatre: kind", "refer emergency -9000 -8000 -5000 -4000 -4000"),
    ("Send home: kind", "reassure routine -15000 -12000 -60000 0 0"),
    ("Which decision is right", ""),
    ("Is there more to say", ""),
    ("When is ECG ordered", "always because nobody waits for it"),
    ("When is Troponin ordered", "always"),
    ("When is D-dimer ordered", "Worse on breathing = yes and Risk factors for clots = yes"),
    ("When is CT", "D-dimer = positive and Troponin = negative, or Unequal pulses = yes because of the aorta"),
    ("'Catheter lab' made", "ECG = ST elevation, or Troponin = positive"),
    ("'Anticoagulate' made", "CT of the chest = positive and Unequal pulses = no"),
    ("'Theatre' made", "CT of the chest = positive and Unequal pulses = yes"),
    ("Tell the story", "Sore after moving house. 30 years old, no sweating, tender over the ribs."),
    ("have in truth", "Muscle pain"),
    ("What can be found", "Sweating = no, Tender on pressing = yes, Unequal pulses = no"),
    ("Which tests must", "ECG, not CT"),
    ("right for this patient", "Send home because pain on pressing is from the chest wall"),
]


class Author:
    """Answers each question as written, and checks that it is the one expected."""

    def __init__(self, script: Script) -> None:
        self.script: Iterator[tuple[str, str]] = iter(script)
        self.heard: list[str] = []
        self.problems: list[str] = []
        self.asked: list[Question] = []

    def ask(self, question: Question) -> str:
        part, answer = next(self.script)
        assert part in question.text
        self.asked.append(question)
        return answer

    def say(self, kind: str, line: str) -> None:
        self.heard.append(line)
        if kind == "problem":
            self.problems.append(line)


def answered(script: Script = COUGH, **more: Any) -> tuple[Answers, Mapping[tuple[str, ...], str], Author]:
    """What an author who follows the script is found to have said."""
    author = Author(script)
    answers, given = interview(author.ask, author.say, year=2026, **more)
    assert next(author.script, None) is None
    return answers, given, author


def changed(question: str, *answers: str, script: Script = COUGH) -> Script:
    """The script with other answers to one question, which is asked as often."""
    places = [i for i, (part, _) in enumerate(script) if part == question]
    assert len(places) == 1
    return [*script[: places[0]], *((question, answer) for answer in answers), *script[places[0] + 1 :]]
