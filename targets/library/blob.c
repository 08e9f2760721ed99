/* SPDX-License-Identifier: Apache-2.0 */
/* What an image of a model begins with, behind MCUboot's header: by this a program finds it. */
#include "dimmer_known_answers.h"
#include "dimmer_slot.h"

/* Of the linker script: the image's first byte. */
extern const uint8_t dimmer_image_start[];
extern const dimmer_blob_t dimmer_blob;

__attribute__((section(".dimmer_blob"), used)) const dimmer_blob_t dimmer_blob = {
    DIMMER_BLOB_MAGIC,   sizeof(dimmer_blob_t), DIMMER_ABI,    DIMMER_CORE,        DIMMER_MODEL_ARENA_SIZE,
    DIMMER_BLOB_PROGRAM, dimmer_image_start,    &dimmer_model, dimmer_known_input, dimmer_known_outputs[0],
};
