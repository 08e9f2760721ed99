# SPDX-License-Identifier: Apache-2.0
"""Augmentation by the transforms of libraries: torchvision.transforms.v2 for images, audiomentations for sound.

Training names this module only where a recipe has such transforms, so that no other training depends on them. They draw
from generators that belong to the process; here these are seeded for each sample and then put back, so that a sample
depends on its batch's generator alone: a training that was killed goes on in the same bits, and one whose batches are
shared out sees the same samples.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.data.dataset import Images
from dimmer.pipeline.networks.adapted.source import import_library
from dimmer.pipeline.recipe.sections.training import Augmentation
from dimmer.pipeline.recipe.sections.transforms import AUDIOMENTATIONS, TORCHVISION, parse_transform
from dimmer.pipeline.training.augment import Draws
from dimmer.toml import plain, shown

_WHERE = {TORCHVISION: "torchvision.transforms.v2", AUDIOMENTATIONS: "audiomentations"}
_HIGHEST_SEED = 1 << 32


def check_library(settings: Augmentation) -> None:
    """See that every transform is there and takes its arguments, before hours of training.

    Raises:
        DimmerError: a package is not installed, or a transform is not as the recipe says.
    """
    for key in settings.libraries:
        _made(key, getattr(settings, key))


def transformed_images(images: Images, texts: tuple[str, ...], rng: Draws) -> Images:
    """uint8[N,H,W,C] -> uint8[N,H,W,C], each image by itself.

    Raises:
        DimmerError: as `check_library`, or a transform fails or gives another size or type.
    """
    steps = _made(TORCHVISION, texts)
    found = np.empty_like(images)
    with _kept():
        for n, (image, seed) in enumerate(zip(images, _seeds(rng, len(images)), strict=True)):
            _begin(seed)
            value = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
            shape = value.shape
            for text, step in zip(texts, steps, strict=True):
                value = _applied(TORCHVISION, text, step, value)
                if not isinstance(value, torch.Tensor) or value.shape != shape or value.dtype != torch.uint8:
                    raise _refused(TORCHVISION, text, f"gives {_described(value)}, not uint8{list(shape)}")
            found[n] = value.numpy().transpose(1, 2, 0)
    return found


def transformed_sounds(
    sounds: NDArray[np.float32], rate: int, texts: tuple[str, ...], rng: Draws
) -> NDArray[np.float32]:
    """float32[N,window] in -1..1 -> float32[N,window], each window by itself.

    Raises:
        DimmerError: as `transformed_images`.
    """
    steps = _made(AUDIOMENTATIONS, texts)
    found = np.empty_like(sounds)
    with _kept():
        for n, (sound, seed) in enumerate(zip(sounds, _seeds(rng, len(sounds)), strict=True)):
            _begin(seed)
            value: Any = sound.copy()
            for text, step in zip(texts, steps, strict=True):
                value = _applied(AUDIOMENTATIONS, text, step, value, sample_rate=rate)
                whole = isinstance(value, np.ndarray) and value.shape == sound.shape and np.isfinite(value).all()
                if not whole:
                    raise _refused(AUDIOMENTATIONS, text, f"gives {_described(value)}, not finite {list(sound.shape)}")
            found[n] = value
    return found


def _applied(key: str, text: str, step: Callable[..., Any], value: Any, **named: Any) -> Any:
    try:
        return step(value, **named)
    except Exception as error:  # whatever a library raises
        raise _refused(key, text, f"{type(error).__name__}: {error}") from error


@lru_cache(maxsize=4)
def _made(key: str, texts: tuple[str, ...]) -> Sequence[Callable[..., Any]]:
    """The transforms themselves."""
    module = _library(key)
    found = []
    for text in texts:
        try:
            wanted = parse_transform(text, key)
        except InvalidKeyError as error:
            raise _refused(key, text, error.reason) from error
        cls = getattr(module, wanted.name, None)
        if not isinstance(cls, type) or wanted.name.startswith("_"):
            raise _refused(key, text, f"{_WHERE[key]} has no such transform")
        try:
            made: Any = cls(**wanted.arguments)
        except Exception as error:  # whatever a library raises
            raise _refused(key, text, f"{type(error).__name__}: {error}") from error
        found.append(made)
    return found


def _library(key: str) -> ModuleType:
    try:
        if key == TORCHVISION:
            import_library(key)
        return importlib.import_module(_WHERE[key])
    except (ModuleNotFoundError, DimmerError) as error:
        name = error.name if isinstance(error, ModuleNotFoundError) else None
        cause = error.__cause__ if name is None else error
        if isinstance(cause, ModuleNotFoundError):
            raise DimmerError(
                f"train.augmentation.{key}: {cause.name} is not installed: pip install 'dimmer-nn[augment]'"
            ) from error
        raise


def _seeds(rng: Draws, count: int) -> list[int]:
    return [int(seed) for seed in rng.integers(0, _HIGHEST_SEED, count)]


def _begin(seed: int) -> None:
    """Every generator that a library may draw from begins here."""
    # Not those of GPUs, which are not brought back afterwards.
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


@contextmanager
def _kept() -> Iterator[None]:
    """The process's generators are afterwards as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def _described(value: Any) -> str:
    if isinstance(value, torch.Tensor | np.ndarray):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    return type(value).__name__


def _refused(key: str, text: str, reason: str) -> DimmerError:
    return DimmerError(f"train.augmentation.{key}: {shown(text)}: {plain(' '.join(reason.split()))}")
