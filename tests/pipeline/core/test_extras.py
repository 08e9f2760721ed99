"""A package that is missing is told with what brings it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from dimmer.pipeline.core import extras
from dimmer.pipeline.core.extras import explain, missing_distributions

LINES = ["numpy==2.4.6", 'torch==2.13.0; extra == "train"', "apache-tvm==1; extra == 'tvm'"]


def test_what_an_extra_brings_is_named() -> None:
    told = explain(ModuleNotFoundError("No module named 'torch'", name="torch.nn"))
    assert str(told) == "torch.nn is not installed: type pip install 'dimmer-nn[train]' for training and conversion"
    assert explain(ModuleNotFoundError("No module named 'lamp'", name="lamp")) is None


@pytest.mark.parametrize(("extra", "missing"), [("", []), ("train", ["torch"]), ("tvm", ["apache-tvm"]), ("dev", [])])
def test_missing_distributions(monkeypatch: pytest.MonkeyPatch, extra: str, missing: list[str]) -> None:
    def version(name: str) -> str:
        if name == "numpy":
            return "2.4.6"
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "requires", lambda _name: LINES)
    monkeypatch.setattr(extras, "version", version)
    assert missing_distributions(extra) == missing


def test_where_nothing_is_installed_it_is_the_package_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "requires", requires)
    monkeypatch.setattr(extras, "version", requires)
    assert missing_distributions("train") == ["dimmer-nn"]
