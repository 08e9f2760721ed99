/* SPDX-License-Identifier: Apache-2.0 */
/* Arm Ethos-U behind dimmer.h: a mode is a command stream, which Arm's driver gives to the NPU; or several,
 * and between them the steps of the core, where it has operators that the NPU does not take.
 *
 * Everything is as in dimmer.h: the same engine, the same policy and governor, the same check of every byte.
 * A mode runs whole, so a model has one position: a mode that is set while an inference runs, by an
 * interrupt, dimmer_brown_out or in dimmer_board_npu_wait, holds from the next inference on, and the hook of
 * dimmer_on_block is never called. All streams read one blob of constants. Input and output keep their place
 * in the arena, whatever the mode.
 *
 * The arena starts at a multiple of DIMMER_NPU_ALIGN bytes.
 */
#ifndef DIMMER_ETHOS_U_H
#define DIMMER_ETHOS_U_H

#include "dimmer_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A line of the data cache of Cortex-M55 and M85. */
#define DIMMER_NPU_ALIGN 32u

/* Base addresses that the NPU has. */
#define DIMMER_NPU_REGIONS 8u

/* One stream of a mode. Offsets into the model's weights are multiples of 16, into the arena of 32. */
typedef struct {
    uint32_t stream;         /* into weights: what the driver is given */
    uint32_t stream_size;    /* bytes, a multiple of 4 */
    uint32_t constants;      /* into weights: the blob of all modes */
    uint32_t constants_size; /* bytes */
    uint32_t scratch;        /* into the arena */
    uint32_t scratch_size;   /* bytes, a multiple of 32 */
    uint32_t input;          /* into the scratch */
    uint32_t output;         /* into the scratch */
    uint32_t packed;         /* into weights: scales of this mode alone, 7 bytes a channel */
    uint32_t unpacked;       /* into the arena: where they are unpacked to, 10 bytes a channel */
    uint32_t packed_count;   /* channels, a multiple of 8; 0 where there are none */
    uint8_t constants_region;
    uint8_t scratch_region;
    uint8_t packed_region; /* of what was unpacked */
    uint8_t packed_shift;  /* that shifts count from */
    uint8_t place;         /* DIMMER_NPU_WHOLE, _FIRST or _LATER */
    uint8_t reserved[3];
} dimmer_ethos_u_t;
DIMMER_CHECK_SIZE(dimmer_ethos_u_t, 52);
DIMMER_KERNEL(dimmer_ethos_u);

/* A stream is its mode; or a part of one, between parts that the core runs, whose steps bring and take what
 * it reads and writes: the mode's first stream, or one behind it, which does not run after one that failed.
 */
#define DIMMER_NPU_WHOLE 0u
#define DIMMER_NPU_FIRST 1u
#define DIMMER_NPU_LATER 2u

/* Ends a mode of several parts: its output, or zeros where a stream of it failed. */
typedef struct {
    uint32_t source; /* into the arena */
    uint32_t target; /* into the arena: in the model's output */
    uint32_t size;   /* bytes */
} dimmer_ethos_u_end_t;
DIMMER_CHECK_SIZE(dimmer_ethos_u_end_t, 12);
DIMMER_KERNEL(dimmer_ethos_u_end);

typedef enum {
    DIMMER_NPU_OK = 0,
    DIMMER_NPU_NONE = 1,    /* no inference yet */
    DIMMER_NPU_ARENA = 2,   /* the arena does not start at a multiple of DIMMER_NPU_ALIGN */
    DIMMER_NPU_REFUSED = 3, /* the driver took no command: another NPU, one that is busy, or none */
    DIMMER_NPU_FAILED = 4,  /* the NPU stopped with an error */
    DIMMER_NPU_TIMEOUT = 5  /* dimmer_board_npu_wait gave up; the NPU was reset */
} dimmer_npu_status_t;

/* Returns what became of the last dimmer_invoke, which itself returns DIMMER_OK in each case. Where it is not
 * DIMMER_NPU_OK, the output is all zero. */
dimmer_npu_status_t dimmer_npu_status(const dimmer_t *d);

/* Returns one English line, never null. */
const char *dimmer_npu_status_text(dimmer_npu_status_t status);

/* What the board must bring: there is no default, so that the linker names what is missing. */

struct ethosu_driver;

/* Returns the driver, on which ethosu_init has returned 0 and whose interrupt is on; null where there is
 * none. */
struct ethosu_driver *dimmer_board_npu(void);

/* Writes what the data cache holds of this memory to it: the NPU reads it next. Nothing to do without one. */
void dimmer_board_clean_dcache(const void *memory, size_t size);

/* Forgets what the data cache holds of this memory: the NPU has written it. Nothing to do without one. */
void dimmer_board_invalidate_dcache(void *memory, size_t size);

/* Returns an address as the NPU's bus has it: tightly coupled memory has others there. */
uint64_t dimmer_board_npu_address(uint64_t address);

/* Called again and again while the NPU runs, `turn` counting from 0: sleeps until an interrupt, at most; may
 * report the battery or call dimmer_brown_out meanwhile. Returns 0 to wait on, anything else where an
 * inference has taken so long that the NPU must be dead. */
int dimmer_board_npu_wait(uint32_t turn);

/* Brings the NPU and its driver back after that, or after an error: ethosu_deinit, then ethosu_init. A soft
 * reset alone leaves the driver with an inference that it believes to be running. */
void dimmer_board_npu_reset(struct ethosu_driver *driver);

#ifdef __cplusplus
}
#endif

#endif
