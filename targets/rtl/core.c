/* SPDX-License-Identifier: Apache-2.0 */
/* A RISC-V core in a simulation of its RTL: the first instructions, and exceptions. Nobody watches the core
 * as a debugger would, so semihosting is a breakpoint exception here, and its handler passes the call on to
 * the two registers of testbench.cpp. */
#include <stdint.h>

#include "../bare_metal/start.h"

#define DOORBELL "0x10000"   /* upper 20 bits of the address */
#define BEFORE   "0x1F01013" /* slli x0, x0, 0x1f: what tells semihosting from any other breakpoint */

__attribute__((naked, section(".vectors"), used)) void reset_handler(void);
__attribute__((naked, aligned(256), used)) static void exception_handler(void);

/* What the handler needs of the program's registers; its stack it leaves alone, for that is measured. */
static uint32_t saved[2];

static void exception_handler(void) {
    __asm__ volatile(".option push\n\t"
                     ".option norvc\n\t"
                     ".option arch, +zicsr\n\t"
                     "csrw mscratch, t0\n\t"
                     "la t0, %0\n\t"
                     "sw t1, 0(t0)\n\t"
                     "sw t2, 4(t0)\n\t"
                     "csrr t0, mcause\n\t"
                     "li t1, 3\n\t" /* breakpoint */
                     "bne t0, t1, 1f\n\t"
                     "csrr t2, mepc\n\t"
                     "lw t0, -4(t2)\n\t"
                     "li t1, " BEFORE "\n\t"
                     "bne t0, t1, 1f\n\t"
                     "lui t0, " DOORBELL "\n\t"
                     "sw a0, 0(t0)\n\t"
                     "sw a1, 4(t0)\n\t"
                     "lw a0, 0(t0)\n\t"
                     "addi t2, t2, 4\n\t"
                     "csrw mepc, t2\n\t"
                     "la t0, %0\n\t"
                     "lw t1, 0(t0)\n\t"
                     "lw t2, 4(t0)\n\t"
                     "csrr t0, mscratch\n\t"
                     "mret\n"
                     "1:\n\t"
                     "j board_fault\n\t"
                     ".option pop"
                     :
                     : "i"(saved));
}

void reset_handler(void) {
    __asm__ volatile(".option push\n\t"
                     ".option norelax\n\t"
                     "la gp, __global_pointer$\n\t"
                     ".option pop\n\t"
                     "la sp, dimmer_stack_top\n\t"
                     "la t0, %0\n\t"
                     ".option push\n\t"
                     ".option arch, +zicsr\n\t"
                     "csrw mtvec, t0\n\t"
                     "csrw mcountinhibit, x0\n\t" /* CV32E40P counts nothing after a reset */
                     ".option pop\n\t"
                     "j board_start"
                     :
                     : "i"(exception_handler));
}
