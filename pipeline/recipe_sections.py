"""The sections of a recipe: what each key means, its default, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from dimmer.pipeline.data import SHAPES
from dimmer.pipeline.modes.mode import BITS, FULL_BITS
from dimmer.pipeline.networks import FAMILIES, NetworkConfig, ResNetConfig
from dimmer.pipeline.networks.gates.budget import GateConfig

METHODS = ("minmax", "percentile", "mse", "entropy")
PRECISIONS = ("fp32", "bf16")


class InvalidKey(Exception):
    """A value that its section refuses; the loader adds file and line."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _require(condition: bool, key: str, message: str) -> None:
    if not condition:
        raise InvalidKey(key, message)


@dataclass(frozen=True)
class ModelSection:
    """The network and its data set.

    Attributes:
        family: network family.
        dataset: name of the data set; it gives image size, channels and classes.
        mandatory: mandatory blocks of each stage.
        skippable: skippable blocks of each stage.
        widths: channels of each stage.
        bits: widths that every block can run with; 8 is one of them.
    """

    family: str
    dataset: str
    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    bits: tuple[int, ...] = (FULL_BITS,)

    def __post_init__(self) -> None:
        _require(self.family in FAMILIES, "family", f"must be one of {', '.join(FAMILIES)}")
        _require(self.dataset in SHAPES, "dataset", f"must be one of {', '.join(SHAPES)}")
        _require(len(self.mandatory) > 0 and min(self.mandatory) >= 1, "mandatory", "must be at least 1 in every stage")
        same = "must have one entry a stage, as many as mandatory"
        _require(len(self.skippable) == len(self.mandatory), "skippable", same)
        _require(min(self.skippable) >= 0, "skippable", "must not be negative")
        _require(len(self.widths) == len(self.mandatory), "widths", same)
        _require(min(self.widths) >= 1, "widths", "must be at least 1")
        known = FULL_BITS in self.bits and len(set(self.bits)) == len(self.bits) and set(self.bits) <= set(BITS) - {0}
        _require(known, "bits", "must hold 8 and may hold 4 and 2, each once")

    def config(self) -> NetworkConfig:
        """The network's configuration."""
        shape = SHAPES[self.dataset]
        height, width, channels = shape.image_shape
        return ResNetConfig(
            self.mandatory, self.skippable, self.widths, channels, (height, width), shape.classes, self.bits
        )


@dataclass(frozen=True)
class Augmentation:
    """What is done to each training image; each step is off at its default.

    Attributes:
        pad: border in pixels before a random crop back to size: shifts by up to this many pixels.
        pad_value: grey value of the border, 0 to 255.
        flip: mirror half of the images left to right.
        rotate: largest rotation to either side, degrees.
        zoom: largest change of size, as a fraction.
    """

    pad: int = 0
    pad_value: int = 128
    flip: bool = False
    rotate: float = 0.0
    zoom: float = 0.0

    def __post_init__(self) -> None:
        _require(self.pad >= 0, "pad", "must not be negative")
        _require(0 <= self.pad_value <= 255, "pad_value", "must be 0 to 255")
        _require(0 <= self.rotate <= 180, "rotate", "must be 0 to 180 degrees")
        _require(0 <= self.zoom < 1, "zoom", "must be at least 0 and under 1")


@dataclass(frozen=True)
class TrainSection:
    """Training: SGD with Nesterov momentum, linear warm-up, then cosine to zero.

    Attributes:
        epochs: passes over the training set.
        batch: images a step; a rest smaller than a batch is left out of the epoch.
        lr: peak learning rate.
        momentum: Nesterov momentum.
        weight_decay: of convolution and linear weights; norms and biases have none.
        warmup: fraction of all steps in which the learning rate rises.
        alpha: balance of Algorithm 1: 2 alpha weighs the super-net's label loss, 2 (1 - alpha) the base-net's
            distillation. The factor 2 lets alpha = 0.5 train the super-net with the label gradient that a network
            trained alone gets.
        temperature: of the distillation's softmax.
        base_label_weight: an additional label loss for the base-net; 0 in the paper.
        seed: of weights, order and augmentation.
        precision: fp32, or bf16 for mixed precision with float32 weights, sums and norm statistics.
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
    precision: str = "fp32"
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        _require(self.epochs >= 1, "epochs", "must be at least 1")
        _require(self.batch >= 2, "batch", "must be at least 2")
        _require(self.lr > 0, "lr", "must be positive")
        _require(0 < self.momentum < 1, "momentum", "must lie between 0 and 1")
        _require(self.weight_decay >= 0, "weight_decay", "must not be negative")
        _require(0 <= self.warmup < 1, "warmup", "must be at least 0 and under 1")
        _require(0 < self.alpha < 1, "alpha", "must lie between 0 and 1")
        _require(self.temperature > 0, "temperature", "must be positive")
        _require(self.seed >= 0, "seed", "must not be negative")
        _require(self.base_label_weight >= 0, "base_label_weight", "must not be negative")
        _require(self.precision in PRECISIONS, "precision", f"must be one of {', '.join(PRECISIONS)}")


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
    """

    epochs: int = 0
    lr: float = 0.05
    warmup: float = 0.05
    uniform: float = 0.5
    alpha: float = 0.5
    share: float = 1.0
    precision: str = "fp32"
    norm_epochs: int = 0
    norm_lr: float = 0.05

    def __post_init__(self) -> None:
        _require(self.epochs >= 0, "epochs", "must not be negative")
        _require(self.norm_epochs >= 0, "norm_epochs", "must not be negative")
        _require(self.lr > 0, "lr", "must be positive")
        _require(self.norm_lr > 0, "norm_lr", "must be positive")
        _require(0 <= self.warmup < 1, "warmup", "must be at least 0 and under 1")
        _require(0 <= self.uniform <= 1, "uniform", "must be 0 to 1")
        _require(0 < self.alpha < 1, "alpha", "must be over 0 and under 1")
        _require(0 < self.share <= 1, "share", "must be over 0 and at most 1")
        _require(self.precision in PRECISIONS, "precision", f"must be one of {', '.join(PRECISIONS)}")


@dataclass(frozen=True)
class AverageSection:
    """Stochastic weight averaging (Izmailov et al., 2018) after the epochs of [qat], with their other settings.

    Attributes:
        epochs: passes over the training set with a constant learning rate; 0 for none.
        lr: that learning rate; it rises within the first of these epochs.
        lead: how many of them come before the mean of the weights, step by step, begins.
        prune: share of the images with less than the mean loss that each epoch leaves out (`pipeline.pruning`).
        tune_epochs: epochs that go on from the mean, with all images.
        tune_lr: their peak learning rate; warm-up, then cosine to zero.
    """

    epochs: int = 0
    lr: float = 0.03
    lead: int = 0
    prune: float = 0.0
    tune_epochs: int = 0
    tune_lr: float = 0.01

    def __post_init__(self) -> None:
        _require(self.epochs >= 0, "epochs", "must not be negative")
        _require(self.lr > 0, "lr", "must be positive")
        _require(0 <= self.lead < max(1, self.epochs), "lead", "must be at least 0 and under average.epochs")
        _require(0 <= self.prune < 1, "prune", "must be at least 0 and under 1")
        tuned = self.tune_epochs == 0 or (self.tune_epochs > 0 and self.epochs > 0)
        _require(tuned, "tune_epochs", "must not be negative, and 0 where average.epochs is")
        _require(self.tune_lr > 0, "tune_lr", "must be positive")


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
        _require(self.epochs >= 0, "epochs", "must not be negative")
        _require(not self.widths or min(self.widths) >= 1, "widths", "must be at least 1")
        _require(bool(self.widths) or not self.epochs, "widths", "must have one entry a stage")
        _require(self.lr > 0, "lr", "must be positive")
        _require(0 < self.weight <= 1, "weight", "must be over 0 and at most 1")
        _require(self.temperature > 0, "temperature", "must be positive")


@dataclass(frozen=True)
class PolishSection:
    """Last epochs, in float32: each step one mode alone learns from the super-net as it was before them.

    Attributes:
        epochs: passes over the training set; 0 for none.
        lr: peak learning rate; warm-up as in [qat], then cosine to zero.
        lowest: share of the steps that super-net (two of three) and base-net have with all blocks at the lowest width;
            the rest is theirs, evenly, at the other widths.
    """

    epochs: int = 0
    lr: float = 0.02
    lowest: float = 0.6

    def __post_init__(self) -> None:
        _require(self.epochs >= 0, "epochs", "must not be negative")
        _require(self.lr > 0, "lr", "must be positive")
        _require(0 <= self.lowest <= 1, "lowest", "must be 0 to 1")


@dataclass(frozen=True)
class GatesSection:
    """Gates that choose bits input by input (`pipeline.train_gates`), trained in three steps.

    Attributes:
        options: bits that a gate chooses from, falling; 0 is for skippable blocks.
        features: outputs of each block's 1x1 convolution.
        hidden: units of the recurrent cell.
        warmup_epochs: first step, towards the best static mode of each budget.
        front_images: training images on which those are found.
        epochs: second step, towards the budgets; 0 for a model without gates.
        tune_epochs: third step, as the second with a falling learning rate and the backbone frozen.
        images: training images an epoch; 0 for all.
        batch: images a step.
        lr: of the gates (Adam); thirty times as much in the warm-up.
        backbone_lr: of the backbone in the second step (SGD); 0 keeps it frozen, so that every static mode stays as it
            was, to the bit.
        cost_weight: of the cost against the label loss.
        dead_band: half width of the controller's dead band, as a fraction of the budget.
        lowest_budget: budgets are drawn from here to 1, evenly in their logarithm.
        budgets_per_batch: how many; each holds for an equal part of the batch.
        budgets: those that are measured, falling.
        reference_bits: width of the super-net whose cost is 1; Shen et al. count against 32.
    """

    options: tuple[int, ...] = (8, 4, 2, 0)
    features: int = 8
    hidden: int = 16
    warmup_epochs: int = 3
    front_images: int = 500
    epochs: int = 0
    tune_epochs: int = 2
    images: int = 0
    batch: int = 128
    lr: float = 0.0001
    backbone_lr: float = 0.0
    cost_weight: float = 0.3
    dead_band: float = 0.05
    lowest_budget: float = 0.05
    budgets_per_batch: int = 4
    budgets: tuple[float, ...] = (0.8, 0.6, 0.4, 0.25, 0.15, 0.1)
    reference_bits: int = FULL_BITS

    def __post_init__(self) -> None:
        falling = all(a > b for a, b in zip(self.options, self.options[1:], strict=False))
        known = set(self.options) <= {32, 16, *BITS} and FULL_BITS in self.options and len(self.options) <= 4
        _require(falling and known, "options", "must fall and hold 8, with at most three more of 32, 16, 4, 2 and 0")
        _require(1 <= self.features <= 32, "features", "must be 1 to 32")
        _require(1 <= self.hidden <= 32, "hidden", "must be 1 to 32")
        for key in ("warmup_epochs", "epochs", "tune_epochs", "images"):
            _require(getattr(self, key) >= 0, key, "must not be negative")
        _require(self.front_images >= 1, "front_images", "must be at least 1")
        _require(self.batch >= 2, "batch", "must be at least 2")
        _require(self.lr > 0, "lr", "must be positive")
        _require(self.backbone_lr >= 0, "backbone_lr", "must not be negative")
        _require(self.cost_weight > 0, "cost_weight", "must be positive")
        _require(0 <= self.dead_band < 1, "dead_band", "must be at least 0 and under 1")
        _require(0 < self.lowest_budget < 1, "lowest_budget", "must lie between 0 and 1")
        parts = 1 <= self.budgets_per_batch <= self.batch
        _require(parts, "budgets_per_batch", "must be at least 1 and at most the images of a batch")
        drop = all(a > b for a, b in zip(self.budgets, self.budgets[1:], strict=False))
        inside = bool(self.budgets) and all(0 < b <= 1 for b in self.budgets)
        _require(drop and inside, "budgets", "must fall, from 1 to over 0")
        _require(self.reference_bits in (8, 16, 32), "reference_bits", "must be 8, 16 or 32")

    def config(self) -> GateConfig:
        """The gates' shape."""
        return GateConfig(self.options, self.features, self.hidden)


@dataclass(frozen=True)
class CalibrationSection:
    """Ranges of the activations.

    Attributes:
        images: training images whose activations are observed.
        percentile: of the percentile method, in percent.
        methods: range estimators to try; for each tensor the one that disturbs the logits least is kept.
        recalibrate_bn: give each mixed depth pattern batch-norm statistics of its own.
        bn_images: training images for those statistics.
    """

    images: int = 256
    percentile: float = 99.99
    methods: tuple[str, ...] = METHODS
    recalibrate_bn: bool = True
    bn_images: int = 2000

    def __post_init__(self) -> None:
        _require(self.images >= 1, "images", "must be at least 1")
        _require(50 < self.percentile <= 100, "percentile", "must be over 50 and at most 100")
        known = bool(self.methods) and set(self.methods) <= set(METHODS)
        _require(known, "methods", f"must name at least one of {', '.join(METHODS)}")
        _require(self.bn_images >= 2, "bn_images", "must be at least 2")


@dataclass(frozen=True)
class SelectionSection:
    """Which modes are published: super-net, base-net, and of the others those that `calibration.selection` keeps.

    Attributes:
        force: modes to publish whatever their accuracy, as written (``88.80.80``); ("all",) for all depth patterns at
            every width.
        search: modes with mixed widths, found by sensitivity, that are looked at where there is more than one width.
        limit: at most this many modes are published; forced ones, super-net and base-net always.
        images: training images for the search.
    """

    force: tuple[str, ...] = ()
    search: int = 8
    limit: int = 12
    images: int = 512

    def __post_init__(self) -> None:
        _require(self.search >= 0, "search", "must not be negative")
        _require(2 <= self.limit <= 32, "limit", "must be 2 to 32")
        _require(self.images >= 1, "images", "must be at least 1")


@dataclass(frozen=True)
class VerifySection:
    """How many test images every mode must get bit for bit right."""

    images: int = 100

    def __post_init__(self) -> None:
        _require(self.images >= 1, "images", "must be at least 1")


@dataclass(frozen=True)
class PolicySection:
    """When the firmware turns the network down.

    Attributes:
        tiers: charge thresholds in permille, falling; under the first the second-best mode runs, and so on.
        hysteresis_permille: how far the charge must rise over a threshold before the better mode returns.
        dwell_s: shortest time between two changes upward, seconds.
        budgets: of the gates, falling, one for each tier and one more below the last threshold: the tiers are then
            gated. Empty for static modes.
    """

    tiers: tuple[int, ...] = (600, 400, 200)
    hysteresis_permille: int = 30
    dwell_s: int = 60
    budgets: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        given = not self.budgets or len(self.budgets) == len(self.tiers) + 1
        falling = all(a > b for a, b in zip(self.budgets, self.budgets[1:], strict=False))
        _require(given and falling, "budgets", "must fall, one more than tiers")
        _require(all(0 < b <= 1 for b in self.budgets), "budgets", "must be over 0 and at most 1")
        falling = all(a > b for a, b in zip(self.tiers, self.tiers[1:], strict=False))
        _require(falling and all(0 < t < 1000 for t in self.tiers), "tiers", "must fall, from 999 permille to 1")
        _require(0 <= self.hysteresis_permille < 1000, "hysteresis_permille", "must be 0 to 999")
        _require(self.dwell_s >= 0, "dwell_s", "must not be negative")
