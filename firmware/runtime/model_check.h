// SPDX-License-Identifier: Apache-2.0
/** @file What both implementations of inference.h check. */
#ifndef ETHOSMITH_RUNTIME_MODEL_CHECK_H
#define ETHOSMITH_RUNTIME_MODEL_CHECK_H

#include <stdbool.h>

#include "model.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Checks the number and the ranks of a model's tensors.
 *
 * @param m the model.
 * @return null, or a reason as of inference.h.
 */
const char *model_check_tensors(const struct model *m);

/**
 * Checks that a model was compiled for the NPU and memory mode that the firmware was built for.
 *
 * @param m the model.
 * @return null, or a reason as of inference.h.
 */
const char *model_check_npu(const struct model *m);

/**
 * Tells whether a tensor is one of a model's.
 *
 * @param m the model.
 * @param info any pointer.
 * @return true for an element of m->inputs or m->outputs.
 */
bool model_has_tensor(const struct model *m, const struct tensor_info *info);

/**
 * Joins three strings into a reason as of inference.h.
 *
 * @param what begins it.
 * @param which follows.
 * @param why ends it.
 * @return the reason; all calls share one buffer.
 */
const char *model_reason(const char *what, const char *which, const char *why);

#ifdef __cplusplus
}
#endif

#endif
