/* SPDX-License-Identifier: Apache-2.0 */
/* TVM behind dimmer.h: the modes of a bundle become a dimmer_model_t, whose one kernel calls TVM.
 *
 *     dimmer_tvm_t *tvm = dimmer_tvm_open(&dimmer_bundle, folder, DIMMER_TVM_CPU, why);
 *     dimmer_init(&d, dimmer_tvm_model(tvm), arena, dimmer_tvm_arena_size(tvm));
 *
 * From there on everything is as on a microcontroller: the same engine, the same policy. A model has one
 * position, so a mode that is selected holds from the next inference on.
 */
#ifndef DIMMER_TVM_ENGINE_H
#define DIMMER_TVM_ENGINE_H

#include "battery.h" /* DIMMER_MESSAGE */
#include "tvm_bundle.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dimmer_tvm dimmer_tvm_t;

typedef enum { DIMMER_TVM_CPU, DIMMER_TVM_CUDA } dimmer_tvm_device_t;

/* Checks the bundle's files, loads TVM's runtime, the library and, once for all modes, the weights,
 * which go to the device.
 * The table must outlive the result; TVM's libraries stay loaded.
 * Returns null with one line in `why`, char[DIMMER_MESSAGE]. */
dimmer_tvm_t *dimmer_tvm_open(const dimmer_tvm_bundle_t *bundle, const char *folder,
                              dimmer_tvm_device_t device, char *why);

/* Returns the model for dimmer_init, valid until dimmer_tvm_close. */
const dimmer_model_t *dimmer_tvm_model(const dimmer_tvm_t *tvm);

/* Returns the bytes of the arena: input and output, TVM has its own memory for the rest. */
size_t dimmer_tvm_arena_size(const dimmer_tvm_t *tvm);

/* Returns why the last dimmer_invoke computed nothing, in one line, or null if it computed. Its output is
 * then zero. */
const char *dimmer_tvm_error(const dimmer_tvm_t *tvm);

void dimmer_tvm_close(dimmer_tvm_t *tvm);

#ifdef __cplusplus
}
#endif

#endif
