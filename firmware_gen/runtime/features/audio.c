/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_audio.h"
#include "dimmer_fixed_point.h"
#include "fixed.h"
#include "fourier.h"

dimmer_status_t dimmer_audio_init(dimmer_audio_stream_t *stream, const dimmer_audio_t *audio, void *memory,
                                  size_t size) {
    int32_t *words = (int32_t *)memory;
    uint32_t points;
    int gain;

    if (stream == NULL || audio == NULL || memory == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    gain = audio->gain != NULL;
    points = (uint32_t)1 << audio->fft_log2;
    if ((uintptr_t)memory % 4u != 0u) {
        return DIMMER_ERR_ARENA_ALIGN;
    }
    if (size < DIMMER_AUDIO_BYTES(audio->window, points, audio->bands, gain)) {
        return DIMMER_ERR_ARENA_SIZE;
    }
    stream->audio = audio;
    stream->spectrum = words;
    stream->bands = (uint32_t *)(words + points);
    stream->estimates = stream->bands + (gain ? audio->bands : 0);
    stream->samples = (int16_t *)(stream->estimates + audio->bands);
    dimmer_audio_reset(stream);
    return DIMMER_OK;
}

void dimmer_audio_reset(dimmer_audio_stream_t *stream) {
    stream->filled = 0;
    stream->level = 0;
    memset(stream->estimates, 0, 4u * stream->audio->bands);
}

/* Of i, its log2 bits from back to front, where `before` is that of i - 1. */
static inline uint32_t next_reversed(uint32_t before, uint32_t i, uint32_t log2) {
#if defined(__thumb2__) && defined(__GNUC__)
    uint32_t reversed;

    (void)before;
    __asm__("rbit %0, %1" : "=r"(reversed) : "r"(i));
    return reversed >> (32u - log2);
#else
    uint32_t bit = (uint32_t)1 << (log2 - 1u);

    for (; (before & bit) != 0u; bit >>= 1) {
        before ^= bit;
    }
    (void)i;
    return before | bit;
#endif
}

/* The window's samples under its function, two to a complex value, in bit-reversed order. */
static void place(const dimmer_audio_stream_t *stream, uint32_t log2) {
    const dimmer_audio_t *audio = stream->audio;
    const int16_t *sample = stream->samples;
    const int16_t *shape = audio->shape;
    const int16_t *end = sample + audio->window;
    /* As many bits as the transform may add. */
    const int lost = (int)(log2 - log2 / 2u);
    const uint32_t points = (uint32_t)1 << log2;
    uint32_t reversed = 0;
    uint32_t i;

    for (i = 1; i <= points; ++i) {
        int32_t *to = stream->spectrum + 2u * reversed;

        if (sample < end) {
            to[0] = (sample[0] * shape[0]) >> lost;
            to[1] = (sample[1] * shape[1]) >> lost;
            sample += 2;
            shape += 2;
        } else {
            to[0] = 0;
            to[1] = 0;
        }
        reversed = next_reversed(reversed, i, log2);
    }
}

/* cos(2 pi k / n) in the lower half, sin in the upper, Q15; n = 4 * quarter, k in 0..n / 2. */
static inline int32_t wave_at(const int16_t *sines, uint32_t quarter, uint32_t k) {
    if (k <= quarter) {
        return (int32_t)(((uint32_t)sines[quarter - k] & 0xffffu) | ((uint32_t)sines[k] << 16));
    }
    return (int32_t)(((uint32_t)-sines[k - quarter] & 0xffffu) | ((uint32_t)sines[2u * quarter - k] << 16));
}

/* Half the transform of the real samples at a frequency, squared. */
static inline uint64_t power_at(const int32_t *values, uint32_t points, const int16_t *sines, uint32_t k) {
    const int32_t *z = values + 2u * (k & (points - 1u));
    const int32_t *other = values + 2u * ((points - k) & (points - 1u));
    const int32_t w = wave_at(sines, points / 2u, k);
    const int32_t difference0 = (z[0] >> 1) - (other[0] >> 1);
    const int32_t difference1 = (z[1] >> 1) + (other[1] >> 1);
    const int32_t real = (z[0] >> 2) + (other[0] >> 2) + mul_low(difference1, w) - mul_high(difference0, w);
    const int32_t imaginary =
        (z[1] >> 2) - (other[1] >> 2) - mul_low(difference0, w) - mul_high(difference1, w);

    return (uint64_t)((int64_t)real * real) + (uint64_t)((int64_t)imaginary * imaginary);
}

/* Triangles that overlap by half: what a bin does not give to the lower band it gives to the upper one. */
static void add_magnitudes(const dimmer_audio_stream_t *stream, uint32_t points) {
    const dimmer_audio_t *audio = stream->audio;
    const uint16_t *weight = audio->weights;
    uint32_t upper = 0;
    uint32_t k = audio->first_bin;
    uint32_t band;

    for (band = 0; band <= audio->bands; ++band) {
        uint32_t lower = upper;
        uint32_t bins = audio->bins[band];

        upper = 0;
        for (; bins > 0u; --bins) {
            const uint32_t value = root_of(power_at(stream->spectrum, points, audio->sines, k));
            const uint32_t share = mul_share(value, *weight++);

            lower += share;
            upper += value - share;
            ++k;
        }
        if (band > 0u) {
            stream->bands[band - 1u] = lower;
        }
    }
}

static void add_powers(const dimmer_audio_stream_t *stream, uint32_t points) {
    const dimmer_audio_t *audio = stream->audio;
    const uint16_t *weight = audio->weights;
    uint64_t upper = 0;
    uint32_t k = audio->first_bin;
    uint32_t band;

    for (band = 0; band <= audio->bands; ++band) {
        uint64_t lower = upper;
        uint32_t bins = audio->bins[band];

        upper = 0;
        for (; bins > 0u; --bins) {
            const uint64_t value = power_at(stream->spectrum, points, audio->sines, k);
            const uint64_t share =
                ((value >> 16) * *weight) + ((((uint32_t)value & 0xffffu) * (uint32_t)*weight) >> 16);

            ++weight;
            lower += share;
            upper += value - share;
            ++k;
        }
        if (band > 0u) {
            stream->bands[band - 1u] = root_of(lower) >> audio->root_shift;
        }
    }
}

static int8_t code_of(const dimmer_audio_t *audio, int32_t value) {
    const int32_t code = dimmer_requantize(value, audio->multiplier, audio->shift);

    return dimmer_clamp_s8(code + audio->zero_point, INT8_MIN, INT8_MAX);
}

static void write_row(dimmer_audio_stream_t *stream, int8_t *row) {
    const dimmer_audio_t *audio = stream->audio;
    const uint32_t log2 = audio->fft_log2 - 1u;
    const int16_t *cosine = audio->cosines;
    int32_t *logs = (int32_t *)stream->bands;
    uint32_t i;
    uint32_t k;

    place(stream, log2);
    dimmer_fourier(stream->spectrum, log2, audio->turns);
    if (audio->spectrum == DIMMER_AUDIO_MAGNITUDE) {
        add_magnitudes(stream, (uint32_t)1 << log2);
    } else {
        add_powers(stream, (uint32_t)1 << log2);
    }
    if (audio->reduce != NULL) {
        audio->reduce(audio, stream->bands, stream->estimates);
    }
    stream->level = 0;
    for (i = 0; i < audio->bands; ++i) {
        const int32_t log = log2_of((uint64_t)stream->bands[i] + audio->offset);

        stream->level += log;
        logs[i] = log - audio->log_bias;
    }
    if (audio->coefficients == 0u) {
        for (i = 0; i < audio->bands; ++i) {
            row[i] = code_of(audio, logs[i]);
        }
    }
    for (k = 0; k < audio->coefficients; ++k) {
        int32_t sum = 0;

        for (i = 0; i < audio->bands; ++i) {
            sum += mul_low(logs[i], *cosine++);
        }
        row[k] = code_of(audio, sum);
    }
}

size_t dimmer_audio_push(dimmer_audio_stream_t *stream, const int16_t *samples, size_t count, int8_t *row,
                         int *ready) {
    const dimmer_audio_t *audio = stream->audio;
    const size_t wanted = (size_t)(audio->window - stream->filled);
    const size_t taken = count < wanted ? count : wanted;

    DIMMER_ASSERT(samples != NULL && row != NULL && ready != NULL);
    memcpy(stream->samples + stream->filled, samples, taken * sizeof *samples);
    stream->filled = (uint16_t)(stream->filled + taken);
    *ready = stream->filled == audio->window;
    if (*ready) {
        write_row(stream, row);
        stream->filled = (uint16_t)(audio->window - audio->step);
        memmove(stream->samples, stream->samples + audio->step, stream->filled * sizeof *samples);
    }
    return taken;
}
