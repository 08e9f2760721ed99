/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIMMER_FEATURES_FOURIER_H
#define DIMMER_FEATURES_FOURIER_H

#include <stdint.h>

/* In place, values[2^log2][2] (real, imaginary) in bit-reversed order: their discrete Fourier transform in
 * order, divided by 2 for each pair of stages. turns: int32[3 * 2^log2 / 4], cos(2 pi k / 2^log2) in the
 * lower half and sin in the upper, Q15. |value| * 2^(log2 - log2 / 2) is below 2^30.6. */
void dimmer_fourier(int32_t *values, uint32_t log2, const int32_t *turns);

#endif
