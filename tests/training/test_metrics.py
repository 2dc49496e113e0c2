"""Figures of merit, worked out by hand on a handful of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.training.metrics import cross_table, pinball, score, table

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@pytest.fixture
def rows() -> pd.DataFrame:
    """Four answers; influx in all is 1000."""
    return pd.DataFrame(
        {
            "zone_id": pd.Categorical(["coast", "coast", "plateau", "plateau"]),
            "horizon_days": [0, 3, 5, 14],
            "kind": ["weekday", "weekend", "holiday run", "weekday"],
            "influx": [400.0, 300.0, 200.0, 100.0],
            "influx_p10": [380.0, 310.0, 150.0, 100.0],
            "influx_p25": [390.0, 320.0, 160.0, 100.0],
            "influx_p50": [410.0, 330.0, 170.0, 100.0],
            "influx_p75": [420.0, 340.0, 180.0, 100.0],
            "influx_p90": [430.0, 350.0, 190.0, 100.0],
            "scale": [10.0, 10.0, 5.0, 5.0],
            "lag7": [380.0, 330.0, 240.0, 90.0],
            "regime": "every source",
        }
    )


def test_figures_by_hand(rows: pd.DataFrame) -> None:
    found = score(rows, QUANTILES, ["lag7"])
    assert found["rows"] == 4
    assert found["wape"] == pytest.approx((10 + 30 + 30 + 0) / 1000)
    assert found["bias"] == pytest.approx((10 + 30 - 30 + 0) / 1000)
    assert found["mase"] == pytest.approx((1 + 3 + 6 + 0) / 4)
    # 300 lies below its band and 200 above; 100 is on both ends of its own, which holds it.
    assert found["coverage_80"] == pytest.approx(2 / 4)
    assert found["width_80"] == pytest.approx((50 + 40 + 40 + 0) / 1000)
    assert found["coverage_50"] == pytest.approx(2 / 4)
    assert found["width_50"] == pytest.approx((30 + 20 + 20 + 0) / 1000)
    assert found["wape_lag7"] == pytest.approx((20 + 30 + 40 + 10) / 1000)
    assert found["mase_lag7"] == pytest.approx((2 + 3 + 8 + 2) / 4)


def test_pinball_by_hand() -> None:
    # Short of 100 by 10 at 0.9 costs 9, beyond it by 10 costs 1; the mean of both, twice, over 100.
    observed = np.array([100.0, 100.0])
    answers = np.array([[90.0], [110.0]])
    assert pinball(observed, answers, [0.9]) == pytest.approx(2 * (9 + 1) / 2 / 100)


def test_the_pinball_of_the_median_alone_is_the_wape() -> None:
    rng = np.random.default_rng(1)
    observed, answers = rng.gamma(4, 100, 50), rng.gamma(4, 100, (50, 1))
    wape = np.abs(observed - answers[:, 0]).sum() / observed.sum()
    assert pinball(observed, answers, [0.5]) == pytest.approx(wape)


def test_a_perfect_forecast_has_no_error_and_no_width(rows: pd.DataFrame) -> None:
    for name in ("influx_p10", "influx_p25", "influx_p50", "influx_p75", "influx_p90"):
        rows[name] = rows["influx"]
    found = score(rows, QUANTILES, [])
    assert found["coverage_80"] == found["coverage_50"] == 1
    errors = ("wape", "mase", "bias", "pinball", "width_80", "width_50")
    assert [found[name] for name in errors] == [0.0] * len(errors)


def test_quantiles_without_their_mirror_have_no_band(rows: pd.DataFrame) -> None:
    found = score(rows, (0.1, 0.5, 0.75), [])
    assert not [name for name in found if name.startswith(("coverage", "width"))]


def test_the_table_cuts_by_horizon_day_and_zone(rows: pd.DataFrame) -> None:
    found = table(rows, QUANTILES, ["lag7"])
    sizes = found["rows"].to_dict()
    assert sizes["all", "all"] == 4
    assert [sizes["horizon", name] for name in ("0–1 d", "2–3 d", "4–7 d", "8–14 d")] == [1] * 4
    days = ("weekday", "weekend", "holiday run", "weekend or run")
    assert [sizes["day", kind] for kind in days] == [2, 1, 1, 2]
    assert found.loc[("zone", "coast"), "wape"] == pytest.approx(40 / 700)
    assert found.loc[("zone", "plateau"), "mase"] == pytest.approx(3)
    for group in ("horizon", "zone"):
        assert found.loc[group]["rows"].sum() == 4


def test_a_part_without_any_influx_is_left_out(rows: pd.DataFrame) -> None:
    found = table(rows[rows["horizon_days"] < 4], QUANTILES, [])
    assert ("horizon", "8–14 d") not in found.index
    assert ("day", "holiday run") not in found.index
    assert ("horizon", "2–3 d") in found.index


def test_a_bridge_is_told_apart_from_the_run_around_it(rows: pd.DataFrame) -> None:
    rows.loc[2, "kind"] = "bridge"
    found = table(rows, QUANTILES, [])
    assert ("day", "holiday run") not in found.index
    assert found.loc[("day", "bridge"), "rows"] == 1
    assert found.loc[("day", "weekend or run"), "rows"] == 2


def test_regimes_stand_beside_one_another(rows: pd.DataFrame) -> None:
    silent = rows.assign(regime="without parking", influx_p50=rows["influx_p50"] + 10)
    found = table(rows, QUANTILES, ["lag7"], [silent])
    assert list(found.loc["regime"].index) == ["every source", "without parking"]
    # All else is of the answers with every source.
    pd.testing.assert_frame_equal(found.drop("regime"), table(rows, QUANTILES, ["lag7"]))
    assert found.loc[("regime", "every source"), "wape"] == found.loc[("all", "all"), "wape"]
    assert found.loc[("regime", "without parking"), "wape"] == pytest.approx(
        (20 + 40 + 20 + 10) / 1000
    )


def test_the_cross_table_adds_up_to_the_whole(rows: pd.DataFrame) -> None:
    silent = rows.assign(regime="without parking")
    found = cross_table([rows, silent], QUANTILES, ["lag7"])
    assert len(found) == 8  # each of the four answers has a cell of its own
    assert set(found["regime"]) == {"every source", "without parking"}
    keys = {"zone_id": "coast", "horizon": "2–3 d", "kind": "weekend", "regime": "every source"}
    (cell,) = found[(found[list(keys)] == pd.Series(keys)).all(axis=1)].to_dict("records")
    assert cell["rows"] == 1
    assert cell["wape"] == pytest.approx(30 / 300)
    assert cell["coverage_80"] == 0
    assert cell["wape_lag7"] == pytest.approx(30 / 300)
