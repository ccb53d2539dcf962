// SPDX-License-Identifier: Apache-2.0
/** @file Checks an application's answer before anything prints it. */
#ifndef ETHOSMITH_SUPPORT_ANSWER_CHECK_H
#define ETHOSMITH_SUPPORT_ANSWER_CHECK_H

#include "application.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Checks that an answer has a text, and no more ranked ones than fit, each with a text.
 *
 * @param answer as application_postprocess() left it.
 * @return null, or a reason as of application.h.
 */
const char *answer_check(const struct answer *answer);

#ifdef __cplusplus
}
#endif

#endif
