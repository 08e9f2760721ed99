/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream of inferences comes to: scores smoothed and held against a threshold, and inferences left out
 * while nothing happens. The bits of firmware_gen/features/detector.py. */
#ifndef DIMMER_DETECTOR_H
#define DIMMER_DETECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "dimmer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DIMMER_NOTHING (-1)

/* In flash. */
typedef struct {
    uint8_t classes;
    uint8_t average;           /* of so many of the newest scores */
    uint16_t quiet;            /* inferences after a detection that detect nothing */
    const int16_t *thresholds; /* int16[classes]: sum of `average` codes; INT16_MAX: this class is no event */
} dimmer_detector_t;

/* The caller's; memory is DIMMER_DETECTOR_BYTES. */
typedef struct {
    const dimmer_detector_t *detector;
    int16_t *sums;  /* [classes] */
    int8_t *scores; /* [average][classes] */
    uint8_t next;
    uint16_t quiet_left;
} dimmer_detector_stream_t;

/* Bytes of memory for a stream, at a multiple of 2. */
#define DIMMER_DETECTOR_BYTES(classes, average) ((2u + (average)) * (classes))

/* Begins a stream: all scores before were the least there is. memory must stay. Returns DIMMER_ERR_ARENA_SIZE
 * where it is too small, DIMMER_ERR_ARENA_ALIGN where it lies at no multiple of 2. */
dimmer_status_t dimmer_detector_init(dimmer_detector_stream_t *stream, const dimmer_detector_t *detector,
                                     void *memory, size_t size);

/* Forgets all scores. */
void dimmer_detector_reset(dimmer_detector_stream_t *stream);

/* Takes the network's output, int8[classes]. Returns the class that is detected, of several the one with the
 * largest average, or DIMMER_NOTHING. */
int dimmer_detector_push(dimmer_detector_stream_t *stream, const int8_t *scores);

/* In flash: a level over the quietest of late means that something happens. */
typedef struct {
    int32_t margin; /* in the level's units */
    uint16_t rise;  /* share by which the floor follows a higher level, Q16 */
    uint16_t fall;  /* a lower one */
    uint16_t hold;  /* rows that count as active behind one that is */
} dimmer_activity_t;

/* The caller's. */
typedef struct {
    const dimmer_activity_t *activity;
    int32_t floor;
    uint16_t active; /* rows for which it is */
    uint8_t begun;
} dimmer_activity_stream_t;

/* Begins a stream, whose first level is the floor. */
void dimmer_activity_init(dimmer_activity_stream_t *stream, const dimmer_activity_t *activity);

/* Takes a row's level, above -2^30 and below 2^30, as dimmer_audio_stream_t has it. Returns 1 where something
 * happens, else 0. */
int dimmer_activity_push(dimmer_activity_stream_t *stream, int32_t level);

#ifdef __cplusplus
}
#endif

#endif
