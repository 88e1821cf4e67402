"""How often the likeliest cause is the right one, on labelled faults."""

from __future__ import annotations

from observatory.evaluation.rootcause.cases import FaultCase
from observatory.evaluation.rootcause.folder import fault_cases
from observatory.evaluation.rootcause.judging import CauseResult, cause_summary, cause_table, judge_causes

__all__ = ["CauseResult", "FaultCase", "cause_summary", "cause_table", "fault_cases", "judge_causes"]
