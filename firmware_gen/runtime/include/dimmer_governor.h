/* SPDX-License-Identifier: Apache-2.0 */
/* The governor: makes a battery last until a time, and spends what it holds evenly on the way.
 *
 * Each report of the battery gives a budget for an inference, from what is left over the reserve, the time
 * that is left, what the device draws between inferences, and how often inferences come; or, where harvest is
 * to carry the device without an end, from the charge and from what is kept for days without harvest. Each
 * inference runs in one of two neighbours of the plan's points, so that their costs add up to the budgets
 * (sigma-delta modulation of first order). A budget below the cheapest point leaves inferences out, the
 * reserve ends them.
 *
 * Costs are counted in quanta, a power of two of nanocoulombs (or of nanojoules, where the supply is
 * switched); the charge in units of 2^unit_shift quanta. Nothing is floating point, and nothing divides
 * between two reports.
 */
#ifndef DIMMER_GOVERNOR_H
#define DIMMER_GOVERNOR_H

#include "dimmer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* At most this many points in a plan. */
#define DIMMER_MAX_POINTS 8u

/* Sums of a week fit 32 bits. */
#define DIMMER_MAX_SLEEP_Q8   908000u
#define DIMMER_MAX_UNIT_SHIFT 18u

/* A mode, and what an inference in it takes from the battery. */
typedef struct {
    uint16_t cost; /* quanta, 1..65535 */
    uint8_t mode;
    uint8_t level; /* of the gates' budget, where mode is DIMMER_MODE_GATED */
} dimmer_point_t;

struct dimmer_plan {
    uint32_t life_s;    /* from the first report, or from the charger, to the deadline; 0: there is none, and
                           what is harvested is to carry the device */
    uint32_t sleep_q8;  /* drawn all the time: quanta a second times 256, at most DIMMER_MAX_SLEEP_Q8 */
    uint32_t wanted_q8; /* inferences expected between two reports, times 256, until they are learnt */
    uint16_t permille_units;   /* units in a permille of the full store, 1..65535 */
    uint16_t harvest_q8;       /* quanta in a microampere second of harvest, times 256; 0: none is expected */
    uint16_t reserve_permille; /* not spent on inferences */
    uint16_t report_s;         /* the application reports about so often */
    uint8_t cold_q6;           /* more reserve: permille a tenth of a kelvin under 8.5 degrees Celsius, times
                                  64 */
    uint8_t unit_shift;        /* 0..DIMMER_MAX_UNIT_SHIFT */
    uint8_t low_q6; /* without a deadline: of the full store times 64, below which the cheapest mode alone
                       runs; 0..63 */
    uint8_t count;  /* of points, 1..DIMMER_MAX_POINTS */
    dimmer_point_t points[DIMMER_MAX_POINTS]; /* by rising cost: the concave hull of accuracy over cost */
};

/* Of the tables in flash, as dimmer_tables.h checks the others. */
typedef char dimmer_plan_t_size_check[(sizeof(struct dimmer_plan) == 56u) ? 1 : -1];

/* What is to be done with the next inference. */
typedef enum {
    DIMMER_RUN = 0,
    DIMMER_SKIP = 1, /* the battery does not carry every inference: leave this one out */
    DIMMER_STOP = 2  /* only the reserve is left, or the state is damaged: dimmer_report_battery says which */
} dimmer_advice_t;

/* What carried the device at the last report. The flag of a report is the lowest bit. */
enum { DIMMER_NO_REPORT = 0, DIMMER_ON_BATTERY = 2, DIMMER_POWERED = 2 | DIMMER_EXTERNAL_POWER };

/* The fields are private. A copy that was kept over a reset goes on where it was, in the same firmware alone:
 * after an update dimmer_govern starts anew, since the layout may be another. */
struct dimmer_governor {
    const dimmer_plan_t *plan;
    uintptr_t seal;    /* of the pointer */
    uint8_t neighbour; /* the cheaper one: 0 is no inference, k points[k - 1] */
    uint8_t stopped;
    uint8_t supply;       /* DIMMER_NO_REPORT .. DIMMER_POWERED */
    uint8_t own_deadline; /* set at run time: the charger does not begin it anew */
    dimmer_charge_t gauge;
    uint32_t life_s;     /* 0: no deadline */
    uint32_t full;       /* units */
    uint32_t rest_s;     /* until the deadline; 0: it is over */
    uint32_t left;       /* units */
    uint32_t begun;      /* quanta of a unit, which `left` counts as soon as it is begun */
    uint32_t unmoved;    /* units spent since the gauge last moved */
    uint32_t span_s;     /* learnt: in so many seconds ... */
    uint32_t wanted_q8;  /* ... so many inferences are wanted, times 256 */
    uint32_t inferences; /* since the last report */
    uint32_t missed;     /* after so many inferences, reports are */
    uint32_t granted;    /* quanta until the next report */
    uint32_t credit;     /* what of them is left */
    uint32_t budget;     /* quanta an inference */
    uint32_t owed;       /* what costs lag behind budgets */
    uint32_t step;       /* cost from the cheaper neighbour to the dearer */
    uint32_t extra;      /* budget over the cheaper one's cost */
};

/* ---- With a dimmer_t ---- */

/* From here on the governor chooses, by the plan that the model was generated with, and dimmer_report_battery
 * is for it. `g` must outlive `d`; its content is lost. Returns DIMMER_ERR_PLAN where the model has no plan,
 * DIMMER_ERR_INIT without a model. */
dimmer_status_t dimmer_govern(dimmer_t *d, dimmer_governor_t *g);

/* Changes the plan and keeps what was learnt: all but permille_units and unit_shift may be other values, such
 * as in a changed copy of d->model->plan. It must outlive `g`. A changed life_s holds from the next
 * dimmer_governor_last on, or from the charger.
 * Returns DIMMER_ERR_PLAN where dimmer_plan_check finds a fault or the units differ, DIMMER_ERR_MODE where
 * the model lacks a mode of it, DIMMER_ERR_INIT where no governor chooses; nothing is changed then. */
dimmer_status_t dimmer_set_plan(dimmer_t *d, const dimmer_plan_t *plan);

/* The policy's tiers choose again, from the next report on. */
void dimmer_govern_no_more(dimmer_t *d);

/* Call it for each inference that is wanted: it selects the mode, and says whether to run it at all. Without
 * a governor it changes nothing and returns DIMMER_RUN; with one, DIMMER_STOP where the state is damaged, or
 * was found to be. */
dimmer_advice_t dimmer_next(dimmer_t *d);

/* ---- By itself, pure functions of the governor's state ---- */

/* Returns DIMMER_OK, or DIMMER_ERR_PLAN where a number of the plan cannot be. */
dimmer_status_t dimmer_plan_check(const dimmer_plan_t *plan);

/* Begins with a plan that passes dimmer_plan_check. Until the first report, and where it brings no charge,
 * the store is taken for full. */
void dimmer_governor_start(dimmer_governor_t *g, const dimmer_plan_t *plan);

/* The battery is to last for so many seconds from now on. Once the deadline is over, what is left is spread
 * over a day, again and again. 0: there is no deadline, what is harvested is to carry the device. Returns
 * DIMMER_ERR_PLAN for 0 where the plan expects no harvest. */
dimmer_status_t dimmer_governor_last(dimmer_governor_t *g, uint32_t seconds);

/* Takes the store to hold `permille`: after a reset of a board that has no gauge.
 * Returns DIMMER_ERR_ARGUMENT for more than 1000. */
dimmer_status_t dimmer_governor_set_charge(dimmer_governor_t *g, uint16_t permille);

/* One report. A reading that is not known, jumps, or has not moved for a sixteenth of the store is not
 * believed: the governor then goes by its own count. A clock that is set, or steps back, counts as no time.
 * Returns DIMMER_OK; DIMMER_ERR_STATE where the state is damaged, which then stays as it is. */
dimmer_status_t dimmer_governor_report(dimmer_governor_t *g, const dimmer_battery_t *now);

/* The next inference: `point` becomes the one to run, where DIMMER_RUN is returned. Where reports are missed,
 * for about eight times as many inferences as used to lie between two of them, the cheapest one. Where the
 * state is damaged, DIMMER_STOP. */
dimmer_advice_t dimmer_governor_choose(dimmer_governor_t *g, const dimmer_point_t **point);

/* Returns the charge, permille, rounded down. */
uint16_t dimmer_governor_charge(const dimmer_governor_t *g);

/* Returns of 1000 inferences that are wanted how many run. */
uint16_t dimmer_governor_share(const dimmer_governor_t *g);

/* Returns the seconds until only the reserve is left, at the present budget and rate and without harvest;
 * UINT32_MAX: more than that. */
uint32_t dimmer_governor_life_s(const dimmer_governor_t *g);

#ifdef __cplusplus
}
#endif

#endif
