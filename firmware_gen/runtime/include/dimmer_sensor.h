/* SPDX-License-Identifier: Apache-2.0 */
/* Filters and standardisation of a sensor's samples, in integers: the bits of
 * firmware_gen/features/sensor.py. */
#ifndef DIMMER_SENSOR_H
#define DIMMER_SENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "dimmer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y = b0 x + b1 x1 + b2 x2 - a1 y1 - a2 y2, coefficients Q30. */
typedef struct {
    int32_t b0;
    int32_t b1;
    int32_t b2;
    int32_t a1;
    int32_t a2;
} dimmer_biquad_t;

/* In flash. The filters are those of every channel. */
typedef struct {
    uint8_t channels;
    uint8_t sections; /* biquads, one after the other */
    uint8_t taps;     /* of the FIR filter behind them; 0 for none */
    uint8_t keep;     /* every keep-th sample becomes a row */
    int16_t zero_point;
    const dimmer_biquad_t *biquads;
    const int16_t *fir;   /* int16[taps], the newest sample's first, Q15 */
    const int32_t *means; /* int32[channels], Q8 */
    const int32_t
        *multipliers; /* int32[channels]: code = (value - mean) * multiplier * 2^(shift - 31) + zero_point */
    const int8_t *shifts; /* int8[channels], -31..0 */
} dimmer_sensor_t;

/* The caller's; memory as large as the generated header says. */
typedef struct {
    const dimmer_sensor_t *sensor;
    int32_t *pasts; /* [channels][sections][4]: x1, x2, y1, y2, Q8 */
    int32_t *line;  /* [channels][taps], Q8 */
    uint8_t newest; /* of the line */
    uint8_t due;    /* samples until a row is */
} dimmer_sensor_stream_t;

/* Bytes of memory for a stream, at a multiple of 4. */
#define DIMMER_SENSOR_BYTES(channels, sections, taps) (4u * (channels) * (4u * (sections) + (taps)))

/* Begins a stream: as after zeros. memory must stay, and may be null where there is no filter. Returns
 * DIMMER_ERR_ARENA_SIZE where it is too small, DIMMER_ERR_ARENA_ALIGN where it lies at no multiple of 4. */
dimmer_status_t dimmer_sensor_init(dimmer_sensor_stream_t *stream, const dimmer_sensor_t *sensor,
                                   void *memory, size_t size);

/* Takes a sample of every channel, int16[channels]. Returns 1 where it wrote a row, int8[channels], else 0.
 */
int dimmer_sensor_push(dimmer_sensor_stream_t *stream, const int16_t *sample, int8_t *row);

#ifdef __cplusplus
}
#endif

#endif
