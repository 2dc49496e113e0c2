"""What is suspicious is named, what is only lively is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.ingest import check_folder

DAYS = 200


def lively(seed: int = 0) -> np.ndarray:
    """Counts with a week, a season and noise: nothing suspicious in them."""
    t = np.arange(DAYS)
    mean = 1000 + 300 * (t % 7 >= 5) + 200 * np.sin(2 * np.pi * t / 365)
    return np.round(mean * np.random.default_rng(seed).normal(1, 0.08, DAYS))


def write(folder, sites: dict[str, np.ndarray]) -> None:
    dates = pd.date_range("2026-01-01", periods=DAYS)
    frames = [
        pd.DataFrame(
            {
                "zone_id": "01234" if i % 2 else "200084952",
                "site_id": site,
                "date": dates,
                "count": values,
            }
        )
        for i, (site, values) in enumerate(sites.items())
    ]
    frame = pd.concat(frames).dropna()
    folder.put("mobility.csv", frame.to_csv(index=False))


def warned(folder, now) -> list[tuple[str, str]]:
    report = check_folder(folder.path, now=now).report
    assert report.ok, report.text()
    return [(p.kind, p.what) for p in report.problems]


def test_lively_series_raise_no_suspicion(folder, now):
    write(folder, {f"P{i}": lively(i) for i in range(6)})
    assert warned(folder, now) == []


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("flat_line", (slice(50, 57), 812.0), "7 days running from 2026-02-20 to 2026-02-26"),
        ("zeros", (slice(50, 60), 0.0), "zero from 2026-02-20 to 2026-03-01"),
        ("zeros", (slice(50, 51), 0.0), "zero on 2026-02-20"),
        ("spike", (slice(50, 51), 20_000.0), "20000 on 2026-02-20"),
        ("gap", (slice(50, 60), np.nan), "10 days missing in 1 place, the longest from 2026-02-20"),
        ("stopped", (slice(100, None), np.nan), "ends on 2026-04-10, others go on until 2026-07-1"),
    ],
)
def test_a_damaged_series_is_named(folder, now, kind, change, said):
    damaged = lively(1)
    damaged[change[0]] = change[1]
    write(folder, {"good": lively(0), "bad": damaged, "fine": lively(2)})
    [(found, what)] = warned(folder, now)
    assert found == kind
    assert what.startswith("01234 bad")
    assert said in what


def test_six_equal_days_closed_sundays_and_a_full_house_are_no_suspicion(folder, now):
    six, sundays, crowd = lively(0), lively(1), lively(2)
    six[50:56] = 812.0
    sundays[np.arange(DAYS) % 7 == 3] = 0.0
    crowd[50:54] *= 2.5
    write(folder, {"six": six, "sundays": sundays, "crowd": crowd})
    assert warned(folder, now) == []


def test_a_flat_line_names_the_line_it_starts_on(folder, now):
    flat = lively(1)
    flat[10:30] = 5.0
    write(folder, {"flat": flat, "good": lively(0)})
    [problem] = check_folder(folder.path, now=now).report.problems
    assert problem.kind == "flat_line"
    assert problem.line == 12
    assert problem.column == "count"


def test_zones_without_rows_and_short_histories(folder, now):
    folder.put("influx.csv", "zone_id;date;influx\n01234;2026-01-01;5\n")
    found = dict(warned(folder, now))
    assert set(found) == {"zone_without_rows", "short_history"}
    assert "Le Havre (200084952)" in found["zone_without_rows"]


def test_files_that_do_not_belong_there(folder, now):
    folder.put("mobilty.csv", "x").put("parking.xlsx", b"PK").put("README.md", "x").put(".git", "")
    report = check_folder(folder.path, now=now).report
    advice = {p.file: p.advice for p in report.problems if p.kind == "unknown_file"}
    assert advice == {
        "mobilty.csv": "did you mean mobility.csv?",
        "parking.xlsx": "save the sheet as 'CSV UTF-8'",
    }


def test_tonnages_in_kilograms_are_suspected(folder, now):
    rows = "".join(f"01234;2026-01-{d:02d};{16000 + d}\n" for d in range(1, 29))
    folder.put("waste.csv", "zone_id;date;tonnage\n" + rows)
    found = dict(warned(folder, now))
    assert "20,000 inhabitants" in found["unit"]


def test_weekly_collection_has_no_gaps(folder, now):
    dates = pd.date_range("2026-01-05", periods=30, freq="7D").delete(10)
    frame = pd.DataFrame({"zone_id": "01234", "date": dates, "tonnage": np.arange(29) % 5 + 20.5})
    folder.put("waste.csv", frame.to_csv(index=False))
    assert {kind for kind, _ in warned(folder, now)} <= {"zone_without_rows", "short_history"}
