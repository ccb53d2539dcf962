// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_SUPPORT_LOG_WRITE_H
#define ETHOSMITH_SUPPORT_LOG_WRITE_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Takes a line that an application logs. The device's and the host's programs define it; where
 * nobody does, lines are lost.
 *
 * @param line with its end, terminated.
 */
void log_write(const char *line);

#ifdef __cplusplus
}
#endif

#endif
