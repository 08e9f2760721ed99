/* SPDX-License-Identifier: Apache-2.0 */
#include "helium_entry.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

dimmer_helium_entry_t dimmer_helium_entry(int32_t multiplier, int32_t zero_point, int32_t shift) {
    dimmer_helium_entry_t entry;

    entry.multiplier = multiplier;
    entry.zero_point = zero_point;
    entry.shift = shift;
    entry.scatter = dimmer_helium_entry_scatter;
    entry.split = dimmer_helium_entry_split;
    entry.prepare = dimmer_helium_entry_prepare;
    return entry;
}

void dimmer_helium_entry_prepare(const dimmer_helium_entry_t *entry, int32_t output_zero_point,
                                 int8_t *table) {
    const int32x4_t low = vdupq_n_s32(-128);
    const int32x4_t high = vdupq_n_s32(127);
    int32_t code;

    for (code = -128; code < 128; code += 4) {
        int32x4_t x = vaddq_n_s32((int32x4_t)vidupq_n_u32(0u, 1), code - entry->zero_point);

        x = vqrdmulhq_n_s32(x, entry->multiplier);
        if (entry->shift != 0) {
            x = vrshlq_n_s32(vaddq_s32(x, vshrq_n_s32(x, 31)), entry->shift);
        }
        x = vaddq_n_s32(x, output_zero_point);
        vstrbq_s32(table + (uint8_t)code, vminq_s32(vmaxq_s32(x, low), high));
    }
}

void dimmer_helium_entry_scatter(const int8_t *table, int8_t *to, const int8_t *from, const uint16_t *offsets,
                                 uint32_t count) {
    /* l: one of r0 to r7, as loads of narrower elements need. */
    __asm__ volatile("dlstp.16 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.u16 q0, [%[from]], #8\n\t"
                     "vldrb.u16 q2, [%[table], q0]\n\t"
                     "vldrh.16 q1, [%[offsets]], #16\n\t"
                     "vstrb.16 q2, [%[to], q1]\n\t"
                     "letp lr, 1b"
                     : [from] "+&l"(from), [offsets] "+&r"(offsets)
                     : [count] "r"(count), [table] "r"(table), [to] "r"(to)
                     : "q0", "q1", "q2", "lr", "cc", "memory");
}

void dimmer_helium_entry_split(const int8_t *table, int8_t *to, const int8_t *from, uint32_t pixels,
                               uint32_t step) {
    __asm__ volatile("dls lr, %[pixels]\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]]\n\t"
                     "add %[from], %[from], %[step]\n\t"
                     "vldrb.u8 q1, [%[table], q0]\n\t"
                     "vstrb.8 q1, [%[to]], #16\n\t"
                     "le lr, 1b"
                     : [from] "+&r"(from), [to] "+&r"(to)
                     : [pixels] "r"(pixels), [step] "r"(step), [table] "r"(table)
                     : "q0", "q1", "lr", "cc", "memory");
}

#endif
