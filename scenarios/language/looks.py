"""How findings may be shown: the kinds of picture, the looks that each has, and what a look may be.

A look is *graded*, a number between limits, or *named*, one of some values. `workup.envs.modalities` draws them, a file a kind;
here are only the words, so that a scenario can be checked without drawing anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """One thing about a picture that a finding may decide."""

    what: str
    """In a few words, with the unit of a graded one."""
    values: tuple[str, ...] = ()
    """Of a named look, the default first; a graded one has none."""
    centre: float = 0.0
    """Of a graded look: what it is where nothing else is said."""
    per_sd: float = 0.0
    """How much of it one standard deviation of a standardised finding makes: of the look, or of its logarithm."""
    low: float = 0.0
    high: float = 0.0
    """Limits of a graded look, both allowed."""
    logarithmic: bool = False
    drawn: bool = False
    """Whether a graded look of which nothing is said is drawn for each patient, normal about `centre`, instead of being `centre`."""

    @property
    def graded(self) -> bool:
        """Whether it is a number."""
        return not self.values

    @property
    def default(self) -> str | float:
        """What it is where nothing is said; NaN where it is drawn for each patient."""
        return self.values[0] if self.values else float("nan") if self.drawn else self.centre


ITSELF = "itself"
"""Written in place of a look for each value: the number of a finding is itself the look, as on a table."""
_SAID = ("unsaid", "no", "yes")


def _analyte(name: str, unit: str, centre: float, per_sd: float, high: float, *, logarithmic: bool = False) -> Look:
    return Look(f"{name}, {unit}", (), centre, per_sd, 0.0, high, logarithmic, drawn=True)


LOOKS: Mapping[str, Mapping[str, Look]] = {
    "film": {
        "view": Look("how it was taken: standing, from behind (pa), or lying, from in front (ap)", ("pa", "ap")),
        "machine": Look("whose tone the film has", ("first", "second", "third")),
        "heart": Look("size of the heart's shadow", ("normal", "wide")),
        "lesion": Look(
            "where a round shadow lies; left and right are the patient's",
            ("none", "right_upper", "left_upper", "right_hilum", "left_hilum", "right_lower", "left_lower", "several"),
        ),
        "opacity": Look("how dense the round shadow is, as a share of full scale", (), 0.20, 0.05, -0.2, 0.7),
        "radius": Look("radius of the round shadow, as a share of the film's width", (), 0.055, 0.25, 0.01, 0.25, True),
        "lungs": Look("what else the lungs show", ("clear", "consolidation", "interstitial")),
        "effusion": Look("fluid around a lung", ("none", "left", "right")),
    },
    "slide": {
        "tissue": Look("what was cut", ("liver", "lung", "adenocarcinoma", "lymphoid", "stroma")),
        "stain": Look("colours of the laboratory", ("purple", "violet", "pink")),
        "marker": Look("stained for a protein instead: its nuclei are brown or not", ("off", "negative", "positive")),
        "hyperchromasia": Look("darkness of the nuclei, as a multiple of the usual", (), 1.0, 0.15, 0.2, 5.0, True),
        "nuclear_size": Look("radius of the nuclei, as a multiple of the usual", (), 1.0, 0.10, 0.5, 2.0, True),
        "pleomorphism": Look("by how much the nuclei differ from each other", (), 0.2, 0.05, 0.0, 0.8),
        "fat": Look("share of liver cells with a droplet of fat", (), 0.0, 0.10, 0.0, 1.0),
        "glass": Look("share of the slide's width without tissue", (), 0.0, 0.05, 0.0, 0.5),
    },
    "waveform": {
        "rhythm": Look("sinus rhythm or atrial fibrillation", ("sinus", "fibrillation")),
        "pattern": Look(
            "right_strain: S in I, Q and inverted T in III, inverted T in V1; inferior: broad Q in III",
            ("normal", "right_strain", "inferior"),
        ),
        "rate": Look("beats a minute", (), 75.0, 8.0, 35.0, 180.0),
        "st": Look(
            "elevation of the ST segment in III, in mV; half of it is depression in I", (), 0.0, 0.05, -0.5, 0.8
        ),
    },
    "note": {
        **{
            name: Look(f"whether the note speaks of {what}, and how", _SAID)
            for name, what in {
                "cough": "a cough",
                "haemoptysis": "blood that was coughed up",
                "breathlessness": "breathlessness",
                "chest_pain": "pain in the chest",
                "rigors": "shaking chills",
                "night_sweats": "night sweats",
                "dysuria": "pain on passing urine",
                "abdominal_pain": "pain in the belly",
                "weight_loss": "loss of weight",
                "asbestos": "work with asbestos",
            }.items()
        },
        "cough_weeks": Look("weeks of coughing, if the note speaks of a cough", (), 10.0, 2.0, 0.0, 60.0),
        "kg_lost": Look("kilograms lost, if the note speaks of loss of weight", (), 10.0, 2.0, 0.0, 60.0),
        "position": Look("where in the note the findings stand", ("anywhere", "first", "middle", "last")),
        "distractors": Look("how many other sentences: 6, none, 3 or 10", ("some", "none", "few", "many")),
    },
    "table": {
        "haemoglobin": _analyte("haemoglobin", "g/L", 145.0, 10.0, 400.0),
        "white_cells": _analyte("white cells", "10^9/L", 7.5, 1.75, 900.0),
        "platelets": _analyte("platelets", "10^9/L", 275.0, 62.5, 3000.0),
        "sodium": _analyte("sodium", "mmol/L", 140.0, 2.5, 250.0),
        "potassium": _analyte("potassium", "mmol/L", 4.25, 0.38, 20.0),
        "urea": _analyte("urea", "mmol/L", 5.2, 1.3, 150.0),
        "creatinine": _analyte("creatinine", "umol/L", 85.0, 12.5, 3000.0),
        "albumin": _analyte("albumin", "g/L", 42.0, 3.75, 100.0),
        "alt": _analyte("alanine transaminase", "U/L", 25.0, 0.4, 20000.0, logarithmic=True),
        "crp": _analyte("C-reactive protein", "mg/L", 3.0, 0.7, 1000.0, logarithmic=True),
        "laboratory": Look("whose names, units and ranges the report has", ("si", "conventional")),
        "haemolysed": Look("whether the sample was haemolysed, which a remark says", ("no", "yes")),
    },
}
"""Kind -> look -> what it may be. Every kind has a renderer of its name in `workup.envs.modalities`."""
