// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_MICRO_LOG_H_
#define FAKE_MICRO_LOG_H_

#include <cstdarg>

void MicroPrintf(const char *format, ...);
void VMicroPrintf(const char *format, va_list args);

#endif
