/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_detector.h"

dimmer_status_t dimmer_detector_init(dimmer_detector_stream_t *stream, const dimmer_detector_t *detector,
                                     void *memory, size_t size) {
    if (stream == NULL || detector == NULL || memory == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    if ((uintptr_t)memory % 2u != 0u) {
        return DIMMER_ERR_ARENA_ALIGN;
    }
    if (size < DIMMER_DETECTOR_BYTES((size_t)detector->classes, detector->average)) {
        return DIMMER_ERR_ARENA_SIZE;
    }
    stream->detector = detector;
    stream->sums = (int16_t *)memory;
    stream->scores = (int8_t *)(stream->sums + detector->classes);
    dimmer_detector_reset(stream);
    return DIMMER_OK;
}

void dimmer_detector_reset(dimmer_detector_stream_t *stream) {
    const dimmer_detector_t *detector = stream->detector;
    uint32_t i;

    stream->next = 0;
    stream->quiet_left = 0;
    memset(stream->scores, INT8_MIN, (size_t)detector->classes * detector->average);
    for (i = 0; i < detector->classes; ++i) {
        stream->sums[i] = (int16_t)(INT8_MIN * detector->average);
    }
}

int dimmer_detector_push(dimmer_detector_stream_t *stream, const int8_t *scores) {
    const dimmer_detector_t *detector = stream->detector;
    int8_t *oldest = stream->scores + (size_t)stream->next * detector->classes;
    int found = DIMMER_NOTHING;
    int32_t most = INT32_MIN;
    uint32_t i;

    DIMMER_ASSERT(scores != NULL);
    for (i = 0; i < detector->classes; ++i) {
        const int32_t sum = stream->sums[i] + scores[i] - oldest[i];

        stream->sums[i] = (int16_t)sum;
        oldest[i] = scores[i];
        if (sum >= detector->thresholds[i] && sum > most) {
            most = sum;
            found = (int)i;
        }
    }
    stream->next = (uint8_t)(stream->next + 1u == detector->average ? 0u : stream->next + 1u);
    if (stream->quiet_left > 0u) {
        stream->quiet_left = (uint16_t)(stream->quiet_left - 1u);
        return DIMMER_NOTHING;
    }
    if (found != DIMMER_NOTHING) {
        stream->quiet_left = detector->quiet;
    }
    return found;
}
