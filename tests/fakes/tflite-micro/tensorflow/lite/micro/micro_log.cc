// SPDX-License-Identifier: Apache-2.0
#include "tensorflow/lite/micro/micro_log.h"

#include "tensorflow/lite/micro/debug_log.h"

void VMicroPrintf(const char *format, va_list args) {
    DebugLog(format, args);
    va_list none;
    va_copy(none, args);
    DebugLog("\r\n", none);
    va_end(none);
}

void MicroPrintf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    VMicroPrintf(format, args);
    va_end(args);
}
