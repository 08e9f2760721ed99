/* SPDX-License-Identifier: Apache-2.0 */
/* The battery of a Linux board, as the policy wants it. */
#ifndef DIMMER_BATTERY_H
#define DIMMER_BATTERY_H

#include "dimmer.h"

/* Where the kernel lists batteries. */
#define DIMMER_POWER_SUPPLIES "/sys/class/power_supply"

/* Bytes of an error message. */
#define DIMMER_MESSAGE 512u

/* All zero but `path`: DIMMER_POWER_SUPPLIES, and no voltage that stands for a charge. */
typedef struct {
    const char *path;  /* folder of supplies, one supply, or the hwmon folder of an INA3221 */
    unsigned channel;  /* of the INA3221, 1..3; 0 = 1 */
    uint16_t empty_mv; /* INA3221 only: the voltage of the empty and of the full battery */
    uint16_t full_mv;
} battery_source_t;

/* Reads charge, voltage and harvested current; time_s is the caller's.
 * power_supply: charge_now of charge_full, else energy_now of energy_full, else capacity; while the status is
 * Charging, harvest_ua is current_now; then, and while it is Full or Not charging, flags say
 * DIMMER_EXTERNAL_POWER. INA3221: the charge is where the voltage lies between empty_mv and full_mv. Returns
 * 1, or 0 with one line in `why`, char[DIMMER_MESSAGE]. */
int battery_read(const battery_source_t *source, dimmer_battery_t *now, char *why);

#endif
