/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYSTEM_UTILS_H
#define SYSTEM_UTILS_H
#include <stdint.h>
uint32_t LocalToGlobal(const volatile void *address);
#endif
