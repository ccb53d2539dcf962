// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_SUPPORT_FORMAT_H
#define ETHOSMITH_SUPPORT_FORMAT_H

#include <stdarg.h>

#include "text.h"

/** @file Formats as printf does, without stdio and without a heap. */

/**
 * Appends what printf would print for %c %s %d %i %u %x %X %p %f %g and %%, with `l`, `ll`, `j`,
 * `z` and `t`. Width, precision and flags are accepted and ignored; %X is lower-case, %f and %g
 * have four digits.
 *
 * @param text to append to.
 * @param format as of printf.
 * @param arguments of the format; unchanged.
 */
void text_format(struct text *text, const char *format, va_list arguments);

#endif
