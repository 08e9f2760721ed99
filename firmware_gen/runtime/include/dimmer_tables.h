/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that generated code fills and that engine and kernels read.
 * (Not called dimmer_model.h: that is the generated header.)
 *
 * Apart from struct dimmer_model, dimmer_kernel_t and dimmer_mode_t there is no pointer in any
 * table, and each pointer stands twice in flash, since no CRC of an address is known before the
 * linker has run: where the two differ, nothing is read through them. Records hold byte offsets into the
 * arena and into weights, and indexes into params and shifts. All structs below have fixed-width fields and
 * no implicit padding, so that the generator can pack the same bytes (little-endian) and put their CRC into
 * the model.
 */
#ifndef DIMMER_TABLES_H
#define DIMMER_TABLES_H

#include "dimmer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A compile-time check that C99 and C++ both have: an array of negative size does not compile. */
#define DIMMER_CHECK_SIZE(type, size) typedef char type##_size_check[(sizeof(type) == (size)) ? 1 : -1]

#define DIMMER_MAGIC 0x524D4D44u /* "DMMR" */

typedef struct dimmer_gates dimmer_gates_t; /* dimmer_gates.h */

/* All buffers in the arena start at a multiple of DIMMER_ARENA_ALIGN bytes. */
typedef void (*dimmer_kernel_fn)(const dimmer_model_t *model, const void *record, uint8_t *arena);

/* The prototype of a kernel. */
#define DIMMER_KERNEL(name) void name(const dimmer_model_t *model, const void *record, uint8_t *arena)

/* One entry for each kernel that the model uses: the linker drops the others. */
typedef struct {
    dimmer_kernel_fn run;
    const void *records;
    uint16_t record_size; /* bytes, a multiple of 4 */
    uint16_t record_count;
} dimmer_kernel_t;

typedef struct {
    uint16_t kernel; /* index into kernels */
    uint16_t record; /* index into that kernel's records */
} dimmer_step_t;
DIMMER_CHECK_SIZE(dimmer_step_t, 4);

typedef struct {
    uint16_t first_step;
    uint16_t step_count; /* 0: a skipped block */
} dimmer_block_t;
DIMMER_CHECK_SIZE(dimmer_block_t, 4);

/* For people and reports. */
typedef struct {
    const char *name; /* "88.84.40" */
    uint32_t macs;
} dimmer_mode_t;

/* In which blob an operand of an elementwise kernel lies. */
enum { DIMMER_IN_ARENA = 0, DIMMER_IN_WEIGHTS = 1 };

/* Types of elements. */
enum {
    DIMMER_INT8 = 0,
    DIMMER_UINT8 = 1,
    DIMMER_FLOAT32 = 2,
    DIMMER_INT16 = 3,
    DIMMER_INT32 = 4,
    DIMMER_INT64 = 5,
    DIMMER_BOOL = 6
};

typedef struct {
    uint32_t offset; /* bytes into the arena */
    uint32_t size;   /* bytes */
    float scale;     /* 0 where it has none, as float32 */
    int16_t zero_point;
    uint8_t type; /* DIMMER_INT8 and so on */
    uint8_t reserved;
} dimmer_tensor_t;
DIMMER_CHECK_SIZE(dimmer_tensor_t, 16);

typedef struct {
    uint32_t arena_size;   /* bytes, scratch included */
    uint32_t weights_size; /* bytes */
    uint32_t param_count;
    uint32_t shift_count;
    uint32_t record_bytes; /* sum over kernels of record_size * record_count */
    uint32_t names_size;   /* bytes of all names, each with its zero: the model's, then those of the modes */
    uint16_t kernel_count;
    uint16_t step_count;
    uint16_t block_count;
    uint16_t mode_count; /* 1..255 */
    uint16_t position_count;
    uint8_t gate_count;  /* 0: gates is null */
    uint8_t gate_stages; /* stages that have gates */
    dimmer_tensor_t input;
    dimmer_tensor_t output;
} dimmer_dims_t;
DIMMER_CHECK_SIZE(dimmer_dims_t, 68);
DIMMER_CHECK_SIZE(dimmer_tier_t, 6);
DIMMER_CHECK_SIZE(dimmer_policy_t, 64);

/* The pointers and the counts of a model, in the order in which they stand in it. */
typedef struct {
    const char *name;
    const int8_t *weights;
    const int32_t *params;
    const int8_t *shifts;
    const dimmer_step_t *steps;
    const dimmer_block_t *blocks;
    const uint16_t *schedules;
    const dimmer_kernel_t *kernels;
    const dimmer_kernel_t *kernels_again;
    const dimmer_mode_t *modes;
    const dimmer_mode_t *modes_again;
    const dimmer_gates_t *gates;
    const dimmer_plan_t *plan;
    dimmer_dims_t dims;
} dimmer_found_t;

/* Bytes of it without what may follow the counts. */
#define DIMMER_FOUND_SIZE (offsetof(dimmer_found_t, dims) + sizeof(dimmer_dims_t))

struct dimmer_model {
    uint32_t magic; /* DIMMER_MAGIC */
    uint32_t abi;   /* DIMMER_ABI */
    /* CRC-32 (zlib) of dims alone, with which the other begins. */
    uint32_t dims_crc;
    /* CRC-32 over these bytes, one after the other:
     *   dims, names, weights, params, shifts, steps, blocks, schedules,
     *   the records of kernels[0], kernels[1], ...,
     *   policy, plan where there is one, and of gates what dimmer_gates.h says */
    uint32_t crc;
    const char *name;                     /* all names, each with its zero: the model's, those of the modes */
    const int8_t *weights;                /* int8[dims.weights_size], aligned to 4 */
    const int32_t *params;                /* int32[dims.param_count]: biases and multipliers */
    const int8_t *shifts;                 /* int8[dims.shift_count]: TFLite's sign, positive = left */
    const dimmer_step_t *steps;           /* [dims.step_count] */
    const dimmer_block_t *blocks;         /* [dims.block_count] */
    const uint16_t *schedules;            /* [dims.mode_count][dims.position_count]: index into blocks */
    const dimmer_kernel_t *kernels;       /* [dims.kernel_count] */
    const dimmer_kernel_t *kernels_again; /* the same once more */
    const dimmer_mode_t *modes;           /* [dims.mode_count] */
    const dimmer_mode_t *modes_again;     /* the same once more */
    const dimmer_gates_t *gates;          /* null where there are none */
    const dimmer_plan_t *plan;            /* for a governor; null where there is none */
    dimmer_dims_t dims;
    dimmer_policy_t policy; /* tier_count 0 where there is none */
    dimmer_found_t again;
};

#ifdef __cplusplus
}
#endif

#endif
