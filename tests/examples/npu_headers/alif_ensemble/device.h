/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_H
#define DEVICE_H
#include "core.h"
#define LOCAL_NPU_BASE     0x400E1000u
#define LOCAL_NPU_IRQ_IRQn 55
#endif
