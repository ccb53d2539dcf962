// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_TFLM_FORMAT_H
#define ETHOSMITH_TFLM_FORMAT_H

#include <stdarg.h>

#include "text.h"

/**
 * Appends what printf would print for %c %s %d %i %u %x %X %p %f %g and %%, with `l`, `ll` and `z`.
 * Width, precision and flags are accepted and ignored; %X is lower-case, %f and %g have four
 * digits.
 *
 * @param text to append to.
 * @param format as of printf.
 * @param arguments of the format; unchanged.
 */
void text_format(struct text *text, const char *format, va_list arguments);

#endif
