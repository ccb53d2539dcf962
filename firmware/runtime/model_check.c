// SPDX-License-Identifier: Apache-2.0
#include "model_check.h"

#include <stddef.h>
#include <string.h>

#include "application.h"
#include "platform.h"
#include "text.h"

enum { REASON_BYTES = 160 };

static char reason[REASON_BYTES];

const char *model_reason(const char *what, const char *which, const char *why) {
    struct text text = text_in(reason, sizeof reason);
    text_string(&text, what);
    text_string(&text, which);
    text_string(&text, why);
    return reason;
}

static const char *check_ranks(const struct tensor_info *tensors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (tensors[i].rank > TENSOR_MAX_RANK) {
            return model_reason("model: tensor ", tensors[i].name, " has too many dimensions");
        }
    }
    return NULL;
}

const char *model_check_tensors(const struct model *m) {
    if (m->input_count > APPLICATION_MAX_TENSORS || m->output_count > APPLICATION_MAX_TENSORS) {
        return "model: too many inputs or outputs";
    }
    const char *problem = check_ranks(m->inputs, m->input_count);
    return problem != NULL ? problem : check_ranks(m->outputs, m->output_count);
}

const char *model_check_npu(const struct model *m) {
    if (strcmp(m->accelerator_config, PLATFORM_NPU_CONFIG) != 0) {
        return model_reason("model: compiled for ", m->accelerator_config,
                            ", the firmware for " PLATFORM_NPU_CONFIG);
    }
    if (strcmp(m->memory_mode, PLATFORM_MEMORY_MODE) != 0) {
        return model_reason("model: compiled for ", m->memory_mode,
                            ", the firmware for " PLATFORM_MEMORY_MODE);
    }
    return NULL;
}

static bool is_element(const struct tensor_info *info, const struct tensor_info *tensors,
                       uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (info == &tensors[i]) {
            return true;
        }
    }
    return false;
}

bool model_has_tensor(const struct model *m, const struct tensor_info *info) {
    return is_element(info, m->inputs, m->input_count) ||
           is_element(info, m->outputs, m->output_count);
}
