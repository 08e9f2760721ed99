/* SPDX-License-Identifier: Apache-2.0 */
/* CoreMark on a target of ours: types and choices that its own sources ask a port for. */
#ifndef DIMMER_CORE_PORTME_H
#define DIMMER_CORE_PORTME_H

#include <stddef.h>
#include <stdint.h>

#define HAS_FLOAT         0
#define HAS_TIME_H        0
#define USE_CLOCK         0
#define HAS_STDIO         0
#define HAS_PRINTF        0
#define MAIN_HAS_NOARGC   1
#define MAIN_HAS_NORETURN 0
#define MULTITHREAD       1
#define SEED_METHOD       SEED_VOLATILE
#define MEM_METHOD        MEM_STATIC
#define MEM_LOCATION      "static"
#define COMPILER_VERSION  __VERSION__
#define COMPILER_FLAGS    "as in benchmarks/coremark.py"

typedef int8_t ee_s8;
typedef uint8_t ee_u8;
typedef int16_t ee_s16;
typedef uint16_t ee_u16;
typedef int32_t ee_s32;
typedef uint32_t ee_u32;
typedef uintptr_t ee_ptr_int;
typedef size_t ee_size_t;

#define align_mem(x) (void *)(4u + (((ee_ptr_int)(x) - 1u) & ~(ee_ptr_int)3u))

#define CORETIMETYPE ee_u32
typedef CORETIMETYPE CORE_TICKS;

typedef struct {
    ee_u8 portable_id;
} core_portable;

extern ee_u32 default_num_contexts;

void portable_init(core_portable *port, int *argc, char *argv[]);
void portable_fini(core_portable *port);
int ee_printf(const char *format, ...);

#endif
