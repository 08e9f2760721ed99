/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's files share. */
#ifndef DIMMER_ENGINE_H
#define DIMMER_ENGINE_H

#include "dimmer_tables.h"

/* Whether the model has all modes of a policy. */
int dimmer_has_modes(const dimmer_model_t *model, const dimmer_policy_t *policy);

#endif
