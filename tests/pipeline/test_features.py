# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.features import complete_kinds, main
from tests.firmware_gen.networks import tiny_keywords


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "words.tflite"
    path.write_bytes(tiny_keywords())
    return path


def test_it_writes_the_front_end_of_a_network(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = network.parent / "made"
    main(network, kind="mlperf-kws", out=out)
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [str(out / "dimmer_words_features.h"), str(out / "dimmer_words_features.c")]
    assert said[2] == "RAM 3,658 bytes of streams, flash 3,081 bytes of tables"
    assert "dimmer_words_detector" not in (out / "dimmer_words_features.h").read_text()


def test_settings_add_a_detector(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = network.with_name("features.toml")
    settings.write_text('[features]\nkind = "mlperf-kws"\n[features.detector]\nclasses = [2]\n')
    main(network, settings=settings, name="door", out=network.parent)
    assert "dimmer_door_detector" in (network.parent / "dimmer_door_features.h").read_text()
    assert "RAM 3,730 bytes" in capsys.readouterr().out


def test_what_is_not_said_is_asked_for(network: Path) -> None:
    with pytest.raises(DimmerError, match="give --kind"):
        main(network)
    with pytest.raises(DimmerError, match="nothing to make"):
        main(network, kind="none")


def test_kinds_are_completed() -> None:
    assert complete_kinds("m") == ["mlperf-kws", "microfrontend"]
