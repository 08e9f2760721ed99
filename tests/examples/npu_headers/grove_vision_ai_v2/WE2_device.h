/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WE2_DEVICE_H
#define WE2_DEVICE_H
#include "core.h"
#define BASE_ADDR_APB_U55_CTRL_ALIAS 0x50000000u
#define U55_IRQn                     ((IRQn_Type)1)
#endif
