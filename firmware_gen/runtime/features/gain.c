/* SPDX-License-Identifier: Apache-2.0 */
/* Spectral subtraction of a running estimate of the noise, and per-channel amplitude normalisation (PCAN):
 * what TFLite-Micro's microfrontend computes, with powers of 2 by table. */
#include "dimmer_audio.h"
#include "fixed.h"

/* Of the ratio of signal and noise, and of what goes on to the logarithm. */
#define RATIO_BITS 12
#define BAND_BITS  9

/* x * x / 4 below 2, x - 1 above. */
static uint32_t shrunk(uint32_t ratio) {
    if (ratio < 2u << RATIO_BITS) {
        return (ratio * ratio) >> (2 + 2 * RATIO_BITS - BAND_BITS);
    }
    return (ratio >> (RATIO_BITS - BAND_BITS)) - (1u << BAND_BITS);
}

void dimmer_audio_reduce(const dimmer_audio_t *audio, uint32_t *bands, uint32_t *estimates) {
    const dimmer_audio_gain_t *gain = audio->gain;
    const uint32_t most = UINT32_MAX >> gain->estimate_shift;
    uint32_t i;

    for (i = 0; i < audio->bands; ++i) {
        const uint16_t smoothing = (i & 1u) != 0u ? gain->smoothing_odd : gain->smoothing_even;
        const uint32_t value = bands[i] < most ? bands[i] : most;
        const uint32_t fine = value << gain->estimate_shift;
        uint32_t estimate = estimates[i];
        uint32_t left;
        uint32_t least;

        if (fine >= estimate) {
            estimate += mul_share(fine - estimate, smoothing);
        } else {
            estimate -= mul_share(estimate - fine, smoothing);
        }
        estimates[i] = estimate;
        left = (fine > estimate ? fine - estimate : 0u) >> gain->estimate_shift;
        least = mul_share(value, gain->least);
        left = left > least ? left : least;
        if (gain->strength != 0u && left != 0u) {
            const int32_t noise = log2_of((uint64_t)estimate + gain->offset);
            const int32_t down = (int32_t)mul_share((uint32_t)noise, gain->strength);

            left = shrunk(exp2_of(log2_of(left) + gain->scale - down));
        }
        bands[i] = left;
    }
}
