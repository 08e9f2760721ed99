/* SPDX-License-Identifier: Apache-2.0 */
/* By these eight bytes an ESP32-C3's ROM knows a program that it starts without a bootloader, at the ninth.
 * Chips of revision 3 and later do, with secure boot off. */
#include <stdint.h>

__attribute__((section(".direct_boot"), used)) static const uint32_t direct_boot[2] = {0xAEDB041Du,
                                                                                       0xAEDB041Du};
