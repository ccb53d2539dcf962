// SPDX-License-Identifier: Apache-2.0
// What TensorFlow Lite Micro says: lines on the console, and the first of them as a reason.
#ifndef ETHOSMITH_TFLM_LOG_H
#define ETHOSMITH_TFLM_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

// Forgets what was said.
void log_clear(void);

// The first line since log_clear(): later ones tell what came of it.
const char *log_first_line(void);

// Both together, in a static buffer that the next call fills anew.
const char *log_reason(const char *what, const char *which);

#ifdef __cplusplus
}
#endif

#endif
