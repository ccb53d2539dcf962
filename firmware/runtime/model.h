// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A network as the generated model source describes it to the firmware: compiled to a command
 * stream, or as a .tflite for an interpreter.
 */
#ifndef ETHOSMITH_RUNTIME_MODEL_H
#define ETHOSMITH_RUNTIME_MODEL_H

#include <stdint.h>

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

// The NPU reads the command stream and every region base with this alignment.
enum { MODEL_ALIGNMENT_BYTES = 16 };

// Sections the linker script places by memory mode. Scratch sections are not loaded.
#define MODEL_SECTION_COMMAND_STREAM ".model.command_stream"
#define MODEL_SECTION_WEIGHTS ".model.weights"
#define MODEL_SECTION_SCRATCH ".scratch"
#define MODEL_SECTION_SCRATCH_FAST ".scratch_fast"

/** State that the network keeps from one run to the next, where the network is a command stream. */
struct model_variable {
    uint32_t region; // NPU region (BASEP index) that holds it
    uint32_t offset; // bytes from that region's base
    uint32_t size_bytes;
    uint32_t element_bytes; // 1 or 2
    int32_t zero_point;     // the element that stands for 0: its first value
};

/** When the network's variables get their first values, beside at the start. */
enum model_reset {
    MODEL_RESET_SAMPLE,    // before each sample: its windows are one sequence
    MODEL_RESET_INFERENCE, // before each run
    MODEL_RESET_NEVER,     // all samples are one sequence
};

struct model {
    const char *name;
    const char *accelerator_config; // "ethos-u55-128"
    uint32_t macs;                  // per cycle; checked against the NPU's CONFIG
    const char *memory_mode;        // "Shared_Sram"
    const uint8_t *tflite;          // null if the network is the command stream and weights below
    const uint8_t *command_stream;  // Vela's driver payload, begins with COP1
    uint32_t command_stream_bytes;
    const uint8_t *weights; // null if the network has none
    uint32_t weights_bytes;
    uint32_t weights_region;
    uint8_t *scratch; // an interpreter's arena
    uint32_t scratch_bytes;
    uint32_t scratch_region;
    uint8_t *scratch_fast; // null where the memory mode has one scratch buffer only
    uint32_t scratch_fast_bytes;
    uint32_t scratch_fast_region;
    const struct tensor_info *inputs;
    uint32_t input_count;
    const struct tensor_info *outputs;
    uint32_t output_count;
    const struct model_variable *variables; // null if the network keeps none
    uint32_t variable_count;
    enum model_reset reset;
    const char *hash; // hexadecimal digits; null if nobody computed it
};

// That of the model in the image, for programs that read the image.
extern const char model_hash[];

extern const struct model model;

#ifdef __cplusplus
}
#endif

#endif
