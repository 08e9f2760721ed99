/* SPDX-License-Identifier: Apache-2.0 */
/* What dimmer-run is told. */
#ifndef DIMMER_OPTIONS_H
#define DIMMER_OPTIONS_H

#include "battery.h"
#include "frames.h"
#include "tvm_engine.h"

extern const char options_help[];

typedef struct {
    const char *folder;
    const char *mode;
    double percent; /* below 0: read the battery */
    battery_source_t battery;
    frames_format_t format;
    dimmer_tvm_device_t device;
    int self_test;
    int list;
    char **files;
    int file_count;
} options_t;

/* Reads a command line into `o`, whose `files` has room for as many words. Returns 1, or 0 with one line in
 * `why`, char[DIMMER_MESSAGE]. */
int options_read(options_t *o, int argc, char **argv, char *why);

#endif
