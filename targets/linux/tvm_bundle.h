/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle holds: the generated bundle_table.c fills it, the engine and the program read it.
 * Paths are relative to the bundle's folder. */
#ifndef DIMMER_TVM_BUNDLE_H
#define DIMMER_TVM_BUNDLE_H

#include "dimmer_tables.h"

#define DIMMER_TVM_MAX_RANK 6u

/* A file and what it held when the bundle was made. */
typedef struct {
    const char *path;
    uint64_t size; /* bytes */
    uint32_t crc;  /* CRC-32 as zlib computes it */
} dimmer_tvm_file_t;

/* A stretch of the weights' file, which all modes share. */
typedef struct {
    uint64_t offset; /* bytes into the file */
    uint64_t size;   /* bytes */
    uint8_t code;    /* DLDataTypeCode */
    uint8_t bits;    /* of an element */
    uint8_t rank;
    int64_t shape[DIMMER_TVM_MAX_RANK];
} dimmer_tvm_weight_t;

typedef struct {
    const char *name;     /* "88.84.40" */
    const char *function; /* in the library */
    const char *expected; /* file of the outputs for the self-test's inputs, int8[samples, output size] */
    const uint16_t *weights;
    uint16_t weight_count;
} dimmer_tvm_mode_t;

typedef struct {
    const char *model;
    const char *version;     /* of the bundle */
    const char *tvm_version; /* that compiled the library */
    uint16_t machine;        /* of the library: e_machine in its ELF header */
    uint16_t mode_count;     /* 1..255 */
    uint16_t weight_count;
    uint16_t file_count;
    const char *library;
    const char *gpu_library; /* the same functions for the GPU, or null */
    const char *gpu_code;    /* its kernels, in machine code */
    const char *weights_file;
    const char *inputs; /* of the self-test, int8[samples, input size] */
    uint32_t samples;
    uint32_t height;
    uint32_t width;
    uint32_t channels;
    dimmer_tensor_t input;              /* size, scale, zero point; the engine places it */
    dimmer_tensor_t output;             /* likewise */
    const dimmer_tvm_mode_t *modes;     /* the most expensive first */
    const dimmer_tvm_weight_t *weights; /* [weight_count] */
    const dimmer_tvm_file_t *files;     /* [file_count], all that is checked before anything is loaded */
    dimmer_policy_t policy;
} dimmer_tvm_bundle_t;

#endif
