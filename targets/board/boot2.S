/* SPDX-License-Identifier: Apache-2.0 */
/* The first 256 bytes of an RP2040's flash. Its ROM copies them to RAM and runs them if their last word is the
 * CRC of the others, which stands in rp2040.ld; a test computes it. They ask the ROM for flash_enter_cmd_xip, by which the
 * flash is read with the plain command 03h, slow and good for every chip, and start the program behind them. */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot2, "ax"
    .global boot2
boot2:
    movs    r4, #0x14           /* the ROM's pointers have 16 bits: table of functions, look-up */
    ldrh    r0, [r4]
    ldrh    r5, [r4, #4]
    ldr     r1, =0x5843         /* "CX" */
    blx     r5
    blx     r0
    ldr     r0, =0x10000100
    ldr     r1, =0xE000ED08     /* VTOR */
    str     r0, [r1]
    ldr     r2, [r0]
    msr     msp, r2
    ldr     r1, [r0, #4]
    bx      r1
    .ltorg
