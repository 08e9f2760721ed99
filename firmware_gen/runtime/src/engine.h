/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's files share. */
#ifndef DIMMER_ENGINE_H
#define DIMMER_ENGINE_H

#include "dimmer_tables.h"

/* Whether the model has all modes of a policy. */
int dimmer_has_modes(const dimmer_model_t *model, const dimmer_policy_t *policy);

/* What dimmer_init says of a model and an arena. */
dimmer_status_t dimmer_check_model(const dimmer_model_t *model, const void *arena, size_t arena_size);

/* Whether there is a model, and the state is whole. Of a state that is not, the model is dropped. */
dimmer_status_t dimmer_whole(dimmer_t *d);

/* The same, and whether the model's pointers and dimensions are. */
dimmer_status_t dimmer_sound(dimmer_t *d);

/* The block that runs at a position, by the mode that is wanted now. Null where an index points outside: it
 * was checked by dimmer_init, and flash or RAM are damaged since. */
const dimmer_block_t *dimmer_next_block(dimmer_t *d, uint32_t position);

/* From here on there is no model. Returns `why`. */
dimmer_status_t dimmer_drop(dimmer_t *d, dimmer_status_t why);

/* Of what nobody but the library changes. No flip of one bit leaves it as it is; of a state that is all zero
 * it is 0. */
uintptr_t dimmer_seal(const dimmer_t *d);

#endif
