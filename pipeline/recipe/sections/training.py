# SPDX-License-Identifier: Apache-2.0
"""[train], [teacher], [qat], [polish]: how weights are learnt."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from dimmer.pipeline.core.checks import MOST_BATCH, MOST_CHANNELS, MOST_EPOCHS, MOST_LR, OneOf, bounded, require
from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.recipe.sections.transforms import AUDIOMENTATIONS, TORCHVISION, parse_transform

if TYPE_CHECKING:
    from dimmer.pipeline.recipe.sections.network import ModelSection

MOST_SEED = 0xFFFF_FFFF

SGD, ADAMW = OPTIMIZERS = ("sgd", "adamw")
PRECISIONS = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Augmentation:
    """What is done to each training image; each step is off at its default.

    Attributes:
        pad: border in pixels before a random crop back to size: shifts by up to this many pixels.
        pad_value: grey value of the border, 0 to 255.
        flip: mirror half of the images left to right.
        rotate: largest rotation to either side, degrees.
        zoom: largest change of size, as a fraction.
        torchvision: transforms of torchvision.transforms.v2 for each image, in their order, before those above:
            "ColorJitter(brightness=0.3)". They keep its size.
        audiomentations: transforms of audiomentations for each window of a recording, in their order, before the front
            end hears it: "AddGaussianNoise(p=0.5)". They keep its length.
        least_area: a part of the image of this share of its area to all of it, of proportions up to 4 : 3, is brought
            to the whole's size (Szegedy et al., 2015); of photographs 0.08.
    """

    pad: int = 0
    pad_value: int = 128
    flip: bool = False
    rotate: float = 0.0
    zoom: float = 0.0
    torchvision: tuple[str, ...] = ()
    audiomentations: tuple[str, ...] = ()
    least_area: float = 1.0

    def __post_init__(self) -> None:
        bounded(self.pad, 0, 1024, "pad")
        require(0 <= self.pad_value <= 255, "pad_value", "must be 0 to 255")
        require(0 <= self.rotate <= 180, "rotate", "must be 0 to 180 degrees")
        require(0 <= self.zoom < 1, "zoom", "must be at least 0 and under 1")
        bounded(self.least_area, 0, 1, "least_area", over=True)
        for key in (TORCHVISION, AUDIOMENTATIONS):
            for text in getattr(self, key):
                parse_transform(text, key)

    @property
    def libraries(self) -> tuple[str, ...]:
        """Packages whose transforms are asked for."""
        return tuple(key for key in (TORCHVISION, AUDIOMENTATIONS) if getattr(self, key))


@dataclass(frozen=True)
class TrainSection:
    """Training: SGD with Nesterov momentum, or AdamW; linear warm-up, then cosine to zero, or steps.

    Attributes:
        epochs: passes over the training set.
        batch: images a step; a rest smaller than a batch is left out of the epoch.
        lr: peak learning rate.
        momentum: Nesterov momentum; of AdamW the decay of the mean, whose squares decay by 0.999.
        weight_decay: of convolution and linear weights; norms and biases have none.
        warmup: fraction of all steps in which the learning rate rises.
        alpha: balance of Algorithm 1: 2 alpha weighs the super-net's label loss, 2 (1 - alpha) the base-net's
            distillation. The factor 2 lets alpha = 0.5 train the super-net with the label gradient that a network
            trained alone gets.
        temperature: of the distillation's softmax.
        base_label_weight: an additional label loss for the base-net; 0 in the paper.
        base_labels: share of the base-net's loss that is its label loss; distillation from the super-net has the rest.
            0 in the paper; 1 trains it without distillation.
        base_start: share of the float training's steps after which the base-net begins to learn; 0 in the paper.
        mutual: weight of a further loss of the super-net: its distillation from the base-net's detached logits; 0 in
            the paper (Zhang et al., Deep Mutual Learning, 2018).
        own_classifier: the base-net has a classifier of its own. Such a network is for experiments: it cannot be
            calibrated and deployed.
        shared_norms: norms have no twins, super-net and base-net share theirs: the paper's ablation. For experiments,
            as ``own_classifier``.
        seed: of weights, order and augmentation.
        precision: fp32, or bf16 for mixed precision with float32 weights, sums and norm statistics; fp16 is for CUDA
            GPUs without bfloat16, with scaled losses.
        accumulate: parts of a batch that are computed one after the other, and whose gradients are added up: less
            memory, the same step. Batch norms see each part alone.
        optimizer: sgd, or adamw (Loshchilov & Hutter, 2019).
        nesterov: whether SGD looks ahead.
        drops: float epochs after which the learning rate falls to a tenth, in place of the cosine.
        label_smoothing: share of the label's weight that all classes have alike, in the super-net's loss.
        augmentation: of the training images.
    """

    epochs: int
    batch: int
    lr: float
    momentum: float
    weight_decay: float
    warmup: float
    alpha: float
    temperature: float
    seed: int
    base_label_weight: float = 0.0
    base_labels: float = 0.0
    base_start: float = 0.0
    mutual: float = 0.0
    own_classifier: bool = False
    shared_norms: bool = False
    precision: Annotated[str, OneOf(PRECISIONS)] = "fp32"
    accumulate: int = 1
    optimizer: Annotated[str, OneOf(OPTIMIZERS)] = SGD
    nesterov: bool = True
    drops: tuple[int, ...] = ()
    label_smoothing: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        bounded(self.epochs, 1, MOST_EPOCHS, "epochs")
        bounded(self.batch, 2, MOST_BATCH, "batch")
        bounded(self.lr, 0, MOST_LR, "lr", over=True)
        require(0 < self.momentum < 1, "momentum", "must lie between 0 and 1")
        bounded(self.weight_decay, 0, 10, "weight_decay")
        require(0 <= self.warmup < 1, "warmup", "must be at least 0 and under 1")
        require(0 < self.alpha < 1, "alpha", "must lie between 0 and 1")
        bounded(self.temperature, 0, 10_000, "temperature", over=True)
        bounded(self.seed, 0, MOST_SEED, "seed")
        bounded(self.base_label_weight, 0, 1000, "base_label_weight")
        require(0 <= self.base_labels <= 1, "base_labels", "must be 0 to 1")
        require(0 <= self.base_start < 1, "base_start", "must be at least 0 and under 1")
        bounded(self.mutual, 0, 1000, "mutual")
        require(self.precision in PRECISIONS, "precision", f"must be one of {', '.join(PRECISIONS)}")
        require(self.optimizer in OPTIMIZERS, "optimizer", f"must be one of {', '.join(OPTIMIZERS)}")
        rising = list(self.drops) == sorted(set(self.drops)) and all(0 < drop < self.epochs for drop in self.drops)
        require(rising, "drops", f"must be rising epochs of 1 to {self.epochs - 1}")
        require(0 <= self.label_smoothing < 1, "label_smoothing", "must be at least 0 and under 1")
        bounded(self.accumulate, 1, self.batch, "accumulate")
        require(self.batch % self.accumulate == 0, "accumulate", f"must divide batch, {self.batch}")

    def without_base(self) -> TrainSection:
        """The section of a plain network, which has no base-net beside it: what is the base-net's is left out."""
        return dataclasses.replace(self, **LATER_KEYS)  # type: ignore[arg-type]


LATER_KEYS: Mapping[str, float | bool] = {
    "base_labels": 0.0,
    "base_start": 0.0,
    "mutual": 0.0,
    "own_classifier": False,
    "shared_norms": False,
}
"""Keys of [train] for the base-net that came later, with their defaults: at these they are in no hash, so that what was
trained before they were there is known by what it was."""

LATER_FOR_ALL: Mapping[str, int | str | bool | float | tuple[int, ...]] = {
    "accumulate": 1,
    "optimizer": SGD,
    "nesterov": True,
    "drops": (),
    "label_smoothing": 0.0,
}
"""Those that came later and are for every network."""

LATER_OF_WIDTHS: Mapping[str, float | bool] = {"frozen": False, "sampled": 1, "mixed": 0.0}
"""Those of [qat] and [polish]."""


@dataclass(frozen=True)
class QatSection:
    """Quantisation-aware training of the widths under 8, after the float training and with the rest of its settings.

    Attributes:
        epochs: passes over the training set; 0 for none, and then the model has no narrow widths.
        lr: peak learning rate; warm-up, then cosine to zero again.
        warmup: fraction of these epochs' steps in which the learning rate rises.
        uniform: share of the sampled modes that run all blocks of super-net or base-net with one narrow width; the
            others draw depth and the bits of each block.
        alpha: in place of ``train.alpha``: weight of the label loss against each distillation loss.
        share: part of a batch that base-net and sampled mode learn from, each from its own end of it; the super-net
            sees all of it. A half takes a quarter less time than 1, which is the paper's.
        precision: as ``train.precision``, of these epochs.
        norm_epochs: further epochs in which only the norms of the narrow widths learn, each in super-net and base-net
            with all blocks at its width; everything at 8 bits stays as it is.
        norm_lr: peak learning rate of those.
        frozen: super-net and base-net at 8 bits each learn from their own logits of before these epochs, and sampled
            modes from the super-net's of then: neither labels nor a teacher count.
        sampled: how many modes learn beside super-net and base-net in a step: 1 as ``uniform`` says, or 2, a uniform
            one and one of mixed widths (the sandwich rule of Yu and Huang, 2019).
    """

    epochs: int = 0
    lr: float = 0.05
    warmup: float = 0.05
    uniform: float = 0.5
    alpha: float = 0.5
    share: float = 1.0
    precision: Annotated[str, OneOf(PRECISIONS)] = "fp32"
    norm_epochs: int = 0
    norm_lr: float = 0.05
    frozen: bool = False
    sampled: int = 1

    def __post_init__(self) -> None:
        bounded(self.epochs, 0, MOST_EPOCHS, "epochs")
        bounded(self.norm_epochs, 0, MOST_EPOCHS, "norm_epochs")
        require(self.epochs > 0 or not self.norm_epochs, "norm_epochs", "must be 0 where qat.epochs is")
        bounded(self.lr, 0, MOST_LR, "lr", over=True)
        bounded(self.norm_lr, 0, MOST_LR, "norm_lr", over=True)
        require(0 <= self.warmup < 1, "warmup", "must be at least 0 and under 1")
        require(0 <= self.uniform <= 1, "uniform", "must be 0 to 1")
        require(0 < self.alpha < 1, "alpha", "must be over 0 and under 1")
        require(0 < self.share <= 1, "share", "must be over 0 and at most 1")
        bounded(self.sampled, 1, 2, "sampled")
        require(self.precision in PRECISIONS, "precision", f"must be one of {', '.join(PRECISIONS)}")


@dataclass(frozen=True)
class TeacherSection:
    """A wider network of the same depth, trained first, from which the super-net learns beside the labels.

    Attributes:
        widths: channels of each stage.
        epochs: of its training, else with the settings of [train]; 0 for no teacher.
        lr: its peak learning rate.
        weight: share of its distillation in the super-net's loss; the labels have the rest.
        temperature: of the distillation's softmax.
    """

    widths: tuple[int, ...] = ()
    epochs: int = 0
    lr: float = 0.1
    weight: float = 0.5
    temperature: float = 4.0

    def __post_init__(self) -> None:
        bounded(self.epochs, 0, MOST_EPOCHS, "epochs")
        for width in self.widths:
            bounded(width, 1, MOST_CHANNELS, "widths")
        require(bool(self.widths) or not self.epochs, "widths", "must have one entry a stage")
        bounded(self.lr, 0, MOST_LR, "lr", over=True)
        require(0 < self.weight <= 1, "weight", "must be over 0 and at most 1")
        bounded(self.temperature, 0, 10_000, "temperature", over=True)


@dataclass(frozen=True)
class PolishSection:
    """Last epochs, in float32: each step one mode alone learns from the super-net as it was before them.

    Attributes:
        epochs: passes over the training set; 0 for none.
        lr: peak learning rate; warm-up as in [qat], then cosine to zero.
        lowest: share of the steps that super-net (two of three) and base-net have with all blocks at the lowest width;
            the rest is theirs, evenly, at the other widths.
        mixed: share of all steps in which any depth pattern with a width of its own for each block learns instead.
    """

    epochs: int = 0
    lr: float = 0.02
    lowest: float = 0.6
    mixed: float = 0.0

    def __post_init__(self) -> None:
        bounded(self.epochs, 0, MOST_EPOCHS, "epochs")
        bounded(self.lr, 0, MOST_LR, "lr", over=True)
        require(0 <= self.lowest <= 1, "lowest", "must be 0 to 1")
        require(0 <= self.mixed <= 1, "mixed", "must be 0 to 1")


def training_hash(
    model: ModelSection, train: TrainSection, qat: QatSection, teacher: TeacherSection, polish: PolishSection
) -> str:
    """SHA-256 over the sections that a checkpoint depends on, those without epochs left out."""
    learning = dataclasses.asdict(train)
    for key, default in (*LATER_KEYS.items(), *LATER_FOR_ALL.items()):
        if learning[key] == default:
            del learning[key]
    for key in (TORCHVISION, AUDIOMENTATIONS):
        if not learning["augmentation"][key]:
            del learning["augmentation"][key]
    if learning["augmentation"]["least_area"] == 1:
        del learning["augmentation"]["least_area"]
    settings = {"model": model.keys(), "train": learning}
    if not settings["model"].get("files"):
        settings["model"].pop("files", None)
    if contents := model.config.contents():
        settings["files"] = dict(contents)
    if model.config.bits == (FULL_BITS,):
        del settings["model"]["bits"]
    else:
        settings["qat"] = _without_later(qat)
    if polish.epochs:
        settings["polish"] = _without_later(polish)
    if teacher.epochs:
        settings["teacher"] = dataclasses.asdict(teacher)
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _without_later(section: QatSection | PolishSection) -> dict[str, object]:
    keys = dataclasses.asdict(section)
    return {key: value for key, value in keys.items() if key not in LATER_OF_WIDTHS or value != LATER_OF_WIDTHS[key]}
