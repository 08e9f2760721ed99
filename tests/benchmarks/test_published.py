# SPDX-License-Identifier: Apache-2.0
"""Published cycles: of our models, on our cores, whoever leads."""

from dimmer.benchmarks.networks import NETWORKS
from dimmer.benchmarks.published import MODELS, PUBLISHED, published_for


def test_every_entry_is_of_a_benchmark_that_is_counted() -> None:
    for entry in PUBLISHED:
        assert set(entry.megacycles) <= set(MODELS.values())
        assert all(0.1 < megacycles < 200 for megacycles in entry.megacycles.values())
    assert {network.name for network in NETWORKS} <= set(MODELS)


def test_the_fastest_comes_first_and_only_those_of_the_core() -> None:
    found = [(entry.stack, megacycles) for entry, megacycles in published_for("kws_ref_model", "any", "cortex-m4")]
    assert found[0] == ("X-CUBE-AI 10.2", 5.21)
    assert [megacycles for _, megacycles in found] == sorted(megacycles for _, megacycles in found)
    assert len(found) == 4
    assert list(published_for("random_anomaly_detection", "any", "cortex-m0plus")) == []
    assert list(published_for("somebody's model", "any", "cortex-m4")) == []
    (ours,) = published_for("kws_ref_model", "ibex-maxperf", "rv32imc")
    assert ours[1] == 15.95
