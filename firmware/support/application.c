// SPDX-License-Identifier: Apache-2.0
// What a use case need not define.
#include "application.h"

__attribute__((weak)) bool application_takes_inputs_as_they_are(void) { return false; }

__attribute__((weak)) const char *application_window_count(const struct sample *sample,
                                                           const struct tensor_info *input,
                                                           uint32_t *count) {
    (void)sample;
    (void)input;
    *count = 1;
    return 0;
}
