/* SPDX-License-Identifier: Apache-2.0 */
/* What the ROM of an RP2350 looks for in the first 4 KiB: a block that says "an image for its Arm cores,
 * secure". RP2350 data sheet, 5.9, "Metadata block details". */
#include <stdint.h>

__attribute__((section(".image_definition"), used)) static const uint32_t image_definition[5] = {
    0xFFFFDED3u, /* a block begins */
    0x10210142u, /* item IMAGE_TYPE, one word: executable, secure, Arm, RP2350 */
    0x000001FFu, /* the last item, after one word */
    0x00000000u, /* a loop of one block */
    0xAB123579u,
};
