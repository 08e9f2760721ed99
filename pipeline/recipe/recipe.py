# SPDX-License-Identifier: Apache-2.0
"""The recipe: ``models/<name>/recipe.toml`` read into frozen, validated dataclasses.

A recipe says everything that defines a model's build. Whatever is wrong with one is told in a single line that
names file, line and key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.data.heard import Heard
from dimmer.pipeline.data.own import ANOMALY, CLASSES, OWN, RECORDINGS, DataSection
from dimmer.pipeline.data.registry import Source
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, base_mode, check_mode, depth_patterns, super_mode
from dimmer.pipeline.modes.width import BITS, falling, width_name
from dimmer.pipeline.networks.family import NO_KEYS, SEVERAL, config_class, config_keys, families
from dimmer.pipeline.recipe.read import read_section
from dimmer.pipeline.recipe.sections.duty import DutySection
from dimmer.pipeline.recipe.sections.features import NONE as NO_FEATURES
from dimmer.pipeline.recipe.sections.features import FeaturesSection
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.recipe.sections.network import ModelNames, ModelSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection, SelectionSection, VerifySection
from dimmer.pipeline.recipe.sections.training import (
    Augmentation,
    PolishSection,
    QatSection,
    TeacherSection,
    TrainSection,
    training_hash,
)
from dimmer.pipeline.recipe.sections.transforms import AUDIOMENTATIONS, LIBRARY, TORCHVISION
from dimmer.project import model_folders, model_names
from dimmer.toml import Lines, plain, read_toml, shown

MOST_GATES, MOST_MODES = 64, 255
"""What the C tables hold: DIMMER_MAX_GATES, and MAX_MODES of `firmware_gen.emit.tables`."""


@dataclass(frozen=True)
class Recipe:
    """Everything that defines a model's build.

    Attributes:
        name: the model's name: the recipe's folder.
        path: the file it was read from.
    """

    name: str
    path: Path
    model: ModelSection
    train: TrainSection
    teacher: TeacherSection
    qat: QatSection
    polish: PolishSection
    gates: GatesSection
    calibration: CalibrationSection
    selection: SelectionSection
    verify: VerifySection
    policy: PolicySection
    governor: GovernorSection
    duty: DutySection
    features: FeaturesSection

    @property
    def source(self) -> Source:
        """Where the samples are from."""
        return self.model.source(self.path)

    @property
    def modules(self) -> tuple[str, ...]:
        """Full names of the modules that are imported by name: of the network's family, the data set, augmentation."""
        libraries = self.train.augmentation.libraries
        return (*self.model.modules(self.path), *((LIBRARY, *libraries) if libraries else ()))

    def super_mode(self) -> Mode:
        """The mode in which every block is executed."""
        return super_mode(self.model.config.mandatory, self.model.config.skippable)

    def base_mode(self) -> Mode:
        """The mode in which every skippable sub-path is skipped."""
        return base_mode(self.model.config.mandatory, self.model.config.skippable)

    def depth_patterns(self, bits: int = FULL_BITS) -> tuple[Mode, ...]:
        """All depth modes at one width, from super-net to base-net."""
        return depth_patterns(self.model.config.mandatory, self.model.config.skippable, bits)

    def forced_modes(self) -> tuple[Mode, ...]:
        """The modes that ``selection.force`` asks for, and those whose blocks the gates choose from."""
        forced = tuple(Mode.parse(text) for text in self.selection.force if text != "all")
        if self.selection.force == ("all",):
            forced = tuple(mode for bits in self.model.config.bits for mode in self.depth_patterns(bits))
        return tuple(dict.fromkeys((*forced, *self.gated_modes())))

    def gated_modes(self) -> tuple[Mode, ...]:
        """Super-net and base-net at every width that the gates choose from; nothing without gates."""
        if not self.gates.epochs:
            return ()
        sizes = self.model.config.mandatory, self.model.config.skippable
        widths = [bits for bits in self.gates.options if bits and bits in BITS]
        return tuple(dict.fromkeys(make(*sizes, bits) for bits in widths for make in (super_mode, base_mode)))

    def training_hash(self) -> str:
        """SHA-256 over the sections that a checkpoint depends on."""
        return training_hash(self.model, self.train, self.qat, self.teacher, self.polish)


SECTIONS: Mapping[str, type] = {
    "train": TrainSection,
    "teacher": TeacherSection,
    "qat": QatSection,
    "polish": PolishSection,
    "gates": GatesSection,
    "calibration": CalibrationSection,
    "selection": SelectionSection,
    "verify": VerifySection,
    "policy": PolicySection,
    "governor": GovernorSection,
    "duty": DutySection,
    "features": FeaturesSection,
}
"""Every section but [model], whose keys the family knows, and [data]."""

DATA = "data"


def load_recipe(name_or_path: str | Path, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Read and check a recipe.

    Args:
        name_or_path: a model's name, a recipe file, or a folder with one.
        changes: key -> value in place of what the file says: ``{"train.epochs": 30}``.

    Raises:
        DimmerError: no such model, or the recipe is broken, as it is or by the changes.
    """
    path = find_recipe(name_or_path)
    contents, where = read_toml(path)
    for key, value in (changes or {}).items():
        _change(contents, key, value)
    known = ("model", *SECTIONS, DATA)
    for key in contents:
        if key not in known:
            raise DimmerError(f"{where.at((), key)}: unknown section [{plain(key)}]; known are: {', '.join(known)}")
    data = read_section(DataSection, contents.get(DATA, {}), (DATA,), where)
    features = read_section(FeaturesSection, contents.get("features", {}), ("features",), where)
    model = _model(contents.get("model", {}), where, data, _heard(data, features, where), path.parent)
    sections: dict[str, Any] = {
        key: read_section(cls, contents.get(key, {}), (key,), where) for key, cls in SECTIONS.items()
    }
    model = dataclasses.replace(model, sounds=bool(sections["train"].augmentation.audiomentations))
    recipe = Recipe(name=path.parent.name, path=path, model=model, **sections)
    config = recipe.model.config
    if (recipe.qat.epochs > 0) != (config.bits != (FULL_BITS,)):
        at = where.at(("qat",), "epochs")
        raise DimmerError(
            f"{at}: qat.epochs must be 1 or more where model.bits names more than 8, and 0 where it does not"
        )
    if recipe.teacher.epochs:
        try:
            config.widened(recipe.teacher.widths)
        except InvalidKeyError as error:
            at, value = where.at(("teacher",), "widths"), shown(contents["teacher"].get("widths"))
            # Of the other keys of [model] only the widths are the teacher's own.
            reason = error.reason if error.key == "widths" else f"model.{error.key} {error.reason}"
            raise DimmerError(f"{at}: teacher.widths = {value}: {reason}") from error
    if recipe.model.data.kind and recipe.model.data.task != CLASSES:
        for key, epochs in (
            ("qat", recipe.qat.epochs),
            ("gates", recipe.gates.epochs),
            ("teacher", recipe.teacher.epochs),
            ("polish", recipe.polish.epochs),
        ):
            if epochs:
                at, fits = where.at((key,), "epochs"), f'data.task = "{CLASSES}"'
                fits = "one output" if recipe.model.data.outputs else fits
                raise DimmerError(f"{at}: {key}.epochs: [{key}] is for {fits}; set it to 0")
    if recipe.model.data.inputs:
        for key, epochs, so in (
            ("qat", recipe.qat.epochs, "leave model.bits out and "),
            ("gates", recipe.gates.epochs, ""),
        ):
            if epochs:
                at = where.at((key,), "epochs")
                raise DimmerError(f"{at}: {key}.epochs: [{key}] is for one input; {so}set it to 0")
        if features.kind != NO_FEATURES:
            at, value = where.at(("features",), "kind"), shown(features.kind)
            raise DimmerError(
                f"{at}: features.kind = {value}: is for one input; of several the application gives the codes: leave "
                "it out"
            )
    if (recipe.model.data.inputs or recipe.model.data.outputs) and features.detector.classes:
        at = where.at(("features", "detector"), "classes")
        raise DimmerError(f"{at}: features.detector.classes: a detector is for one input and one output; leave it out")
    _check_libraries(recipe, where)
    if recipe.model.data.inputs and recipe.train.augmentation != Augmentation():
        at = where.at(("train", "augmentation"))
        raise DimmerError(
            f"{at}: train.augmentation: is for one input; of several change the arrays before you give them, and leave "
            "it out"
        )
    if recipe.model.data.task == ANOMALY and recipe.train.augmentation != Augmentation():
        at = where.at(("train", "augmentation"))
        raise DimmerError(
            f'{at}: train.augmentation: data.task = "{ANOMALY}" learns to give samples back as they are; leave it out'
        )
    blocks = sum(config.mandatory) + sum(config.skippable)
    if recipe.gates.epochs and blocks > MOST_GATES:
        at = where.at(("gates",), "epochs")
        raise DimmerError(f"{at}: gates.epochs: {blocks} blocks, gates are for at most {MOST_GATES}; set it to 0")
    if recipe.gates.epochs and (reason := config.why_no_gates()):
        raise DimmerError(f"{where.at(('gates',), 'epochs')}: gates.epochs: {reason}, or set it to 0")
    if recipe.policy.budgets and not recipe.gates.epochs:
        raise DimmerError(f"{where.at(('policy',), 'budgets')}: policy.budgets are for gates; give [gates] epochs")
    if recipe.policy.budgets and recipe.gates.only_budget:
        raise DimmerError(
            f"{where.at(('policy',), 'budgets')}: policy.budgets are for gates that serve all; "
            "leave gates.only_budget out"
        )
    if recipe.policy.recharge and not (recipe.duty.capacity_mah or recipe.governor.wanted):
        at = where.at(("policy",), "recharge")
        raise DimmerError(f"{at}: policy.recharge needs to know the battery: give [duty] capacity_mah and period_s")
    untrained = {bits for bits in recipe.gates.options if bits and bits in BITS} - set(config.bits)
    if recipe.gates.epochs and untrained:
        at, missing = where.at(("gates",), "options"), ", ".join(map(width_name, sorted(untrained, key=falling)))
        raise DimmerError(
            f"{at}: gates.options holds {missing}, model.bits does not; add it there or leave it out here"
        )
    widths = [bits for bits in recipe.gates.options if bits]
    if recipe.gates.epochs and len(widths) < 2 and not any(config.skippable):
        at = where.at(("gates",), "options")
        raise DimmerError(f"{at}: gates.options leave no block a choice: nothing can be skipped, and all have 8 bits")
    try:
        forced = recipe.forced_modes()
        for mode in forced:
            check_mode(mode, config.mandatory, config.skippable, config.bits)
        if len(forced) > MOST_MODES:
            raise DimmerError(f"{len(forced)} modes, an image holds at most {MOST_MODES}; name fewer")
    except DimmerError as error:
        raise DimmerError(f"{where.at(('selection',), 'force')}: selection.force: {plain(str(error))}") from error
    return recipe


def _change(contents: dict[str, Any], key: str, value: Any) -> None:
    """Set section.key, or section.table.key, of what a file holds."""
    *sections, name = key.split(".")
    if not sections:
        raise DimmerError(f"the change of {shown(key)} names no section; write [section].[key], such as train.epochs")
    table = contents
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise DimmerError(f"the change of {shown(key)}: {plain(section)} is no section of the recipe")
    table[name] = value


def _check_libraries(recipe: Recipe, where: Lines) -> None:
    """Transforms of images are for what has rows and columns, those of sounds for recordings."""
    for key, wanted, fits in (
        (TORCHVISION, "images", recipe.model.config.image_size[0] > 1),
        (AUDIOMENTATIONS, f'data.kind = "{RECORDINGS}"', recipe.model.data.kind == RECORDINGS),
    ):
        if key in recipe.train.augmentation.libraries and not fits:
            at = where.at(("train", "augmentation"), key)
            raise DimmerError(f"{at}: train.augmentation.{key} is for {wanted}; leave it out")


def _heard(data: DataSection, features: FeaturesSection, where: Lines) -> Heard | None:
    """What the front end makes of recordings, in training as on the device."""
    heard = features.heard if data.kind == RECORDINGS else None
    if heard is not None and heard.keys.rate != data.rate:
        at = where.at((DATA,), "rate")
        raise DimmerError(
            f"{at}: data.rate = {data.rate}: [features] {heard.kind} is of {heard.keys.rate}; make them equal"
        )
    if heard is not None and not heard.rows(data.window):
        at = where.at((DATA,), "window")
        raise DimmerError(f"{at}: data.window = {data.window}: a row of [features] takes {heard.keys.window} samples")
    return heard


def _model(table: Any, where: Lines, data: DataSection, heard: Heard | None, folder: Path) -> ModelSection:
    """[model]: the family says which keys there are beside its own name and the data set's."""
    named = table.get("family") if isinstance(table, dict) else None
    # Where no family is named, a key that none knows is the mistake to tell.
    asked = [named] if named in families() else families()
    own = dict.fromkeys(key for family in asked for key in config_keys(family))
    names = read_section(ModelNames, table, ("model",), where, beside=tuple(own))
    common = [field.name for field in dataclasses.fields(ModelNames)]
    if (names.dataset == OWN) != bool(data.kind):
        wanted = f'must be "{OWN}" where there is [data]' if data.kind else "needs the section [data] with its kind"
        raise DimmerError(f"{where.at(('model',), 'dataset')}: model.dataset = {shown(names.dataset)}: {wanted}")
    of_family = config_class(names.family)
    fields = {field.name: field.default for field in dataclasses.fields(of_family)}
    try:
        from_dataset = names.from_dataset(data, heard)
    except InvalidKeyError as error:
        at = where.at(("model",), error.key)
        raise DimmerError(f"{at}: model.{error.key} = {shown(names.family)}: {error.reason}") from error
    given = {**{key: fields[key] for key in (*NO_KEYS, *SEVERAL) if key in fields}, **from_dataset}
    config = read_section(of_family, table, ("model",), where, given, common)
    try:
        config = config.at(folder)
    except InvalidKeyError as error:
        at, value = where.at(("model",), error.key), shown(table.get(error.key))
        raise DimmerError(f"{at}: model.{error.key} = {value}: {error.reason}") from error
    return ModelSection(names.family, names.dataset, config, data, heard)


def find_recipe(name_or_path: str | Path) -> Path:
    """The file that `load_recipe` reads; raises DimmerError where there is none."""
    given = Path(name_or_path)
    # What has a slash is a path from here, and no name.
    named = [] if "/" in str(name_or_path) else [folder / given / "recipe.toml" for folder in model_folders()]
    for candidate in (*named, given, given / "recipe.toml"):
        try:
            if candidate.is_file():
                return candidate.resolve()
        except OSError as error:
            raise DimmerError(f"{plain(str(candidate))} cannot be looked at: {error.strerror}") from error
    known = ", ".join(model_names())
    raise DimmerError(f"no model {shown(str(name_or_path))}; known are: {known}; or give the path of a recipe.toml")
