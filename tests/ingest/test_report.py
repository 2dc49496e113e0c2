"""The order, the cap and the two renderings of a report."""

from __future__ import annotations

import json

import numpy as np

from forecast.ingest.report import KEPT_PER_KIND, Findings


def sample() -> Findings:
    findings = Findings()
    findings.add("gap", "a.csv", "hole", line=3)
    lines = np.arange(2, 102)
    findings.add_rows(
        "not_a_number", "b.csv", "no number", lines, ["x" * 100] * 100, column="influx"
    )
    findings.add_rows("not_a_number", "a.csv", "no number", lines[:2], ["u", "v"], column="count")
    findings.add("encoding", "c.csv", "unreadable bytes", advice="save it as UTF-8")
    return findings


def test_errors_come_before_warnings_and_files_before_rows() -> None:
    report = sample().report()
    assert [(p.kind, p.file) for p in report.problems] == [
        ("encoding", "c.csv"),
        *[("not_a_number", "a.csv")] * 2,
        *[("not_a_number", "b.csv")] * KEPT_PER_KIND,
        ("gap", "a.csv"),
    ]
    assert (report.errors, report.warnings, report.ok) == (103, 1, False)
    assert [p.kind for p in report.blocking] == ["encoding"]


def test_text_says_how_many_were_left_out() -> None:
    lines = sample().report().text(limit=2).splitlines()
    assert lines[0] == "103 errors, 1 warning: encoding × 1, not a number × 102, gap × 1"
    assert lines[1] == "ERROR  c.csv: unreadable bytes; save it as UTF-8"
    assert lines[2] == "ERROR  a.csv, line 2, column count: no number ('u')"
    assert lines[3] == "... and 102 more: not a number × 101, gap × 1"


def test_json_holds_the_same() -> None:
    data = json.loads(json.dumps(sample().report().as_dict(limit=3)))
    assert (data["ok"], data["errors"], data["warnings"]) == (False, 103, 1)
    assert data["counts"] == {"encoding": 1, "not_a_number": 102, "gap": 1}
    assert data["not_listed"] == 101
    assert data["problems"][1] == {
        "severity": "error",
        "kind": "not_a_number",
        "file": "a.csv",
        "what": "no number",
        "expected": "",
        "advice": "",
        "line": 2,
        "column": "count",
        "value": "u",
    }


def test_an_empty_report_is_fine() -> None:
    report = Findings().report()
    assert report.ok
    assert report.text() == "no problem found"
