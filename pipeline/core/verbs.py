# SPDX-License-Identifier: Apache-2.0
"""The verbs of the command line, told without importing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_MAKE, _LOOK, _HOUSE = "From a network to a device", "Looking at what there is", "Project and machine"


@dataclass(frozen=True)
class Verb:
    """A verb.

    Attributes:
        module: file of `pipeline/` that has it as its `main`.
        help: the first line of that function's docstring.
        panel: under which help lists it.
    """

    module: str
    help: str
    panel: str


VERBS: Mapping[str, Verb] = {
    "build": Verb("build", "Build a model for a target: train, calibrate, convert, compile, verify, report.", _MAKE),
    "firmware": Verb(
        "firmware",
        "Make and measure a firmware: of a converted model, of int8 .tflite files, or of a float network.",
        _MAKE,
    ),
    "train": Verb("train", "Train a model; an interrupted training goes on where it stopped.", _MAKE),
    "trial": Verb("trial", "Take a training's first steps for their losses, time and memory; nothing is kept.", _MAKE),
    "train-gates": Verb(
        "train_gates", "Train a model's gates; an interrupted training goes on where it stopped.", _MAKE
    ),
    "experiment": Verb(
        "experiment", "Train a model's table of experiments, arms x seeds, and say what it shows.", _MAKE
    ),
    "calibrate": Verb("calibrate", "Calibrate a trained model and choose the modes to publish.", _MAKE),
    "export": Verb("export", "Write every published mode as ONNX and check it against torch.", _MAKE),
    "convert": Verb(
        "convert", "Convert every exported mode to an int8 .tflite and check that all share their weights.", _MAKE
    ),
    "verify": Verb(
        "verify",
        "Compare the firmware of the host and of a target with the TFLite interpreter, every mode, bit for bit.",
        _MAKE,
    ),
    "tvm-module": Verb(
        "tvm_module",
        "Compile the modes of a converted model with TVM; what is for this machine is compared with the interpreter.",
        _MAKE,
    ),
    "bundle": Verb("jetson", "Make the bundle of a converted model and run its self-test here.", _MAKE),
    "tune": Verb(
        "tvm_tune", "Measure every tile of a converted model's convolutions; the next build takes the fastest.", _MAKE
    ),
    "npu": Verb("npu", "Compile a converted model for an NPU: one blob, a command stream a mode.", _MAKE),
    "verify-npu": Verb(
        "verify_npu",
        "Interpret the command streams of an NPU's firmware and compare them with the TFLite interpreter.",
        _MAKE,
    ),
    "features": Verb(
        "features",
        "Write the C of a network's front end and of the detector behind it, and say what they take.",
        _MAKE,
    ),
    "detect": Verb(
        "detect",
        "Tune a keyword spotter's detector on validation, score it on test, and stream it on a target, bit for bit.",
        _MAKE,
    ),
    "package": Verb(
        "package",
        "Make a model a library for CMake, Zephyr, PlatformIO, Arduino, CMSIS-Pack, ESP-IDF or any build.",
        _MAKE,
    ),
    "slot": Verb("slot", "Make a built model a signed image for a slot of a board's flash.", _MAKE),
    "settings": Verb(
        "settings", "Write thresholds, plan and duty as a record that a device takes without a new model.", _MAKE
    ),
    "flash": Verb("flash", "Put a build onto its board.", _MAKE),
    "product": Verb("product", "Compile the product example of a build for a board.", _MAKE),
    "validate": Verb(
        "validate", "Compare a board on a serial line with the TFLite interpreter, every mode, bit for bit.", _MAKE
    ),
    "report": Verb("report", "Draw accuracy against cost from a report.json.", _LOOK),
    "simulate": Verb(
        "simulate",
        "Empty a battery under the policy of a build, or let fleets live through scenarios; all is modelled.",
        _LOOK,
    ),
    "measure": Verb(
        "measure",
        "Tell charge and energy of an inference from a power meter's trace, and the target's constants with them.",
        _LOOK,
    ),
    "watch": Verb(
        "watch",
        "Show a device live, on the terminal and on a page: mode, charge, predicted end, latency, predictions.",
        _LOOK,
    ),
    "trade": Verb("trade", "Print what less scratch costs in instructions, and what it saves.", _LOOK),
    "size": Verb("size", "List sections, stack and the largest symbols of a build's firmware.elf.", _LOOK),
    "survey": Verb(
        "survey", "Make a firmware of every .tflite of a folder: cycles, arena, flash, or the reason why not.", _LOOK
    ),
    "inspect": Verb("inspect", "Tell what a file holds: a model, a checkpoint, an image, a bundle, a bill.", _LOOK),
    "verify-bundle": Verb("verify_bundle", "Check a bundle for a Linux board: files, machine, signature.", _LOOK),
    "nulls": Verb(
        "nulls",
        "Compare modes and gates with time-sharing of uniform modes, and gates with their permuted choices.",
        _LOOK,
    ),
    "dataset": Verb(
        "dataset",
        "Show a model's data: counts, what is left out and why, and samples as the device will see them.",
        _LOOK,
    ),
    "eval": Verb(
        "eval", "Score a built model on its test samples by the C that the device runs, with the worst of them.", _LOOK
    ),
    "models": Verb("models", "List the models that have a recipe, the project's and Dimmer's own.", _LOOK),
    "targets": Verb(
        "targets", "List the targets, the project's and Dimmer's own, and what they need that is not here.", _LOOK
    ),
    "init": Verb("init", "Write a project: dimmer.toml, with folders for recipes and targets.", _HOUSE),
    "adapt": Verb(
        "adapt", "Make a network of torchvision, timm or your own adaptive, and write a project for it.", _HOUSE
    ),
    "schema": Verb(
        "schema", "Print the JSON Schema of recipe.toml, target.toml or dimmer.toml, or write it for editors.", _HOUSE
    ),
    "doctor": Verb("doctor", "Say what this machine has and lacks, and what to type.", _HOUSE),
    "clean": Verb("clean", "Remove what builds have made.", _HOUSE),
}
