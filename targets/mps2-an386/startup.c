/* Cortex-M4F from reset to main, and main's result to the semihosting host. */
#include <stdint.h>

#include "semihosting.h"

extern uint32_t dimmer_data_start[];
extern uint32_t dimmer_data_end[];
extern const uint32_t dimmer_data_source[];
extern uint32_t dimmer_bss_start[];
extern uint32_t dimmer_bss_end[];
extern uint32_t dimmer_stack_limit[];
extern uint32_t dimmer_stack_top[];

int main(int argc, char **argv);
void reset_handler(void);

__attribute__((noreturn)) static void leave(uint32_t code) {
    const uint32_t block[2] = {0x20026u, code}; /* ADP_Stopped_ApplicationExit */

    for (;;) {
        (void)semihosting_call(SEMIHOSTING_EXIT_EXTENDED, block);
    }
}

static void fault_handler(void) {
    leave(70);
}

void reset_handler(void) {
    volatile uint32_t *const coprocessor_access = (volatile uint32_t *)0xE000ED88u;
    const uint32_t *from = dimmer_data_source;
    uint32_t *to;
    volatile uint32_t *paint;
    uint32_t *here;

    *coprocessor_access |= 0xFu << 20; /* CP10, CP11: the FPU */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    for (to = dimmer_data_start; to != dimmer_data_end; ++to) {
        *to = *from++;
    }
    for (to = dimmer_bss_start; to != dimmer_bss_end; ++to) {
        *to = 0u;
    }
    __asm__ volatile("mov %0, sp" : "=r"(here));
    /* Volatile, or it becomes a call of memset, whose own frame lies below `here`. */
    for (paint = dimmer_stack_limit; paint < here; ++paint) {
        *paint = 0xA5A5A5A5u;
    }
    leave((uint32_t)main(0, 0));
}

typedef union {
    void (*handler)(void);
    uint32_t *stack;
} vector_t;

__attribute__((section(".vectors"), used)) static const vector_t vectors[16] = {
    {.stack = dimmer_stack_top},
    {.handler = reset_handler},
    {.handler = fault_handler},
    {.handler = fault_handler},
    {.handler = fault_handler},
    {.handler = fault_handler},
    {.handler = fault_handler},
    {.stack = 0},
    {.stack = 0},
    {.stack = 0},
    {.stack = 0},
    {.handler = fault_handler},
    {.handler = fault_handler},
    {.stack = 0},
    {.handler = fault_handler},
    {.handler = fault_handler},
};
