// SPDX-License-Identifier: Apache-2.0
// Tensor elements as real values.
#include "tensor.h"

#include <math.h>
#include <string.h>

#include "application.h"

// Beyond every storable value, yet small enough for any sum with a zero point.
static const float QUOTIENT_LIMIT = 8589934592.0f; // 2^33

struct range {
    int64_t low;
    int64_t high;
};

static uint32_t element_bytes(enum tensor_dtype dtype) {
    switch (dtype) {
    case TENSOR_INT8:
    case TENSOR_UINT8:
        return 1;
    case TENSOR_INT16:
        return 2;
    case TENSOR_INT32:
    case TENSOR_FLOAT32:
        return 4;
    }
    return 0;
}

static struct range storable(enum tensor_dtype dtype) {
    switch (dtype) {
    case TENSOR_INT8:
        return (struct range){INT8_MIN, INT8_MAX};
    case TENSOR_UINT8:
        return (struct range){0, UINT8_MAX};
    case TENSOR_INT16:
        return (struct range){INT16_MIN, INT16_MAX};
    case TENSOR_INT32:
    case TENSOR_FLOAT32:
        break;
    }
    return (struct range){INT32_MIN, INT32_MAX};
}

uint32_t tensor_element_count(const struct tensor_info *info) {
    uint32_t bytes = element_bytes(info->dtype);
    return bytes == 0 ? 0 : info->size_bytes / bytes;
}

static int64_t rounded_quotient(float real_value, float scale) {
    float quotient = roundf(real_value / scale);
    if (quotient != quotient) {
        return 0;
    }
    quotient = quotient > QUOTIENT_LIMIT ? QUOTIENT_LIMIT : quotient;
    quotient = quotient < -QUOTIENT_LIMIT ? -QUOTIENT_LIMIT : quotient;
    return (int64_t)quotient;
}

static int32_t quantised(const struct tensor_info *info, float real_value) {
    struct range range = storable(info->dtype);
    int64_t stored = rounded_quotient(real_value, info->scale) + info->zero_point;
    stored = stored < range.low ? range.low : stored;
    return (int32_t)(stored > range.high ? range.high : stored);
}

// Little endian on both machines, so the low bytes of the word are the element.
static void store(void *data, uint32_t index, uint32_t bytes, const void *word) {
    memcpy((uint8_t *)data + (size_t)index * bytes, word, bytes);
}

void input_set(struct input *input, uint32_t index, float real_value) {
    const struct tensor_info *info = input->info;
    if (index >= tensor_element_count(info)) {
        input->out_of_range = true;
    } else if (info->dtype == TENSOR_FLOAT32) {
        store(input->data, index, sizeof real_value, &real_value);
    } else {
        int32_t word = quantised(info, real_value);
        store(input->data, index, element_bytes(info->dtype), &word);
    }
}

static int32_t stored_integer(const struct output *output, uint32_t index) {
    enum tensor_dtype dtype = output->info->dtype;
    uint32_t bytes = element_bytes(dtype);
    uint32_t word = 0;
    memcpy(&word, (const uint8_t *)output->data + (size_t)index * bytes, bytes);
    switch (dtype) {
    case TENSOR_INT8:
        return (int8_t)word;
    case TENSOR_INT16:
        return (int16_t)word;
    case TENSOR_UINT8:
    case TENSOR_INT32:
    case TENSOR_FLOAT32:
        break;
    }
    return (int32_t)word;
}

float output_get(const struct output *output, uint32_t index) {
    const struct tensor_info *info = output->info;
    float value = 0.0f;
    if (index >= tensor_element_count(info)) {
        return value;
    }
    if (info->dtype == TENSOR_FLOAT32) {
        memcpy(&value, (const uint8_t *)output->data + (size_t)index * sizeof value, sizeof value);
        return value;
    }
    int64_t steps = (int64_t)stored_integer(output, index) - info->zero_point;
    return info->scale * (float)steps;
}
