# SPDX-License-Identifier: Apache-2.0
"""Of one input only the number of elements was compared: [N,channels,time] and [N,C,H,W] were read as if they were
[N,time,channels] and [N,H,W,C], and a network learnt from mixed values without a word.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers import entry, tables
from dimmer.pipeline.data.readers.sample import Problem
from dimmer.pipeline.data.readers.tables import window_of
from dimmer.pipeline.projects.inspected import inspect_data, own_samples
from dimmer.pipeline.projects.told import Told
from tests.own_data import cache, own

__all__ = ["cache"]
SERIES = DataSection("windows", "w.npz", classes=("0", "1"), window=5, channels=("x", "y"), label=("y",))
SERIES_WANTED = "the recipe says [N,5,2], which is [N,time,channels]: bring its dimensions into that order"
IMAGE_WANTED = "the recipe says [N,6,4,3], which is [N,H,W,C]: bring its dimensions into that order"


@pytest.mark.parametrize("sides", [(5, 2), (1, 5, 2), (5, 1, 2), (10,), (10, 1)])
def test_a_series_in_its_order(tmp_path: Path, sides: tuple[int, ...]) -> None:
    x = np.arange(20, dtype=np.float32).reshape(2, *sides)
    np.savez(tmp_path / "w.npz", x=x, y=[0, 1])
    problems: list[Problem] = []
    found = list(tables.samples(own(tmp_path, SERIES), problems))
    assert not problems
    assert [one.array.tolist() for one in found] == x.reshape(2, 1, 5, 2).tolist()
    assert window_of(x[0], SERIES).tolist() == x[0].reshape(1, 5, 2).tolist()


def test_a_series_in_another_order_is_refused(tmp_path: Path) -> None:
    x = np.arange(20, dtype=np.float32).reshape(2, 2, 5)
    np.savez(tmp_path / "w.npz", x=x, y=[0, 1])
    problems: list[Problem] = []
    assert not list(tables.samples(own(tmp_path, SERIES), problems))
    assert list(map(str, problems)) == [f"w.npz: cannot be read ('x' is [2,2,5], {SERIES_WANTED})"]
    # A cell of a saved data set has no dimension for the samples.
    with pytest.raises(ValueError, match=r"^it is \[2,5\], the recipe says \[5,2\], which is \[time,channels\]: bring"):
        window_of(x[0], SERIES)


def give(folder: Path, x: str, monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    """A function of one's own, in the folder of the process."""
    (folder / f"{name}.py").write_text(
        "import numpy as np\n\n\ndef load():\n"
        f"    return {{'x': np.random.default_rng(0).standard_normal({x}), 'y': np.arange(40) % 2}}\n"
    )
    monkeypatch.chdir(folder)
    return f"{name}:load"


def test_images_in_another_order_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = give(tmp_path, "(40, 3, 6, 4)", monkeypatch, "images_of_torch")
    section = DataSection("python", place, classes=("0", "1"), size=(6, 4), channels=("r", "g", "b"), label=("y",))
    with pytest.raises(DimmerError) as caught:
        list(entry.samples(own(tmp_path, section), []))
    assert str(caught.value) == f"[data] path {place}: 'x' is [40,3,6,4], {IMAGE_WANTED}"


def test_init_says_what_it_takes_an_odd_order_for(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    recipe = tmp_path / "models" / "m"
    np.savez(tmp_path / "series.npz", x=rng.standard_normal((40, 3, 20)), y=np.arange(40) % 2)
    assert own_samples(str(tmp_path / "series.npz"), Told(), recipe).notes == (
        "x is taken for 3 time steps of 20 channels: if it is [N,channels,time], swap these two",
    )
    place = give(tmp_path, "(40, 3, 32, 24)", monkeypatch, "odd_images")
    assert own_samples(place, Told(), recipe).notes == (
        "x is taken for images of 3 x 32 with 24 channels: if it is [N,channels,H,W], put these last",
    )
    for name, shape in (("usual_images", (40, 32, 24, 3)), ("usual_series", (40, 20, 3)), ("rows", (40, 20))):
        place = give(tmp_path, str(shape), monkeypatch, name)
        assert own_samples(place, Told(), recipe).notes == ()


def test_init_takes_no_images_of_an_npz_for_windows(tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", x=np.zeros((40, 3, 32, 32)), y=np.arange(40) % 2)
    says = r"images\.npz: 'x' is \[40,3,32,32\], .* give \[N,time,channels\], or images as \[N,H,W,C\] by a function"
    with pytest.raises(DimmerError, match=says):
        inspect_data(str(tmp_path / "images.npz"), Told())
