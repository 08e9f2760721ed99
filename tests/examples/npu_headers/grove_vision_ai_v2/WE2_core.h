/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WE2_CORE_H
#define WE2_CORE_H
#include <stdint.h>
void SystemGetTick(uint32_t *tick, uint32_t *loops);
void EPII_NVIC_SetVector(int number, uint32_t vector);
#endif
