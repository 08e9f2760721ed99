/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples call of CMSIS, declared by us. */
#ifndef CORE_H
#define CORE_H

#include <stdint.h>

typedef int IRQn_Type;

extern uint32_t SystemCoreClock;

void SCB_CleanDCache_by_Addr(volatile void *memory, int32_t size);
void SCB_InvalidateDCache_by_Addr(volatile void *memory, int32_t size);
void NVIC_SetVector(IRQn_Type number, uint32_t vector);
void NVIC_EnableIRQ(IRQn_Type number);
uint32_t SysTick_Config(uint32_t ticks);

#define __WFE() __asm volatile("wfe")

#endif
