/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of clock cycles, and sleep. */
#include "../bare_metal/start.h"
#include "board.h"
#include "registers.h"

#if defined(DIMMER_CYCLES_DWT)
int board_start_cycles(void) {
    REGISTER(0xE000EDFCu) |= 1u << 24;   /* DEMCR.TRCENA */
    REGISTER(0xE0001FB0u) = 0xC5ACCE55u; /* the lock that some cores have */
    REGISTER(0xE0001000u) |= 1u;
    return (REGISTER(0xE0001000u) & 1u) != 0u && (REGISTER(0xE0001000u) >> 25 & 1u) == 0u; /* NOCYCCNT */
}

uint32_t board_cycles(void) {
    return REGISTER(0xE0001004u);
}

#elif defined(DIMMER_CYCLES_SYSTICK)
static volatile uint32_t wraps;

int board_start_cycles(void) {
    REGISTER(0xE000E014u) = 0xFFFFFFu;
    REGISTER(0xE000E018u) = 0u;
    REGISTER(0xE000E010u) = 7u; /* the core's clock, with its interrupt */
    return (REGISTER(0xE000E010u) & 1u) != 0u;
}

uint32_t board_cycles(void) {
    uint32_t before;
    uint32_t now;

    do {
        before = wraps;
        now = 0xFFFFFFu - REGISTER(0xE000E018u);
    } while (before != wraps);
    return (before << 24) + now;
}

#elif defined(DIMMER_CYCLES_MCYCLE)
#define CSR_READ(number) ".option push\n\t.option arch, +zicsr\n\tcsrr %0, " #number "\n\t.option pop"

int board_start_cycles(void) {
    return 1;
}

uint32_t board_cycles(void) {
    uint32_t cycles;

    __asm__ volatile(CSR_READ(mcycle) : "=r"(cycles) : : "memory");
    return cycles;
}

#elif defined(DIMMER_CYCLES_ESP32C3) /* Espressif's own: PCER, PCMR, PCCR */
int board_start_cycles(void) {
    __asm__ volatile(
        ".option push\n\t.option arch, +zicsr\n\tcsrwi 0x7E0, 1\n\tcsrwi 0x7E1, 1\n\t.option pop");
    return 1;
}

uint32_t board_cycles(void) {
    uint32_t cycles;

    __asm__ volatile(".option push\n\t.option arch, +zicsr\n\tcsrr %0, 0x7E2\n\t.option pop"
                     : "=r"(cycles)
                     :
                     : "memory");
    return cycles;
}

#else
int board_start_cycles(void) {
    return 0;
}

uint32_t board_cycles(void) {
    return 0;
}
#endif

#if defined(__arm__)
/* SysTick's interrupt, which also wakes the core. */
void board_tick(void) {
#if defined(DIMMER_CYCLES_SYSTICK)
    ++wraps;
#endif
}

void board_sleep(uint32_t milliseconds) {
    const uint32_t tick = DIMMER_CLOCK_HZ / 100u < 0xFFFFFFu ? DIMMER_CLOCK_HZ / 100u : 0xFFFFFFu;
    uint32_t ticks = milliseconds / 10u + 1u;

    REGISTER(0xE000E014u) = tick - 1u;
    REGISTER(0xE000E018u) = 0u;
    REGISTER(0xE000E010u) = 7u;
    while (ticks != 0u) {
        __asm__ volatile("wfi");
        if ((REGISTER(0xE000E010u) >> 16 & 1u) != 0u) { /* COUNTFLAG: it came to 0 since the last look */
            --ticks;
        }
    }
    REGISTER(0xE000E010u) = 0u;
}
#elif !defined(DIMMER_CYCLES_MCYCLE) && !defined(DIMMER_CYCLES_ESP32C3)
/* Nothing counts: a turn takes some cycles. */
__attribute__((weak)) void board_sleep(uint32_t milliseconds) {
    volatile uint32_t turns;

    for (; milliseconds != 0u; --milliseconds) {
        for (turns = DIMMER_CLOCK_HZ / 8000u; turns != 0u; --turns) {
        }
    }
}
#else
__attribute__((weak)) void board_sleep(uint32_t milliseconds) {
    const uint32_t start = board_cycles();
    const uint32_t most = 0xFFFFFFFFu / (DIMMER_CLOCK_HZ / 1000u);
    const uint32_t wanted = milliseconds < most ? milliseconds : most;

    while (board_cycles() - start < wanted * (DIMMER_CLOCK_HZ / 1000u)) {
    }
}
#endif

__attribute__((weak)) uint32_t board_supply(void) {
    return 0;
}

static uint8_t gave_supply;

__attribute__((weak)) uint32_t board_millivolts(void) {
    const uint32_t measured = board_supply();

    gave_supply = measured != 0u;
    return measured != 0u ? measured : DIMMER_MILLIVOLTS;
}

int board_gave_supply(void) {
    return gave_supply;
}
