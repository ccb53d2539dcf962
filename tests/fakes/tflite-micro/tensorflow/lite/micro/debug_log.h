// SPDX-License-Identifier: Apache-2.0
// What a platform has to define.
#ifndef FAKE_DEBUG_LOG_H_
#define FAKE_DEBUG_LOG_H_

#include <cstdarg>
#include <cstddef>

extern "C" {
void DebugLog(const char *format, va_list args);
int DebugVsnprintf(char *buffer, size_t buf_size, const char *format, va_list vlist);
}

#endif
