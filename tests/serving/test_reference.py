"""What a level is measured against is said of each zone and each answer."""

from __future__ import annotations

from forecast.serving.records import ModelStamp, checked, forecast_records, zone_records


def test_a_zone_with_a_capacity_is_measured_against_it(config, frame) -> None:
    first, *others = config.zones
    zones = (first.model_copy(update={"capacity": 30000.0}), *others)
    given = config.model_copy(update={"zones": zones})
    forecasts = checked(frame(), given, ModelStamp("7"))
    said = {row["zone_id"]: row["reference"] for row in forecast_records(forecasts, given)}
    assert said == {row["zone_id"]: row["reference"] for row in zone_records(forecasts, given)}
    assert list(said.values()) == ["capacity", "own history", "under construction"]
