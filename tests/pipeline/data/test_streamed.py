# SPDX-License-Identifier: Apache-2.0
"""Images that are decoded when they are asked for."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.dataset import Dataset, Images
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.prepare import own_hash, prepared
from dimmer.pipeline.data.readers.sample import Encoded
from dimmer.pipeline.data.streamed import StreamedImages, kept_hash
from dimmer.pipeline.recipe.sections.training import Augmentation
from dimmer.pipeline.training.batches import Batches
from tests.own_data import cache, own, png_of, write_images, write_shard

__all__ = ["cache"]

IMAGES = DataSection("images", "pictures", classes=("dark", "light"), size=(8, 8), colour="grey")


def shards(folder: Path) -> OwnData:
    """Three archives of grey images, of which each grey is another image."""
    for shard, split in enumerate(("train", "val", "test")):
        members: dict[str, bytes] = {}
        for number in range(12):
            grey = 20 * number + 3 * shard
            members |= {f"{number:02}.png": png_of(grey), f"{number:02}.cls": str(number % 2).encode()}
        write_shard(folder / "tars" / f"{split}.tar", members)
    return own(folder, DataSection("shards", "tars", numbered=2, size=(8, 8), colour="grey", streamed=True))


def test_streamed_images_are_those_that_would_be_kept(tmp_path: Path, cache: Path) -> None:
    write_images(tmp_path / "pictures", {"dark": 20, "light": 11})
    streamed = prepared(own(tmp_path, replace(IMAGES, streamed=True))).dataset
    # The splits depend on contents: of files here, of pixels there.
    kept = prepared(own(tmp_path, IMAGES))
    assert isinstance(streamed.train.images, StreamedImages)
    assert streamed.train.images.shape == (21, 8, 8, 1)
    assert len(streamed.val) == len(kept.dataset.val)

    def pixels(data: Dataset) -> set[bytes]:
        return {image.tobytes() for split in (data.train, data.val, data.test) for image in split.images[:]}

    assert pixels(streamed) == pixels(kept.dataset)
    shapes = {np.load(path).shape for path in cache.rglob("train.npy")}
    assert shapes == {(21, 3), (21, 8, 8, 1)}, "places of the streamed ones, pixels of the others"


def test_shards_are_read_where_a_batch_needs_them(tmp_path: Path, cache: Path) -> None:
    data = shards(tmp_path)
    found = prepared(data)
    train = found.dataset.train
    assert found.facts.files == ("test.tar", "train.tar", "val.tar")
    assert all(name.startswith("train.tar: ") for name in found.facts.names["train"])
    greys = train.images[:].mean((1, 2, 3))
    assert sorted(greys) == [20 * number for number in range(12)]
    assert [int(grey) // 20 % 2 for grey in greys] == train.labels.tolist()
    assert train.images[3].shape == (8, 8, 1)
    assert np.asarray(train.images).shape == (12, 8, 8, 1)


def test_a_process_decodes_its_own_share_of_a_batch(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = prepared(shards(tmp_path)).dataset.train
    batches = Batches(train.images, (8, 8), Augmentation(pad=2, flip=True, rotate=5.0), torch.device("cpu"))
    index = np.arange(12)
    whole = batches(index, np.random.default_rng(1))
    decoded: list[int] = []
    real = StreamedImages._decoded

    def counted(self: StreamedImages, place: NDArray[np.int64]) -> Images:
        decoded.append(1)
        return real(self, place)

    monkeypatch.setattr(StreamedImages, "_decoded", counted)
    shares = [batches(index, np.random.default_rng(1), slice(rank, None, 3)) for rank in range(3)]
    assert len(decoded) == 12
    for rank, share in enumerate(shares):
        assert torch.equal(share, whole[rank::3])


def test_an_image_that_is_broken_later_is_named(tmp_path: Path, cache: Path) -> None:
    data = shards(tmp_path)
    train = prepared(data).dataset.train
    path = tmp_path / "tars" / "train.tar"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"IDAT", b"XXXX"))
    with pytest.raises(DimmerError, match=r"train.tar: the image at byte \d+ cannot be decoded"):
        _ = train.images[0]
    path.write_bytes(content[:600])
    with pytest.raises(DimmerError, match="ends before it should"):
        _ = train.images[:]


def test_the_hash_is_of_contents_and_is_found_again(tmp_path: Path, cache: Path) -> None:
    data = shards(tmp_path)
    first = own_hash(data)
    assert own_hash(data) == first
    write_shard(tmp_path / "tars" / "more-train.tar", {"1.png": png_of(1), "1.cls": b"1"})
    assert own_hash(data) != first
    (tmp_path / "tars" / "more-train.tar").unlink()
    assert own_hash(data) == first
    read: list[Path] = []

    def contents(path: Path) -> str:
        read.append(path)
        return path.read_text()

    path = tmp_path / "a"
    path.write_text("one")
    found = [kept_hash([path], tmp_path, tmp_path / "kept", contents) for _ in range(2)]
    assert found[0] == found[1]
    assert len(read) == 1
    path.write_text("two")
    os.utime(path, (1, 1))
    assert kept_hash([path], tmp_path, tmp_path / "kept", contents) != found[0]


def test_only_classes_of_images_are_streamed() -> None:
    with pytest.raises(DimmerError, match="streamed is for classes of images"):
        replace(IMAGES, kind="recordings", window=8, frame=8, streamed=True)
    with pytest.raises(DimmerError, match="numbered must be 0 where classes names them"):
        replace(IMAGES, numbered=3)
    with pytest.raises(DimmerError, match="table is not for shards"):
        replace(IMAGES, kind="shards", table="x.csv")


def test_keys_that_came_later_change_no_hash(tmp_path: Path, cache: Path) -> None:
    """A data set's hash is in checkpoints: what was trained before stays known."""
    (tmp_path / "pictures" / "dark").mkdir(parents=True)
    (tmp_path / "pictures" / "dark" / "1.png").write_text("not decoded here")
    assert own_hash(own(tmp_path, IMAGES)) == KNOWN
    assert own_hash(own(tmp_path, replace(IMAGES, streamed=True))) != KNOWN


KNOWN = "5c88621420ba8afa19c42f1978de99fb226cc7a075e83d0e01b0935c49f548dd"


@pytest.mark.parametrize("kind", ["images", "shards"])
def test_a_file_that_is_moved_is_other_data(tmp_path: Path, cache: Path, kind: str) -> None:
    """Its folder is its class, an archive's name its split."""
    if kind == "shards":
        data = shards(tmp_path)
        before, after = next((tmp_path / "tars").glob("*val*")), tmp_path / "tars" / "z-test-9.tar"
    else:
        write_images(tmp_path / "pictures", {"dark": 20, "light": 11})
        data = own(tmp_path, replace(IMAGES, streamed=True))
        before = min((tmp_path / "pictures" / "dark").iterdir())
        after = tmp_path / "pictures" / "light" / "moved.png"
    known = own_hash(data)
    before.rename(after)
    assert own_hash(data) != known


def test_an_image_that_cannot_be_read_is_named_and_the_others_come(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_images(tmp_path / "pictures", {"dark": 20, "light": 20})
    closed = min((tmp_path / "pictures" / "dark").iterdir())
    real = Encoded.read

    def read(entry: Encoded) -> bytes:
        if entry.path == closed:
            raise PermissionError(13, "Permission denied")
        return real(entry)

    monkeypatch.setattr(Encoded, "read", read)
    (problem,) = prepared(own(tmp_path, replace(IMAGES, streamed=True))).facts.problems
    assert str(problem) == f"dark/{closed.name}: cannot be read (Permission denied)"


def test_what_hugging_face_saved_is_not_streamed() -> None:
    with pytest.raises(DimmerError, match="streamed is for classes of images"):
        replace(IMAGES, column="it", label=("label",), streamed=True)
