/* SPDX-License-Identifier: Apache-2.0 */
/* Semihosting: a debugger or an emulator serves files and the console.
 * Arm, "Semihosting for AArch32 and AArch64", 2.0; RISC-V International, "RISC-V Semihosting", 0.4. */
#ifndef DIMMER_SEMIHOSTING_H
#define DIMMER_SEMIHOSTING_H

#include <stdint.h>

enum {
    SEMIHOSTING_OPEN = 0x01,
    SEMIHOSTING_CLOSE = 0x02,
    SEMIHOSTING_WRITE = 0x05,
    SEMIHOSTING_READ = 0x06,
    SEMIHOSTING_GET_COMMAND_LINE = 0x15,
    SEMIHOSTING_EXIT_EXTENDED = 0x20
};

static inline int32_t semihosting_call(int32_t operation, const void *arguments) {
#if defined(__riscv)
    register int32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = arguments;

    /* The two shifts tell the trap from a breakpoint; QEMU wants all three uncompressed and on one page. */
    __asm__ volatile(".option push\n\t"
                     ".option norvc\n\t"
                     ".balign 16\n\t"
                     "slli x0, x0, 0x1f\n\t"
                     "ebreak\n\t"
                     "srai x0, x0, 7\n\t"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
#else
    register int32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

#endif
