/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XPRINTF_H
#define XPRINTF_H
void xprintf(const char *format, ...);
#endif
