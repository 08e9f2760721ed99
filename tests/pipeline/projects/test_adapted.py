# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import shape_of
from dimmer.pipeline.networks import build
from dimmer.pipeline.networks.adapted.same import sample_of
from dimmer.pipeline.projects.adapted import Asked, Written, adapted_project, found_network
from dimmer.pipeline.projects.inspected import own_samples
from dimmer.pipeline.projects.told import Told
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.pipeline.networks.adapted.nets import small

NETS = Path(__file__).parents[1] / "networks" / "adapted" / "nets.py"


def asked(size: str = "3x16x16", arguments: tuple[str, ...] = ()) -> Asked:
    return Asked(f"{NETS}:small", arguments, size, None, False, None)


def photos(folder: Path, count: int = 8) -> Path:
    """``count`` images of each of three classes."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number, name in enumerate(("blue", "green", "red")):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 100, (16, 16, 3), np.uint8)
            pixels[..., 2 - number] += 100
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def words(folder: Path, count: int = 8) -> None:
    """``count`` half seconds of each of two tones, of 16,000 samples a second."""
    from scipy.io import wavfile

    time = np.arange(8000) / 16_000
    for pitch, name in ((300, "no"), (900, "yes")):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            tone = 9000 * np.sin(2 * np.pi * (pitch + number) * time)
            wavfile.write(folder / name / f"{number}.wav", 16_000, tone.astype(np.int16))


def project(tmp_path: Path, **changes: object) -> Written:
    given: dict[str, object] = {"dataset": None, "data": str(photos(tmp_path / "photos")), "label": ""} | changes
    return adapted_project(asked(), tmp_path / "lamp", "lamp", "host", **given)  # type: ignore[arg-type]


def test_a_project_has_the_network_its_stages_and_its_weights(tmp_path: Path) -> None:
    made = project(tmp_path)
    assert {"recipe.toml", "original.safetensors", "nets.py", "dimmer.toml"} <= {path.name for path in made.files}
    assert "88.80" in made.table
    recipe = load_recipe(tmp_path / "lamp" / "models" / "lamp" / "recipe.toml")
    assert recipe.model.family == "adapted"
    assert recipe.model.config.skippable == (1, 1)
    network = build("adapted", recipe.model.config).eval()
    x = sample_of((3, 16, 16))
    with torch.no_grad():
        assert torch.equal(network(x, network.super_mode()), small()(x))
    before = recipe.training_hash()
    own = tmp_path / "lamp" / "models" / "lamp" / "nets.py"
    own.write_text(own.read_text() + "\n# other\n")
    assert load_recipe(recipe.path).training_hash() != before
    own.unlink()
    with pytest.raises(DimmerError, match=r"recipe\.toml, line \d+: model\.source = .* names no file"):
        load_recipe(recipe.path)


def test_a_network_on_recordings_hears_rows_of_features(tmp_path: Path) -> None:
    words(tmp_path / "words")
    found = own_samples(str(tmp_path / "words"), Told(""), tmp_path / "lamp" / "models" / "lamp")
    _, rows, columns = shape_of(found.section, found.heard).image_shape
    heard = Asked(f"{NETS}:series", (f"channels={columns}",), f"{columns}x1x{rows}", None, False, None)
    adapted_project(heard, tmp_path / "lamp", "lamp", "host", None, str(tmp_path / "words"), "")
    recipe = load_recipe(tmp_path / "lamp" / "models" / "lamp" / "recipe.toml")
    assert recipe.model.heard == found.heard is not None
    assert (recipe.model.config.in_channels, recipe.model.config.image_size) == (columns, (1, rows))


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="give --data PLACE, or --dataset with one of"):
        project(tmp_path, data=None)
    with pytest.raises(DimmerError, match="the data has 1x28x28"):
        adapted_project(asked(), tmp_path / "lamp", "lamp", "host", "mnist5k", None, "")
    with pytest.raises(DimmerError, match="--input 3x16: write channels"):
        found_network(asked("3x16"), Path())
    grey = Asked(f"{NETS}:small", ("classes=3",), "3x32x32", None, False, None)
    with pytest.raises(DimmerError, match="the data has 10 classes"):
        adapted_project(grey, tmp_path / "lamp", "lamp", "host", "cifar10", None, "")
    with pytest.raises(DimmerError, match="--pretrained is for torchvision and timm"):
        found_network(Asked(f"{NETS}:small", (), "3x16x16", None, True, None), Path())
    both = Asked("timm:vit_tiny", (), "3x16x16", None, True, tmp_path / "mine.pt")
    with pytest.raises(DimmerError, match=r"^--pretrained and --weights are two sets of weights: give one of them$"):
        found_network(both, Path())
    attentive = Asked(f"{NETS}:attentive", (), "3x16x16", None, False, None)
    with pytest.raises(DimmerError, match=r"no device runs .*:attentive: .*families vit, cct and swin"):
        adapted_project(attentive, tmp_path / "lamp", "lamp", "host", None, str(tmp_path / "photos"), "")
    assert not (tmp_path / "lamp").exists()


def moved(file: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return file.rename(folder / file.name)


NEEDY = """
import json
from pathlib import Path
from parts_of_needy import small

KEYS = json.loads((Path(__file__).parent / "keys.json").read_text())

def make():
    return small(KEYS["classes"])
"""


def test_files_that_the_network_needs_lie_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "needy.py").write_text(NEEDY)
    (tmp_path / "parts_of_needy.py").write_text(NETS.read_text())
    (tmp_path / "keys.json").write_text('{"classes": 3}')
    place = str(photos(tmp_path / "photos"))
    needy = Asked(f"{tmp_path}/needy.py:make", (), "3x16x16", None, False, None)

    def write(one: Asked) -> Written:
        return adapted_project(one, tmp_path / "lamp", "lamp", "host", None, place, "")

    with pytest.raises(DimmerError, match=r"cannot be built where the project .*keys\.json.*--file"):
        write(needy)
    assert not (tmp_path / "lamp").exists()
    with pytest.raises(DimmerError, match="there is no such file"):
        write(dataclasses.replace(needy, files=(tmp_path / "none.json",)))
    (tmp_path / "other").mkdir()
    for name in ("recipe.toml", "original.safetensors", "needy.py"):
        taken = tmp_path / "other" / name if name == "needy.py" else tmp_path / name
        taken.write_text("")
        with pytest.raises(DimmerError, match="beside the recipe, where another file lies"):
            # Of another folder it would get its bare name.
            write(dataclasses.replace(needy, files=(moved(taken, tmp_path.parent / f"{tmp_path.name}-far"),)))
    made = write(dataclasses.replace(needy, files=(tmp_path / "keys.json",)))
    assert {"needy.py", "parts_of_needy.py", "keys.json"} <= {path.name for path in made.files}
    home = tmp_path / "lamp" / "models" / "lamp"
    recipe = load_recipe(home / "recipe.toml")
    before = recipe.training_hash()
    (home / "keys.json").write_text('{ "classes": 3}')
    assert load_recipe(recipe.path).training_hash() != before
    (home / "parts_of_needy.py").unlink()
    with pytest.raises(DimmerError, match=r"model\.files = .* names no file"):
        load_recipe(recipe.path)


def test_what_is_read_from_the_working_directory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build runs in another one."""
    (tmp_path / "needy.py").write_text(NEEDY.replace("Path(__file__).parent", "Path()"))
    (tmp_path / "parts_of_needy.py").write_text(NETS.read_text())
    (tmp_path / "keys.json").write_text('{"classes": 3}')
    monkeypatch.chdir(tmp_path)
    needy = Asked("needy.py:make", (), "3x16x16", None, False, None, (tmp_path / "keys.json",))
    with pytest.raises(
        DimmerError, match=r"cannot be built .*keys\.json.* find that beside __file__, not where it runs"
    ):
        adapted_project(needy, tmp_path / "lamp", "lamp", "host", None, str(photos(tmp_path / "photos")), "")


def test_an_edited_copy_is_not_overwritten(tmp_path: Path) -> None:
    place = str(photos(tmp_path / "photos"))

    def write() -> Written:
        return adapted_project(asked(), tmp_path / "lamp", "lamp", "host", None, place, "")

    assert write().files[-1].name == "dimmer.toml"
    # The same once more, as after a run that was killed.
    assert write().files == ()
    own = tmp_path / "lamp" / "models" / "lamp" / "nets.py"
    own.write_text(own.read_text() + "\n# mended by hand\n")
    (own.parent / "recipe.toml").unlink()
    with pytest.raises(DimmerError, match=r"nets\.py is there already: nothing is written; move it, or name another"):
        write()
    assert own.read_text().endswith("# mended by hand\n")
    assert not (own.parent / "recipe.toml").exists()


def test_data_is_of_one_kind(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="--data or --dataset, not both"):
        project(tmp_path, dataset="cifar10")


def test_what_lies_outside_of_the_file_s_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "far_of_mine.py").write_text(NETS.read_text())
    (tmp_path / "app" / "net.py").write_text(
        "import sys\nfrom pathlib import Path\nsys.path.append(str(Path(__file__).parent.parent / 'common'))\n"
        "from far_of_mine import small as make\n"
    )
    one = Asked(f"{tmp_path}/app/net.py:make", (), "3x16x16", None, False, None)
    with pytest.raises(DimmerError, match=r"No module named 'far_of_mine'.*in its folder alone"):
        adapted_project(one, tmp_path / "lamp", "lamp", "host", None, str(photos(tmp_path / "photos")), "")
