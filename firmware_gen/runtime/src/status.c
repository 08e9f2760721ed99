/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer.h"

const char *dimmer_status_text(dimmer_status_t status) {
    switch (status) {
    case DIMMER_OK:
        return "ok";
    case DIMMER_ERR_ARGUMENT:
        return "a pointer argument is null";
    case DIMMER_ERR_MAGIC:
        return "this is not a dimmer model";
    case DIMMER_ERR_ABI:
        return "the model was generated for another version of the runtime; generate it again";
    case DIMMER_ERR_ENDIAN:
        return "the model's tables are little-endian and this core is not";
    case DIMMER_ERR_CRC:
        return "the model in flash is damaged (CRC); flash it again";
    case DIMMER_ERR_TABLE:
        return "an index in the model's tables points outside them; generate the model again";
    case DIMMER_ERR_ARENA_SIZE:
        return "the arena is too small; give it DIMMER_MODEL_ARENA_SIZE bytes";
    case DIMMER_ERR_ARENA_ALIGN:
        return "the arena is not aligned to 16 bytes";
    case DIMMER_ERR_MODE:
        return "the model has no such mode";
    case DIMMER_ERR_POLICY:
        return "there is no battery policy, or its thresholds do not fall";
    case DIMMER_ERR_INIT:
        return "there is no model; call dimmer_init and look at what it returns";
    case DIMMER_ERR_PLAN:
        return "the model has no plan for a governor, or a number of the plan cannot be";
    case DIMMER_ERR_STATE:
        return "the state in RAM is damaged; call dimmer_init again";
    default:
        return "unknown status";
    }
}
