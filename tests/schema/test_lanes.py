"""Optical lanes: their numbers, dark lanes, and readings that contradict each other."""

from __future__ import annotations

import pytest

from pf_exporter.schema.lanes import table_field
from tests.schema.samples import full, keys, numbers, observe, sample


def light(lane: int, **values: object) -> dict[str, object]:
    """Fields of one lane."""
    return {f"lane_{lane}_{name}": value for name, value in values.items()}


DARK: dict[str, object] = {"rx_dbm": 0.0, "rx_power": 0.0, "tx_dbm": 0.0, "tx_power": 0.0}


@pytest.mark.parametrize("count", [0, 1, 4, 8, 12, 100])
def test_number_of_lanes(count: int) -> None:
    """The lanes are those of the keys, in ascending order."""
    lanes = tuple(map(str, range(count)))
    data = full("port|optical", lanes)
    shuffled = dict(sorted(data.items(), reverse=True))
    for document in (data, shuffled):
        observation = observe("port|optical", document)
        assert observation.lanes == lanes
        assert numbers(observation) == {key: data[key] for key in keys("port|optical", lanes)}
        assert (observation.fields_rejected, observation.unknown) == (0, ())


def test_lanes_with_a_gap() -> None:
    """A lane keeps its number if a lower number is missing."""
    observation = observe("port|optical", full("port|optical", ("2", "11")))
    assert observation.lanes == ("2", "11")


@pytest.mark.parametrize("zero", [0.0, 0, -0.0, "0.0"])
def test_dark_lane(zero: object) -> None:
    """0.0 dBm with 0.0 mW is not a reading; a lane without a reading is dropped with its bias current."""
    changes = light(1, **dict.fromkeys(DARK, zero), output_power=0.0, bias_current=36.5)
    observation = observe("port|optical", sample("port|optical", **changes))
    assert observation.lanes == ("0", "2", "3")
    assert len(observation.values) == 18
    assert observation.fields_rejected == 0


@pytest.mark.parametrize(("dark", "lit"), [("rx", "tx"), ("tx", "rx")])
def test_lane_dark_in_one_direction(dark: str, lit: str) -> None:
    """A contradiction removes only the readings of its direction."""
    changes = light(2, **{f"{dark}_dbm": 0.0, f"{dark}_power": 0.0})
    data = sample("port|optical", **changes)
    observation = numbers(observe("port|optical", data))
    assert (observation[f"lane_2_{dark}_dbm"], observation[f"lane_2_{dark}_power"]) == (None, None)
    assert observation[f"lane_2_{lit}_dbm"] == data[f"lane_2_{lit}_dbm"]
    assert observation["lane_2_bias_current"] == data["lane_2_bias_current"]


@pytest.mark.parametrize(
    "dbm", ["- Inf", "-Inf", "-inf", "-Infinity", "-infinity", " - inf ", None, -40, "-40.0"]
)
def test_dark_fibre(dbm: object) -> None:
    """No light is minus infinity in any form, or about -40 dBm; 0 mW with it is a reading."""
    for value, power in ((dbm, 0.0), (dbm, 0.0001)):
        data = sample("port|optical", **light(0, rx_dbm=value, rx_power=power))
        observation = numbers(observe("port|optical", data))
        assert observation["lane_0_rx_dbm"] == (-40.0 if str(dbm).startswith("-40") else None)
        assert observation["lane_0_rx_power"] == power
        assert observe("port|optical", data).fields_rejected == 0


def test_zero_dbm_is_a_reading() -> None:
    """0.0 dBm with 1 mW, and 0.0 mW with a low level, are readings."""
    changes = light(0, rx_dbm=0.0, rx_power=1.0, tx_dbm=-35.23, tx_power=0.0)
    observation = observe("port|optical", sample("port|optical", **changes))
    assert observation.values[:4] == (0.0, -35.23, 1.0, 0.0)


def test_module_with_one_lane() -> None:
    """If the other three lanes are zero, null or missing, there is one lane."""
    one = full("port|optical", ("0",))
    for rest in (0.0, None, ...):
        changes = {
            f"lane_{lane}_{name}": rest for lane in (1, 2, 3) for name in (*DARK, "bias_current", "index")
        }
        observation = observe("port|optical", {**one, **{k: v for k, v in changes.items() if v is not ...}})
        assert (observation.lanes, observation.values) == (("0",), (1, 2, 3, 4, 5, 6))


@pytest.mark.parametrize("index", [0.0, 3, "0", None, True, [[]], "\u2028"])
def test_lane_index_is_ignored(index: object) -> None:
    """The value of the lane's index has no effect."""
    assert observe("port|optical", sample("port|optical", lane_1_index=index)) == observe(
        "port|optical", sample("port|optical")
    )


def test_table_field() -> None:
    """A key with the number of a lane gives the field of the table, and any other key is unchanged."""
    assert table_field("lane_0_rx_dbm") == table_field("lane_12_rx_dbm") == "lane_N_rx_dbm"
    assert table_field("lane_100_rx_dbm") == "lane_100_rx_dbm"
    assert table_field("rx_drop") == "rx_drop"
