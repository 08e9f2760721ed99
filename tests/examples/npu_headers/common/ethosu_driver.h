/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples call of Arm's driver, declared by us. */
#ifndef ETHOSU_DRIVER_H
#define ETHOSU_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ethosu_driver {
    void *device;
};

int ethosu_init(struct ethosu_driver *driver, const void *base, const void *fast_memory, const size_t size,
                uint32_t secure, uint32_t privileged);
void ethosu_deinit(struct ethosu_driver *driver);
void ethosu_irq_handler(struct ethosu_driver *driver);
int ethosu_invoke_v3(struct ethosu_driver *driver, const void *payload, const int payload_size,
                     const uint64_t *bases, const size_t *sizes, const int count, void *user);
int ethosu_invoke_async(struct ethosu_driver *driver, const void *payload, const int payload_size,
                        const uint64_t *bases, const size_t *sizes, const int count, void *user);
int ethosu_wait(struct ethosu_driver *driver, bool block);

#endif
