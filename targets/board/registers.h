/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIMMER_REGISTERS_H
#define DIMMER_REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#endif
