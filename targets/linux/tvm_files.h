/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's files, checked before anything in them is trusted. */
#ifndef DIMMER_TVM_FILES_H
#define DIMMER_TVM_FILES_H

#include <stddef.h>

#include "battery.h" /* DIMMER_MESSAGE */
#include "tvm_bundle.h"

/* Bytes of a path. */
#define TVM_PATH 4096u

/* Checks the runtime's version, the library's architecture, and size and CRC-32 of every file, in this order.
 * Returns 1, or 0 with one line in `why`, char[DIMMER_MESSAGE]. */
int tvm_files_check(const dimmer_tvm_bundle_t *bundle, const char *folder, char *why);

/* Reads a whole file, of `size` bytes, to a multiple of 64 bytes, as TVM's code wants its tensors. The caller
 * frees it. Returns null with one line in `why` where the file has another size. */
void *tvm_file_read(const char *folder, const char *path, size_t size, char *why);

/* Joins folder and path. Returns 0 where the result has no room. */
int tvm_path(char joined[TVM_PATH], const char *folder, const char *path, char *why);

#endif
