// SPDX-License-Identifier: Apache-2.0
// TFLite's C types, laid out as TF_LITE_STATIC_MEMORY has them.
#ifndef FAKE_C_COMMON_H_
#define FAKE_C_COMMON_H_

#ifndef TF_LITE_STATIC_MEMORY
#error "the library and its users must agree on TF_LITE_STATIC_MEMORY"
#endif

#include <cstddef>
#include <cstdint>

enum TfLiteStatus : uint8_t { kTfLiteOk = 0, kTfLiteError = 1 };

enum TfLiteType : uint8_t {
    kTfLiteFloat32 = 1,
    kTfLiteInt32 = 2,
    kTfLiteUInt8 = 3,
    kTfLiteInt16 = 7,
    kTfLiteInt8 = 9,
};

struct TfLiteIntArray {
    int size;
    int data[];
};

struct TfLiteQuantizationParams {
    float scale;
    int32_t zero_point;
};

union TfLitePtrUnion {
    void *data;
    int8_t *int8;
    int32_t *i32;
    uint8_t *uint8;
};

struct TfLiteTensor {
    TfLiteQuantizationParams params;
    TfLitePtrUnion data;
    const TfLiteIntArray *dims;
    size_t bytes;
    TfLiteType type;
    const float *channel_scales; // of a filter; the first is params.scale
    uint32_t channel_count;      // 1: the filter has one scale
};

struct TfLiteEvalTensor {
    TfLitePtrUnion data;
    const TfLiteIntArray *dims;
    TfLiteType type;
};

struct TfLiteNode {
    const TfLiteIntArray *inputs;
    const TfLiteIntArray *outputs;
    void *user_data;
    void *builtin_data;
    const void *custom_initial_data;
    int custom_initial_data_size;
};

struct TfLiteContext {
    void *(*AllocatePersistentBuffer)(TfLiteContext *context, size_t bytes);
    TfLiteStatus (*RequestScratchBufferInArena)(TfLiteContext *context, size_t bytes, int *index);
    void *(*GetScratchBuffer)(TfLiteContext *context, int index);
    TfLiteEvalTensor *(*GetEvalTensor)(const TfLiteContext *context, int index);
    // What a kernel prepares with; the file has it.
    TfLiteTensor (*GetTensor)(const TfLiteContext *context, int index);
    void *impl;
};

struct TFLMRegistration {
    void *(*init)(TfLiteContext *context, const char *buffer, size_t length);
    TfLiteStatus (*prepare)(TfLiteContext *context, TfLiteNode *node);
    TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
    int32_t builtin_code;
    const char *custom_name;
};

#endif
