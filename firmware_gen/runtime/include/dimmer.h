/* SPDX-License-Identifier: Apache-2.0 */
/* Dimmer runtime: one network, one copy of its weights, several modes.
 *
 * The caller owns every byte: a dimmer_t, and an arena of the size that the generated
 * header names. Nothing is allocated, nothing global changes, nothing recurses.
 */
#ifndef DIMMER_H
#define DIMMER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this library, as in pyproject.toml. */
#define DIMMER_VERSION_MAJOR 0
#define DIMMER_VERSION_MINOR 1
#define DIMMER_VERSION_PATCH 0

/* Raised whenever a table, a record or a function that generated code uses changes. */
#define DIMMER_ABI 8

/* The arena starts at a multiple of this many bytes. */
#define DIMMER_ARENA_ALIGN 16u

/* At most this many tiers in a policy. */
#define DIMMER_MAX_TIERS 8u

/* At most this many blocks that gates choose for, and units in a layer of a gate. */
#define DIMMER_MAX_GATES  64u
#define DIMMER_GATE_UNITS 32u

/* The mode in which gates choose the bits of every block for the input at hand. */
#define DIMMER_MODE_GATED 255u

/* What dimmer_gated_bits says of a block that the gates did not run. */
#define DIMMER_BITS_UNKNOWN 255u

/* A charge or a voltage that nobody knows. */
#define DIMMER_UNKNOWN 65535u

/* Seconds for which a brown-out lowers, counted in reports: the next one begins them anew. */
#define DIMMER_BROWN_OUT_S 600u

typedef enum {
    DIMMER_OK = 0,
    DIMMER_ERR_ARGUMENT = -1,    /* a pointer is null */
    DIMMER_ERR_MAGIC = -2,       /* this is no dimmer_model_t */
    DIMMER_ERR_ABI = -3,         /* made by another version of the generator */
    DIMMER_ERR_ENDIAN = -4,      /* the tables are little-endian, this core is not */
    DIMMER_ERR_CRC = -5,         /* the tables in flash are damaged */
    DIMMER_ERR_TABLE = -6,       /* an index in the tables points outside */
    DIMMER_ERR_ARENA_SIZE = -7,  /* the arena is smaller than the model needs */
    DIMMER_ERR_ARENA_ALIGN = -8, /* the arena is not aligned to DIMMER_ARENA_ALIGN */
    DIMMER_ERR_MODE = -9,        /* the model has no such mode */
    DIMMER_ERR_POLICY = -10,     /* the model has no policy, or its tiers do not fall */
    DIMMER_ERR_INIT = -11,       /* dimmer_init was not called, or did not return DIMMER_OK */
    DIMMER_ERR_PLAN = -12,       /* the model has no plan for a governor, or a number of it cannot be */
    DIMMER_ERR_STATE = -13       /* the dimmer_t in RAM is damaged: call dimmer_init */
} dimmer_status_t;

typedef struct dimmer_model dimmer_model_t;
typedef struct dimmer dimmer_t;

/* dimmer_governor.h */
typedef struct dimmer_plan dimmer_plan_t;
typedef struct dimmer_governor dimmer_governor_t;

/* 0 is the most expensive mode, mode_count - 1 the cheapest. */
typedef uint8_t dimmer_mode_id_t;

/* Flags of dimmer_battery_t. */
enum {
    DIMMER_EXTERNAL_POWER = 1 /* a charger carries the device: the best mode runs */
};

/* A report. All zero but the first three: nothing more is known. */
typedef struct {
    uint32_t time_s;          /* seconds since any fixed moment; may wrap, and may be set */
    uint32_t harvest_ua;      /* current harvested, microamps */
    uint16_t charge_permille; /* 0..1000; DIMMER_UNKNOWN, or anything else above */
    uint16_t millivolts;      /* of the cell, under load; 0 or DIMMER_UNKNOWN: not known */
    uint16_t temperature_dk;  /* of the cell, tenths of a kelvin, as smart batteries tell it; 0: not known */
    uint8_t flags;
    uint8_t reserved;
} dimmer_battery_t;

/* A tier holds while charge and voltage are both at or above its thresholds. What is not known is not
 * compared; where the charge is not, the voltage alone decides, and where neither is, the last tier holds. */
typedef struct {
    uint16_t min_charge_permille;
    uint16_t min_millivolts;
    uint8_t mode;
    uint8_t level; /* of the gates' budget, which matters where mode is DIMMER_MODE_GATED */
} dimmer_tier_t;

/* Tiers stand in the order of falling thresholds; the last one holds whatever the battery says. */
typedef struct {
    uint32_t dwell_s;               /* for so long every report must allow a brighter tier before it comes */
    uint16_t hysteresis_permille;   /* extra charge needed to go brighter */
    uint16_t hysteresis_millivolts; /* extra voltage needed to go brighter */
    uint16_t full_millivolts;       /* no tier needs more to go brighter, as none needs over 1000 permille; 0:
                                       not known */
    uint16_t stale_s;               /* a charge that is not known for so long is forgotten; 0: never */
    uint16_t stale_inferences;      /* without a report for so many, safe_mode runs; 0: the mode stays */
    uint8_t tier_count;             /* 1..DIMMER_MAX_TIERS, 0 = no policy */
    uint8_t safe_mode;              /* the cheapest on this target: of a brown-out, and without reports */
    dimmer_tier_t tiers[DIMMER_MAX_TIERS];
} dimmer_policy_t;

/* When the last report was, what its gauge says, and what of it is believed. All zero before the first. */
typedef struct {
    uint32_t last_s;   /* time of the last report */
    uint32_t passed_s; /* from the one before to it; 0 where the clock was set in between */
    uint32_t silent_s; /* since the gauge last said anything */
    uint16_t believed; /* permille and 1: the last reading that was believed; 0: none was */
    uint8_t odd;       /* jumps in a row that were not believed */
    uint8_t reserved;
} dimmer_charge_t;

/* All zero before the first report. */
typedef struct {
    dimmer_charge_t charge;
    uint32_t held_s;   /* how long a brighter tier has held */
    uint8_t tier;      /* index into tiers[] */
    uint8_t candidate; /* that tier's index and 1; 0: none has */
    uint8_t reserved[2];
} dimmer_policy_state_t;

/* Called in the middle of an inference, before `position` (1 .. position_count - 1) runs.
 * May call dimmer_set_mode and dimmer_report_battery: the mode holds from `position` on. */
typedef void (*dimmer_block_hook_t)(dimmer_t *d, uint16_t position, void *user);

/* What takes a report where a governor chooses. */
typedef dimmer_status_t (*dimmer_governor_call_t)(dimmer_governor_t *g, const dimmer_battery_t *now);

/* Of a gated inference. */
typedef struct {
    uint8_t stage;
    uint8_t begun; /* 0 until the gates have run in this inference */
    volatile uint8_t level;
    int16_t state[DIMMER_GATE_UNITS];
    uint8_t choice[DIMMER_MAX_GATES];
} dimmer_gating_t;

/* How far the check of a model's tables in flash has come. */
typedef struct {
    uint32_t passes; /* whole ones */
    uint32_t part;   /* of those that src/check.c knows */
    uint32_t offset; /* in it, bytes */
    uint32_t crc;    /* of all before */
} dimmer_checking_t;

/* The fields are private; the struct is here so that the caller can own one. All zero, as a static one is,
 * after a dimmer_init that failed, or once damage was found, every function below is safe to call and says
 * that there is no model. */
struct dimmer {
    const dimmer_model_t *model;
    uint8_t *arena;
    dimmer_block_hook_t hook;
    void *user;
    const dimmer_policy_t *policy;
    dimmer_governor_t *governor; /* null: the policy's tiers choose */
    dimmer_governor_call_t governor_report;
    uintptr_t seal; /* of the pointers above and the numbers that nobody else may change */
    dimmer_policy_state_t policy_state;
    uint32_t reported_s;          /* time of the last report */
    uint32_t calm_s;              /* since the last brown-out */
    uint32_t inferences_left;     /* until reports are missed; 0: they are not */
    volatile uint8_t wanted;      /* mode of the next position */
    uint8_t running;              /* mode of the position that ran last */
    uint8_t mode_count;           /* the model's; 0 without one */
    uint8_t gated;                /* whether it has gates */
    uint8_t safe_mode;            /* the policy's */
    volatile uint8_t browned_out; /* whether safe_mode runs in place of the mode that is wanted */
    volatile uint8_t brown_outs;  /* counted, modulo 256 */
    uint8_t brown_outs_seen;      /* by the last report */
    dimmer_gating_t gating;
    dimmer_checking_t checking;
};

/* Checks the model (magic, ABI, byte order, every pointer, CRC, every index) and the arena, then
 * selects mode 0.
 * The model and the arena must outlive `d`. The arena is not touched.
 * Returns DIMMER_OK or the first thing that is wrong. */
dimmer_status_t dimmer_init(dimmer_t *d, const dimmer_model_t *model, void *arena, size_t arena_size);

/* Where to write the input, which an inference destroys: fill it before each dimmer_invoke.
 * Returns int8[input size]; reinterpret it where the model's input type is another one. Null without a
 * model. */
int8_t *dimmer_input(dimmer_t *d);

/* Returns the result of the last dimmer_invoke, valid until the input is next written. Null without a
 * model. */
const int8_t *dimmer_output(const dimmer_t *d);

/* Selects the mode for the next position that runs. One byte is stored, so it may be called from
 * an interrupt in the middle of an inference, and from another thread where the library is compiled as C11.
 * DIMMER_MODE_GATED holds from the next stage on, where the gates look at the stream. Returns DIMMER_ERR_MODE
 * where the model has no such mode; the mode then stays as it was. DIMMER_ERR_INIT without a model. */
dimmer_status_t dimmer_set_mode(dimmer_t *d, dimmer_mode_id_t mode);

/* Returns the mode that was selected last. */
dimmer_mode_id_t dimmer_mode(const dimmer_t *d);

/* Returns the mode that the last position really ran in (inside the hook: the one before `position`). */
dimmer_mode_id_t dimmer_running_mode(const dimmer_t *d);

/* Sets the budget of the gates, from the next stage on: 255 is the 8-bit super-net's cost, every 51 less
 * halve it. One byte is stored, as by dimmer_set_mode. It is 255 after dimmer_init. */
void dimmer_set_budget(dimmer_t *d, uint8_t level);

/* Returns how many blocks the gates choose for, 0 where the model has no gates, or without a model. */
uint16_t dimmer_gated_blocks(const dimmer_t *d);

/* Returns the bits that a block, 0 .. dimmer_gated_blocks() - 1, ran with in the last inference;
 * DIMMER_BITS_UNKNOWN where the gates did not run it, and for any other number. */
uint8_t dimmer_gated_bits(const dimmer_t *d, uint16_t block);

/* Gives the policy the state of the battery; the policy may change the mode. Where a governor chooses
 * (dimmer_govern), the report is for it, and the mode changes with the next dimmer_next.
 * Returns DIMMER_ERR_POLICY where the model has no policy, DIMMER_ERR_INIT without a model. */
dimmer_status_t dimmer_report_battery(dimmer_t *d, const dimmer_battery_t *now);

/* The supply sags: from the next block on, the policy's safe mode runs, whatever is selected, before or
 * after. Two bytes are stored: it may be called from an interrupt in the middle of an inference, also of one
 * that interrupts dimmer_set_mode or dimmer_report_battery. Reports lift it after DIMMER_BROWN_OUT_S seconds
 * without another one, and at once on external power; so does dimmer_recover. */
void dimmer_brown_out(dimmer_t *d);

/* What is selected runs again. */
void dimmer_recover(dimmer_t *d);

/* Replaces the policy that the model was generated with; null brings it back. The policy must outlive `d`.
 * The next report begins anew: no hysteresis, no dwell. Returns what dimmer_policy_check says,
 * DIMMER_ERR_MODE where the model lacks a mode of it, DIMMER_ERR_INIT without a model; the policy then stays
 * as it was. */
dimmer_status_t dimmer_set_policy(dimmer_t *d, const dimmer_policy_t *policy);

/* Returns DIMMER_OK, or DIMMER_ERR_POLICY where there is no tier, or a charge over 1000 permille, a voltage
 * over full_millivolts, or one of a tier's thresholds is over that of the tier before it. */
dimmer_status_t dimmer_policy_check(const dimmer_policy_t *policy);

/* Sets the function that is called between positions; null for none. */
void dimmer_on_block(dimmer_t *d, dimmer_block_hook_t hook, void *user);

/* Runs one inference on what dimmer_input holds. Before it, the state in RAM, the model's pointers and its
 * dimensions are checked, and on the way every index. Returns DIMMER_OK; DIMMER_ERR_INIT without a model;
 * DIMMER_ERR_STATE, DIMMER_ERR_CRC or DIMMER_ERR_TABLE where one of them is damaged, and from then on there
 * is no model: DIMMER_ERR_STATE, too, where a report in the hook found something damaged. */
dimmer_status_t dimmer_invoke(dimmer_t *d);

/* For a watchdog's task, between two inferences: checks the state and all pointers, and goes on with the CRC
 * of the tables and weights in flash for about `bytes` more bytes; behind the last one it is compared, and
 * the next pass begins. 1024 bytes take at most 13,000 instructions of a Cortex-M4. Not while an inference
 * runs. Returns as dimmer_invoke. */
dimmer_status_t dimmer_check(dimmer_t *d, uint32_t bytes);

/* Returns how many times dimmer_check has been through all of it since dimmer_init. */
uint32_t dimmer_checked(const dimmer_t *d);

/* The policy by itself, a pure function: going dimmer is immediate, going brighter needs the hysteresis in
 * every report of the dwell. A charge that jumps further than gauges and batteries do is believed when the
 * third report in a row says so, 0 never but of a battery that was nearly empty: so reads a gauge that is not
 * there. On external power tier 0 holds. A clock that is set, or steps back,
 * counts as no time. Needs policy->tier_count >= 1.
 * Returns the new state; the mode is policy->tiers[state.tier].mode. */
dimmer_policy_state_t dimmer_policy_next(const dimmer_policy_t *policy, dimmer_policy_state_t last,
                                         const dimmer_battery_t *now);

/* The same, in place. */
void dimmer_policy_step(const dimmer_policy_t *policy, dimmer_policy_state_t *state,
                        const dimmer_battery_t *now);

/* CRC-32 as zlib computes it; start with crc = 0, go on with the result. */
uint32_t dimmer_crc32(uint32_t crc, const void *data, size_t size);

/* Returns one English line, never null. */
const char *dimmer_status_text(dimmer_status_t status);

#ifdef __cplusplus
}
#endif

#endif
