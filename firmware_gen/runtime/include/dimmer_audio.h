/* SPDX-License-Identifier: Apache-2.0 */
/* Log-mel energies and mel-frequency cepstral coefficients of a stream of samples, in integers.
 *
 * Every bit of a row is that of firmware_gen/features/audio.py, on every core, however the samples are cut
 * into pieces. The tables are generated; docs/features.md says what they can hold.
 */
#ifndef DIMMER_AUDIO_H
#define DIMMER_AUDIO_H

#include <stddef.h>
#include <stdint.h>

#include "dimmer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DIMMER_AUDIO_MAX_BANDS 128

typedef enum { DIMMER_AUDIO_MAGNITUDE, DIMMER_AUDIO_POWER } dimmer_audio_spectrum_t;

/* What lowers steady noise and evens loudness out, band by band, before the logarithm (features/gain.c). */
typedef struct {
    uint16_t smoothing_even; /* share of the new value in the estimate of noise, Q16 */
    uint16_t smoothing_odd;
    uint16_t least;         /* share of a value that is left of it at least, Q16 */
    uint16_t strength;      /* exponent of the gain, Q16; 0 for none */
    uint32_t offset;        /* added to the estimate before it is raised to -strength, at least 1 */
    int32_t scale;          /* log2 of the gain's factor, Q16 */
    uint8_t estimate_shift; /* the estimate has so many bits more */
} dimmer_audio_gain_t;

/* How a row of features is made. All of it lies in flash. */
typedef struct dimmer_audio_config {
    uint16_t window;      /* samples, even, at most 2^fft_log2 */
    uint16_t step;        /* samples from one row to the next, at most window */
    uint16_t first_bin;   /* of the spectrum that a band reads */
    uint8_t fft_log2;     /* 6..11 */
    uint8_t bands;        /* 1..DIMMER_AUDIO_MAX_BANDS */
    uint8_t spectrum;     /* dimmer_audio_spectrum_t */
    uint8_t root_shift;   /* DIMMER_AUDIO_POWER: bits that the root of a band's power loses */
    uint8_t coefficients; /* of the cosine transform; 0: a row is the logarithms themselves */
    uint8_t columns;      /* of a row */
    uint32_t offset;      /* added to a band before the logarithm, at least 1 */
    int32_t log_bias;     /* subtracted from each log2, Q16 */
    int32_t multiplier;   /* code = value * multiplier * 2^(shift - 31) + zero_point */
    int16_t shift;        /* -31..30 */
    int16_t zero_point;
    const int16_t *shape;            /* int16[window]: the window function, Q15 */
    const int16_t *sines;            /* int16[2^fft_log2 / 4 + 1]: a quarter of a wave, Q15 */
    const int32_t *turns;            /* int32[3 * 2^fft_log2 / 8]: cos and sin of half as many points, Q15 */
    const uint8_t *bins;             /* uint8[bands + 1]: of the spectrum, between one centre and the next */
    const uint16_t *weights;         /* of each bin for the lower of its two bands, Q16 */
    const int16_t *cosines;          /* int16[coefficients][bands], Q15 */
    const dimmer_audio_gain_t *gain; /* or null */
    /* dimmer_audio_reduce where there is a gain: else nothing links it. */
    void (*reduce)(const struct dimmer_audio_config *audio, uint32_t *bands, uint32_t *estimates);
} dimmer_audio_t;

/* The caller's; memory as large as the generated header says. */
typedef struct {
    const dimmer_audio_t *audio;
    int32_t *spectrum;
    uint32_t *bands;
    uint32_t *estimates;
    int16_t *samples;
    uint16_t filled;
    /* Sum of the last row's log2 of all bands, Q16: what dimmer_activity_t looks at. */
    int32_t level;
} dimmer_audio_stream_t;

/* Bytes of memory for a stream, at a multiple of 4. */
#define DIMMER_AUDIO_BYTES(window, fft, bands, gain)                                                         \
    (4u * (fft) + 4u * (bands) * ((gain) ? 2u : 1u) + 2u * (window))

/* Begins a stream: as after silence of no length. memory must stay. Returns DIMMER_ERR_ARENA_SIZE where
 * it is too small, DIMMER_ERR_ARENA_ALIGN where it lies at no multiple of 4. */
dimmer_status_t dimmer_audio_init(dimmer_audio_stream_t *stream, const dimmer_audio_t *audio, void *memory,
                                  size_t size);

/* Forgets all samples, as at the start of another recording. */
void dimmer_audio_reset(dimmer_audio_stream_t *stream);

/* Takes samples until a row is due or none are left. row: int8[columns], written where *ready is set to 1.
 * Returns how many it took: call it again with those that are left. */
size_t dimmer_audio_push(dimmer_audio_stream_t *stream, const int16_t *samples, size_t count, int8_t *row,
                         int *ready);

/* Noise reduction and gain of the bands, for dimmer_audio_t's reduce. */
void dimmer_audio_reduce(const dimmer_audio_t *audio, uint32_t *bands, uint32_t *estimates);

#ifdef __cplusplus
}
#endif

#endif
