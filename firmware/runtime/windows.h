// SPDX-License-Identifier: Apache-2.0
// The board's memory for files, which only simulators have: they fill it before the program
// starts, and save it after the program has ended. On other boards both functions do nothing.
#ifndef ETHOSMITH_RUNTIME_WINDOWS_H
#define ETHOSMITH_RUNTIME_WINDOWS_H

#include <stdbool.h>

#include "application.h"

// Fills the inputs, one after another, from the input window, if anything but zeros lies there.
bool windows_read(const struct input *inputs);

// Puts the outputs into the output window, one after another, as far as they fit.
void windows_write(const struct output *outputs);

#endif
