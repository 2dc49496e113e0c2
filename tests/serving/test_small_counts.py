"""No count of fewer than 20 persons leaves, and contributions still add up."""

from __future__ import annotations

from forecast.serving.records import ModelStamp, checked, forecast_records


def test_a_forecast_of_few_people_stands_at_twenty(config, frame) -> None:
    few = frame()
    columns = [name for name in few.columns if name.startswith("influx_")]
    few[columns] = few[columns] / 2000
    few["usual"] = few["usual"] / 2000
    assert (few[columns] < 20).any(axis=None) and (few[columns] > 20).any(axis=None)
    seen = set()
    for row in forecast_records(checked(few, config, ModelStamp("7")), config):
        counts = [*row["influx"].values(), *row["interval_80"].values()]
        if row["usual"] is not None:
            counts.append(row["usual"])
            if row["contributions"]:
                told = sum(row["contributions"].values())
                assert told == row["influx"]["p50"] - row["usual"]
        assert min(counts) >= 20
        seen |= set(counts)
    assert 20 in seen and max(seen) > 20
