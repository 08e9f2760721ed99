# SPDX-License-Identifier: Apache-2.0
"""Transforms of augmentation libraries, as a recipe names them: ``ColorJitter(brightness=0.3, hue=0.1)``."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from dimmer.pipeline.core.checks import require

TORCHVISION, AUDIOMENTATIONS = "torchvision", "audiomentations"
"""Keys of [train.augmentation], and the packages that they are of."""

# Computed, so that only trainings depend on it that have such transforms.
LIBRARY = ".".join((*__name__.split(".")[:2], "training", "library"))
"""Full name of the module that applies them."""

Literal = int | float | str | bool | None | list["Literal"] | tuple["Literal", ...]
"""What an argument may be: as Python writes it."""

_LIKE = 'must be a name with arguments, such as "GaussianBlur(kernel_size=3)"'


@dataclass(frozen=True)
class Transform:
    """One transform.

    Attributes:
        name: its class in the library.
        arguments: by their names.
    """

    name: str
    arguments: Mapping[str, Literal]


def parse_transform(text: str, key: str) -> Transform:
    """A transform from its text.

    Args:
        key: of the recipe that has it.

    Raises:
        InvalidKeyError: it is none; files are refused, since nothing would notice that one changed.

    Examples:
        >>> parse_transform("RandomRotation(degrees=[-5, 5])", "torchvision")
        Transform(name='RandomRotation', arguments={'degrees': [-5, 5]})
        >>> parse_transform("AutoAugment", "torchvision").name
        'AutoAugment'
    """
    try:
        found = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = None
    if isinstance(found, ast.Name):
        return Transform(found.id, {})
    if not isinstance(found, ast.Call) or not isinstance(found.func, ast.Name) or found.args:
        require(False, key, _LIKE)
        raise AssertionError
    arguments: dict[str, Literal] = {}
    for one in found.keywords:
        require(one.arg is not None, key, _LIKE)
        name = str(one.arg)
        # A relative path would count from wherever the command is typed, and its contents would be in no stage's key.
        require(not name.endswith(("path", "paths")), key, f"names files ({name}): transforms of files are not taken")
        try:
            arguments[name] = ast.literal_eval(one.value)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            require(False, key, f"{name} must be a number, a text, true or false as Python writes them, or a list")
    return Transform(found.func.id, arguments)
