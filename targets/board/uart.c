/* SPDX-License-Identifier: Apache-2.0 */
/* A byte out, a byte in. Baud rate, pins and the clock of the port are `setup` in target.toml. */
#include "board.h"
#include "registers.h"

#define AT(offset) REGISTER(DIMMER_UART_BASE + (offset))

#if defined(DIMMER_UART_STM32_SR) /* USART of F1, F2, F4 and their likes: SR, DR */
void board_put(uint8_t byte) {
    while ((AT(0u) & 0x80u) == 0u) {
    }
    AT(4u) = byte;
}

int board_get(void) {
    return (AT(0u) & 0x20u) != 0u ? (int)(AT(4u) & 0xFFu) : -1;
}

#elif defined(DIMMER_UART_STM32_ISR) /* USART and LPUART of F0, F3, F7, G, H, L, U, W: ISR, ICR, RDR, TDR */
void board_put(uint8_t byte) {
    while ((AT(0x1Cu) & 0x80u) == 0u) {
    }
    AT(0x28u) = byte;
}

int board_get(void) {
    AT(0x20u) = 8u; /* what was lost is asked for again */
    return (AT(0x1Cu) & 0x20u) != 0u ? (int)(AT(0x24u) & 0xFFu) : -1;
}

#elif defined(DIMMER_UART_NRF_UART)
void board_put(uint8_t byte) {
    AT(0x11Cu) = 0u;
    AT(0x51Cu) = byte;
    while (AT(0x11Cu) == 0u) {
    }
}

int board_get(void) {
    if (AT(0x108u) == 0u) {
        return -1;
    }
    AT(0x108u) = 0u;
    return (int)(AT(0x518u) & 0xFFu);
}

#elif defined(DIMMER_UART_NRF_UARTE) /* it reads and writes RAM itself */
void board_put(uint8_t byte) {
    static volatile uint8_t out;

    out = byte;
    AT(0x120u) = 0u;
    AT(0x544u) = (uint32_t)(uintptr_t)&out;
    AT(0x548u) = 1u;
    AT(0x008u) = 1u;
    while (AT(0x120u) == 0u) {
    }
}

int board_get(void) {
    static volatile uint8_t in;
    static uint8_t listening;
    int byte = -1;

    if (listening && AT(0x110u) != 0u) {
        byte = in;
        listening = 0;
    }
    if (!listening) {
        listening = 1;
        AT(0x110u) = 0u;
        AT(0x534u) = (uint32_t)(uintptr_t)&in;
        AT(0x538u) = 1u;
        AT(0x000u) = 1u;
    }
    return byte;
}

#elif defined(DIMMER_UART_PL011) /* RP2040, RP2350, Apollo3 */
void board_put(uint8_t byte) {
    while ((AT(0x18u) & 0x20u) != 0u) {
    }
    AT(0u) = byte;
}

int board_get(void) {
    return (AT(0x18u) & 0x10u) == 0u ? (int)(AT(0u) & 0xFFu) : -1;
}

#elif defined(DIMMER_UART_ESP)
void board_put(uint8_t byte) {
    while (((AT(0x1Cu) >> 16) & 0x3FFu) > 100u) {
    }
    AT(0u) = byte;
}

int board_get(void) {
    return (AT(0x1Cu) & 0x3FFu) != 0u ? (int)(AT(0u) & 0xFFu) : -1;
}

#elif defined(DIMMER_UART_SIFIVE)
void board_put(uint8_t byte) {
    while ((AT(0u) >> 31) != 0u) {
    }
    AT(0u) = byte;
}

int board_get(void) {
    const uint32_t got = AT(4u);

    return (got >> 31) == 0u ? (int)(got & 0xFFu) : -1;
}

#elif defined(DIMMER_UART_REGISTERS) /* of any chip, named one by one in target.toml */
static const access_t ready = DIMMER_UART_READY;
static const access_t received = DIMMER_UART_RECEIVED;
static const access_t send = DIMMER_UART_SEND;
static const access_t receive = DIMMER_UART_RECEIVE;

void board_put(uint8_t byte) {
    while (!board_there(&ready)) {
    }
    board_write(&send, byte);
}

int board_get(void) {
    return board_there(&received) ? (int)(board_read(&receive) & 0xFFu) : -1;
}
#endif
