/* From a core's first instruction to main: what all cores have in common. */
#ifndef DIMMER_START_H
#define DIMMER_START_H

/* Ends the program; `code` becomes the exit code of the emulator. */
__attribute__((noreturn)) void dimmer_leave(int code);

/* Fills .data, .bss and the unused stack, and runs main. For the core's reset code, on the program's own
 * stack. */
__attribute__((noreturn)) void dimmer_start(void);

/* For every exception that the program does not expect. */
__attribute__((noreturn)) void dimmer_fault(void);

#endif
