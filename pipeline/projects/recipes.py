# SPDX-License-Identifier: Apache-2.0
"""A recipe for data of one's own: a network and a training of a size that fits it."""

from __future__ import annotations

import dataclasses

from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.data.heard import AUDIO, Heard
from dimmer.pipeline.data.own import ANOMALY, OWN, RECORDINGS, DataSection, shape_of
from dimmer.pipeline.projects.sections import section_text
from dimmer.pipeline.projects.wanted import TEMPLATE, AdaptedModel, OwnSamples
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.project import MODELS

STEPS = 500
"""Batches that a training takes, as near as whole epochs allow."""
FEWEST_EPOCHS, MOST_EPOCHS = 10, 60
SMALL, SMALL_BATCH, BATCH = 2000, 32, 64
KEPT_EPOCHS, KEPT_LR = 4, 0.005
"""Of a training that keeps what a network knows already."""
AUTOENCODER, DENSE, DENSE_LR = "autoencoder", (64, 8, 64), 0.05
"""A network for anomalies: the stage in the middle is the bottleneck."""
HEARD, HEARD_WIDTHS, HEARD_BLOCKS, HEARD_STEPS = "ds_cnn", (64, 96), 2, 3000
"""A network for rows of features: 1.1 million MACs for a second of 12 words; it learns for longer than others."""
_TAPS = 10
"""Rows that its first convolution sees, as that of Zhang et al. (2017)."""
PUBLISHED = 4
"""Modes: each takes time to convert and to verify, and one can ask for more."""


def recipe_text(own: OwnSamples) -> str:
    """recipe.toml, without comments."""
    section, samples = own.section, own.samples
    shape = section.inputs[0].shape if section.inputs else shape_of(section, own.heard).image_shape
    anomaly = section.task == ANOMALY
    heard = own.heard is not None and not anomaly
    widths = DENSE if anomaly else HEARD_WIDTHS if heard else _widths(shape, samples)
    training = max(2, round(samples * (1 - section.val - section.test)))
    batch = min(SMALL_BATCH if training < SMALL else BATCH, max(2, training // 2))
    epochs = min(max(round((HEARD_STEPS if heard else STEPS) * batch / training), FEWEST_EPOCHS), MOST_EPOCHS)
    model: dict[str, Json] = {
        "family": AUTOENCODER if anomaly else HEARD if heard else load_recipe(MODELS / TEMPLATE).model.family,
        "dataset": OWN,
        "mandatory": [HEARD_BLOCKS if heard else 1] * len(widths),
        "skippable": [1] * len(widths),
        "widths": list(widths),
    }
    if heard:
        # Rows are positions, their values channels: 1x10 here sees what 10x10 does of a picture of them.
        model |= {"kernel": [1, min(_TAPS, shape[1])], "strides": [1, 2]}
    train: dict[str, Json] = {
        "epochs": epochs,
        "batch": batch,
        "lr": DENSE_LR if anomaly else 0.1,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "warmup": 0.1,
        "alpha": 0.5,
        "temperature": 2.0,
        "seed": 1,
    }
    parts = [section_text("model", model), section_text("data", _written(section)), *_ends(section)]
    parts.append(section_text("train", train))
    if not anomaly and not section.inputs and (pad := _shift(section, shape)):
        parts.append(
            section_text("train.augmentation", {"pad": pad, "pad_value": 128 if section.kind == RECORDINGS else 0})
        )
    if own.heard is not None:
        parts += _features(own.heard)
    parts.append(section_text("selection", {"limit": PUBLISHED}))
    parts.append(section_text("policy", {"tiers": [600, 400, 200], "hysteresis_permille": 30, "dwell_s": 60}))
    return "\n".join(parts)


def adapted_text(adapted: AdaptedModel, own: OwnSamples | None) -> str:
    """recipe.toml of an adapted network, without comments.

    Args:
        own: data of one's own; None where it is a known data set.
    """
    model: dict[str, Json] = {"family": "adapted", "dataset": OWN if own else adapted.dataset, **adapted.keys}
    train: dict[str, Json] = {
        "epochs": KEPT_EPOCHS if adapted.pretrained else FEWEST_EPOCHS,
        "batch": SMALL_BATCH,
        "lr": KEPT_LR if adapted.pretrained else 10 * KEPT_LR,
        "momentum": 0.9,
        "weight_decay": 1e-4,
        "warmup": 0.1,
        "alpha": 0.5,
        "temperature": 1.0,
        "seed": 1,
    }
    parts = [section_text("model", model)]
    if own is not None:
        parts.append(section_text("data", _written(own.section)))
        if own.heard is not None:
            parts += _features(own.heard)
    parts += [section_text("train", train), section_text("selection", {"force": ["all"]})]
    parts.append(section_text("policy", {"tiers": [600, 400, 200], "hysteresis_permille": 30, "dwell_s": 60}))
    return "\n".join(parts)


def _features(heard: Heard) -> list[str]:
    parts = [section_text("features", {"kind": heard.kind})]
    if heard.kind == AUDIO:
        keys = {f.name: getattr(heard.keys, f.name) for f in dataclasses.fields(heard.keys)}
        parts.append(section_text("features.audio", keys))
    return parts


def _widths(shape: tuple[int, int, int], samples: int) -> tuple[int, ...]:
    """Three stages, or fewer where the last one would have less than eight positions of a series, or two pixels."""
    height, width, _ = shape
    if height > 1:
        # Few images fill no wide network, and a narrow one is trained in minutes.
        wanted = (8, 16, 32) if samples < SMALL else (16, 32, 64)
        return wanted[: max(1, min(3, min(height, width).bit_length() - 1))]
    return (16, 32, 32)[: max(1, min(3, (width // 8).bit_length()))]


def _shift(section: DataSection, shape: tuple[int, int, int]) -> int:
    """By how many pixels, or positions of a recording, training shifts samples."""
    height, width, _ = shape
    if section.kind == RECORDINGS:
        return max(1, width // 16)
    return max(1, min(height, width) // 14) if height > 1 else 0


def _written(section: DataSection) -> dict[str, Json]:
    """The keys that are not at their defaults, and those that one will want to see."""
    always = {"kind", "path", "task", "classes", "val", "test"}
    of_ends = {"inputs", "outputs"} | ({"task", "classes", "label"} if section.outputs else set())
    found: dict[str, Json] = {}
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if field.name in of_ends:
            continue
        if field.name in always or value != field.default:
            found[field.name] = list(value) if isinstance(value, tuple) else value
    if section.shape.image_shape[0] > 1:
        found["size"] = list(section.size)
    return found


def _ends(section: DataSection) -> list[str]:
    """Tables of several inputs and outputs, those of their keys that are not at their defaults."""
    parts = []
    for name, ends in (("inputs", section.inputs), ("outputs", section.outputs)):
        for one in ends:
            values = {field.name: (getattr(one, field.name), field.default) for field in dataclasses.fields(one)}
            keys: dict[str, Json] = {
                key: list(value) if isinstance(value, tuple) else value
                for key, (value, default) in values.items()
                if value != default
            }
            parts.append(section_text(f"[data.{name}]", keys))
    return parts
