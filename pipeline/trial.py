# SPDX-License-Identifier: Apache-2.0
"""The first steps of a training, to see its losses, time and memory before hours are spent; nothing is written.

    python -m pipeline.trial --model cifar10-r14
    python -m pipeline.trial --model imagenet-mobilenet-v2 --synthetic --batch 8 --images 1281167
    torchrun --nproc-per-node 2 -m dimmer.pipeline.trial --model cifar10-r14

The losses of several processes are those of one with the same batch, up to the rounding of their sums, which grows from
step to step as any change of the last digit does: the faster, the higher the learning rate.
"""

from __future__ import annotations

from typing import Annotated

import typer

from dimmer.pipeline.core.command import main_of, model_option
from dimmer.pipeline.core.together import together
from dimmer.pipeline.recipe.recipe import load_recipe


@together
def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    steps: Annotated[int, typer.Option("--steps", min=2, help="How many.")] = 20,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="With noise in place of the data set.")] = False,
    batch: Annotated[int | None, typer.Option("--batch", min=2, help="Images a step, instead of the recipe's.")] = None,
    precision: Annotated[str | None, typer.Option("--precision", help="Instead of the recipe's.")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Peak learning rate, instead of the recipe's.")] = None,
    accumulate: Annotated[int | None, typer.Option("--accumulate", min=1, help="Parts of a batch.")] = None,
    images: Annotated[
        int | None,
        typer.Option("--images", min=1, help="Of the training set, for the estimate."),
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads of each process.")] = None,
) -> None:
    """Take a training's first steps for their losses, time and memory; nothing is kept."""
    # Here, since --help loads no torch.
    import torch

    from dimmer.errors import DimmerError
    from dimmer.pipeline.data.registry import load_dataset
    from dimmer.pipeline.training import trial
    from dimmer.pipeline.training.settings import TrainingSettings

    if threads:
        torch.set_num_threads(threads)
    if synthetic and images is None:
        raise DimmerError("noise does not tell how many images there are: give --images, of ImageNet-1k 1281167")
    given = {"train.batch": batch, "train.lr": lr, "train.accumulate": accumulate, "train.precision": precision}
    changes = {key: value for key, value in given.items() if value is not None}
    settings = TrainingSettings.of(load_recipe(model, changes))
    taken = []
    for number, step in enumerate(trial.steps(settings, steps, noise=images if synthetic and images else 0), 1):
        taken.append(step)
        print(
            f"step {number:3}: super-net {step.loss_super:.7g}, base-net {step.loss_base:.7g}, {step.seconds:.3f} s "
            f"({step.cpu_s:.3f} s of the processor)",
            flush=True,
        )
    count = len(load_dataset(settings.source).train) if images is None else images
    print(trial.bill(settings, taken, count))


if __name__ == "__main__":
    main_of(main)
