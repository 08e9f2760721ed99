/* SPDX-License-Identifier: Apache-2.0 */
/* A QUANTIZE in front of a convolution for Helium: inputs go through a table on their way into scratch. */
#ifndef DIMMER_HELIUM_ENTRY_H
#define DIMMER_HELIUM_ENTRY_H

#include "helium.h"

/* The QUANTIZE with these numbers. */
dimmer_helium_entry_t dimmer_helium_entry(int32_t multiplier, int32_t zero_point, int32_t shift);

/* Fills the table: by the input's bits as an unsigned number, as dimmer_requantize_s8. */
void dimmer_helium_entry_prepare(const dimmer_helium_entry_t *entry, int32_t output_zero_point,
                                 int8_t *table);

/* What the table makes of `count` bytes, each to its offset. */
void dimmer_helium_entry_scatter(const int8_t *table, int8_t *to, const int8_t *from, const uint16_t *offsets,
                                 uint32_t count);

/* 16 bytes of each of `pixels` pixels, `step` bytes apart, one after the other. */
void dimmer_helium_entry_split(const int8_t *table, int8_t *to, const int8_t *from, uint32_t pixels,
                               uint32_t step);

#endif
