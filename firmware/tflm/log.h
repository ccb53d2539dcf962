// SPDX-License-Identifier: Apache-2.0
/** @file TensorFlow Lite Micro's messages: on the console, and the first of them as a reason. */
#ifndef ETHOSMITH_TFLM_LOG_H
#define ETHOSMITH_TFLM_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

/** Forgets the first line. */
void log_clear(void);

/**
 * Finds the line that tells the cause of a failure: later ones follow from it.
 *
 * @return the first line since log_clear(), in static storage that the next line overwrites.
 */
const char *log_first_line(void);

#ifdef __cplusplus
}
#endif

#endif
