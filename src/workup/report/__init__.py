"""The self-contained HTML report."""

from __future__ import annotations

from workup.report.inputs import LearningCurve, ReportInputs

__all__ = ["LearningCurve", "ReportInputs"]
