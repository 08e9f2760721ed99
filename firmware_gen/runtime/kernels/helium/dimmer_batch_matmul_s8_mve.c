/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/product.h"
#include "../common/require.h"

#if defined(__ARM_FEATURE_MVE)

static void dots(const int8_t *a0, const int8_t *a1, const int8_t *b0, const int8_t *b1, uint32_t count,
                 int32_t sums[4]) {
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];

    /* Te: an even register, as VMLADAVA needs. */
    __asm__("dlstp.8 lr, %[count]\n"
            "1:\n\t"
            "vldrb.8 q0, [%[a0]], #16\n\t"
            "vldrb.8 q2, [%[b0]], #16\n\t"
            "vmladava.s8 %[s0], q0, q2\n\t"
            "vldrb.8 q1, [%[a1]], #16\n\t"
            "vmladava.s8 %[s2], q1, q2\n\t"
            "vldrb.8 q3, [%[b1]], #16\n\t"
            "vmladava.s8 %[s1], q0, q3\n\t"
            "vmladava.s8 %[s3], q1, q3\n\t"
            "letp lr, 1b"
            : [a0] "+&r"(a0), [a1] "+&r"(a1), [b0] "+&r"(b0), [b1] "+&r"(b1), [s0] "+&Te"(s0),
              [s1] "+&Te"(s1), [s2] "+&Te"(s2), [s3] "+&Te"(s3)
            : [count] "r"(count)
            : "q0", "q1", "q2", "q3", "lr", "cc", "memory");
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

void dimmer_batch_matmul_s8_mve(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    dimmer_require(model, record, arena);
    const dimmer_batch_matmul_s8_mve_t *d = (const dimmer_batch_matmul_s8_mve_t *)record;

    DIMMER_ASSERT(d->product.step1 == 1 && d->product.step1_jump == 0 && d->product.depth >= 1u);
    dimmer_products(model, &d->product, arena, d->scratch, dots);
}

#endif
