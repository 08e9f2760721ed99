/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_assert.h"
#include "dimmer_detector.h"
#include "fixed.h"

void dimmer_activity_init(dimmer_activity_stream_t *stream, const dimmer_activity_t *activity) {
    DIMMER_ASSERT(stream != NULL && activity != NULL);
    stream->activity = activity;
    stream->floor = 0;
    stream->active = 0;
    stream->begun = 0;
}

int dimmer_activity_push(dimmer_activity_stream_t *stream, int32_t level) {
    const dimmer_activity_t *activity = stream->activity;
    int32_t over;

    if (stream->begun == 0u) {
        stream->begun = 1;
        stream->floor = level;
    }
    over = level - stream->floor;
    if (over > activity->margin) {
        stream->active = (uint16_t)(activity->hold + 1u);
    }
    if (over >= 0) {
        stream->floor += (int32_t)mul_share((uint32_t)over, activity->rise);
    } else {
        stream->floor -= (int32_t)mul_share((uint32_t)-over, activity->fall);
    }
    if (stream->active == 0u) {
        return 0;
    }
    stream->active = (uint16_t)(stream->active - 1u);
    return 1;
}
