/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_fixed_point.h"
#include "dimmer_sensor.h"

/* Values have so many bits behind the point, and stay so small that no sum of five products overflows. */
#define POINT 8
#define MOST  ((int32_t)1 << 28)

dimmer_status_t dimmer_sensor_init(dimmer_sensor_stream_t *stream, const dimmer_sensor_t *sensor,
                                   void *memory, size_t size) {
    size_t needed;

    if (stream == NULL || sensor == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    needed = DIMMER_SENSOR_BYTES((size_t)sensor->channels, sensor->sections, sensor->taps);
    if (needed > 0u && memory == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    if ((uintptr_t)memory % 4u != 0u) {
        return DIMMER_ERR_ARENA_ALIGN;
    }
    if (size < needed) {
        return DIMMER_ERR_ARENA_SIZE;
    }
    stream->sensor = sensor;
    stream->pasts = (int32_t *)memory;
    stream->line = needed > 0u ? stream->pasts + 4u * sensor->sections * sensor->channels : NULL;
    stream->newest = 0;
    stream->due = sensor->keep;
    if (needed > 0u) {
        memset(memory, 0, needed);
    }
    return DIMMER_OK;
}

static int32_t limited(int64_t value) {
    return (int32_t)(value > MOST ? MOST : value < -MOST ? -MOST : value);
}

static int32_t filtered(const dimmer_biquad_t *f, int32_t *past, int32_t x) {
    const int64_t sum = (int64_t)f->b0 * x + (int64_t)f->b1 * past[0] + (int64_t)f->b2 * past[1] -
                        (int64_t)f->a1 * past[2] - (int64_t)f->a2 * past[3];
    const int32_t y = limited((sum + ((int64_t)1 << 29)) >> 30);

    past[1] = past[0];
    past[0] = x;
    past[3] = past[2];
    past[2] = y;
    return y;
}

/* The line is a ring: the newest sample first, each older one behind it. */
static int32_t convolved(const dimmer_sensor_t *sensor, const int32_t *line, uint32_t newest) {
    int64_t sum = (int64_t)1 << 14;
    uint32_t at = newest;
    uint32_t k;

    for (k = 0; k < sensor->taps; ++k) {
        sum += (int64_t)line[at] * sensor->fir[k];
        at = at + 1u == sensor->taps ? 0u : at + 1u;
    }
    return limited(sum >> 15);
}

int dimmer_sensor_push(dimmer_sensor_stream_t *stream, const int16_t *sample, int8_t *row) {
    const dimmer_sensor_t *sensor = stream->sensor;
    int32_t *past = stream->pasts;
    const int due = --stream->due == 0u;
    uint32_t channel;
    uint32_t k;

    DIMMER_ASSERT(sample != NULL && row != NULL);
    if (due) {
        stream->due = sensor->keep;
    }
    if (sensor->taps != 0u) {
        stream->newest = (uint8_t)((stream->newest != 0u ? stream->newest : sensor->taps) - 1u);
    }
    for (channel = 0; channel < sensor->channels; ++channel) {
        int32_t value = sample[channel] * (1 << POINT);

        for (k = 0; k < sensor->sections; ++k) {
            value = filtered(&sensor->biquads[k], past, value);
            past += 4;
        }
        if (sensor->taps != 0u) {
            int32_t *line = stream->line + channel * sensor->taps;

            line[stream->newest] = value;
            if (due) {
                value = convolved(sensor, line, stream->newest);
            }
        }
        if (due) {
            const int32_t code = dimmer_requantize(value - sensor->means[channel],
                                                   sensor->multipliers[channel], sensor->shifts[channel]);

            row[channel] = dimmer_clamp_s8(code + sensor->zero_point, INT8_MIN, INT8_MAX);
        }
    }
    return due;
}
