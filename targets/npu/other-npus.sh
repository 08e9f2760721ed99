#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One command a mode for the tools of other NPUs, printed, not run: other-npus.sh build/MODEL/convert
set -eu
folder=${1:?"name the folder of the modes' .tflite files: build/MODEL/convert"}
for mode in "$folder"/*.tflite; do
    [ -f "$mode" ] || { echo "no .tflite in $folder: run dimmer convert" >&2; exit 1; }
    name=$(basename "$mode" .tflite)
    echo "stedgeai generate --target stm32n6 --st-neural-art --model $mode --name mode_$(echo "$name" | tr . _)"
    echo "neutron-converter --input $mode --output $name.neutron.tflite --target mcxn94x"
done
echo "# MAX78000: ai8x takes a checkpoint of its own quantiser, no .tflite (docs/npu.md)"
