// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a use case implements: from a sample to the input tensors, and from the outputs to an
 * answer.
 *
 * The same source is compiled for the device and for the host, so it must not touch hardware.
 *
 * Where a function returns a reason, null means success. A reason is half a sentence in static
 * storage, such as "300 values expected, 150 found in idle.csv"; device and host print it, and the
 * run ends. sample_mismatch() and tensor_mismatch() make such reasons.
 */
#ifndef ETHOSMITH_RUNTIME_APPLICATION_H
#define ETHOSMITH_RUNTIME_APPLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An input tensor of the network. */
struct input {
    const struct tensor_info *info;
    void *data;
    bool out_of_range; // set by input_set() on an index the tensor does not have
    uint32_t window;   // of the sample, from 0
};

/** An output tensor of the network. */
struct output {
    const struct tensor_info *info;
    const void *data;
    uint32_t window; // of the sample, from 0
};

enum { ANSWER_MAX_RANKED = 5 };

/** One of several answers. */
struct ranked {
    const char *text; // static storage, without double quotes
    float score;
};

/** What the application makes of a sample. An answer without text is refused. */
struct answer {
    const char *text; // static storage, without double quotes
    float score;
    // Optional: the best answers, best first. More than ANSWER_MAX_RANKED are refused.
    uint32_t ranked_count;
    struct ranked ranked[ANSWER_MAX_RANKED];
};

enum { APPLICATION_MAX_TENSORS = 8 }; // inputs of a network, and outputs

/**
 * Counts the windows of a sample that one input of the network cannot hold; each window has an
 * inference of its own. Optional: by default every sample is one window.
 *
 * @param sample any of the samples.
 * @param input the network's first input tensor.
 * @param count set to 1 or more.
 * @return null, or a reason.
 */
const char *application_window_count(const struct sample *sample, const struct tensor_info *input,
                                     uint32_t *count);

/**
 * Tells whether a sample already holds the raw input tensors. If so, a simulator may put others
 * into the board's input window, and finds the outputs in its output window.
 *
 * @return optional: false by default.
 */
bool application_takes_inputs_as_they_are(void);

/**
 * Fills in the network's inputs for a window of a sample; called for each window, in order.
 *
 * It must not depend on what application_postprocess() keeps in static storage, since the host
 * computes all inputs first.
 *
 * @param sample to convert.
 * @param inputs all of the network's, in its order; the one after the last has no `info`.
 * @return null, or a reason.
 */
const char *application_preprocess(const struct sample *sample, struct input *inputs);

/**
 * Interprets the network's outputs for a window; called after each window's inference. It may keep
 * what it needs for the next window in static storage.
 *
 * @param outputs all of the network's, in its order; the one after the last has no `info`.
 * @param answer filled in; the last window's is the sample's.
 * @return null, or a reason.
 */
const char *application_postprocess(const struct output *outputs, struct answer *answer);

/**
 * Makes the reason "EXPECTED WHAT expected, FOUND found in FILE"; without a file it ends before
 * "in".
 *
 * @param sample that does not fit.
 * @param what is counted, in the plural.
 * @param expected number.
 * @param found number.
 * @return the reason; the next call of this function or tensor_mismatch() replaces it.
 */
const char *sample_mismatch(const struct sample *sample, const char *what, uint32_t expected,
                            uint32_t found);

/**
 * Makes the reason "the network's NAME has SHAPE, EXPECTED expected", with a shape such as
 * 1x49x40x1.
 *
 * @param info of the tensor that does not fit.
 * @param expected shape.
 * @return the reason; the next call of this function or sample_mismatch() replaces it.
 */
const char *tensor_mismatch(const struct tensor_info *info, const char *expected);

/**
 * Counts a tensor's elements.
 *
 * @param info of the tensor.
 * @return the number.
 */
uint32_t tensor_element_count(const struct tensor_info *info);

/**
 * Stores one element, quantised to the tensor's dtype, scale and zero point: rounded half away from
 * zero and saturated, as TFLite's QUANTIZE kernel does it.
 *
 * @param input to store into; `out_of_range` is set on an index that the tensor does not have.
 * @param index of the element.
 * @param real_value of the element.
 */
void input_set(struct input *input, uint32_t index, float real_value);

/**
 * Reads one element as a real value.
 *
 * @param output to read.
 * @param index of the element.
 * @return its value; 0 for an index that the tensor does not have.
 */
float output_get(const struct output *output, uint32_t index);

/** Lets the compiler check a format against its arguments. */
#define LOG_CHECKED __attribute__((format(printf, 2, 3)))

/** How much a line of the log matters; those above LOG_LEVEL are not compiled. */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/** The last level that is logged: define it before this file is included, for one source. */
#ifndef LOG_LEVEL
#define LOG_LEVEL LOG_INFO
#endif

enum { LOG_MAX_LINE_BYTES = 160, LOG_MAX_LINES = 1000 };

/**
 * Logs a line such as "log warning: clip 7 is silent": on the device's console, and on the host's
 * standard error. The build shows both, and the report has the device's.
 *
 * A line is at most LOG_MAX_LINE_BYTES long, and a longer one ends in "...". After LOG_MAX_LINES
 * lines, one says so and the rest is left out.
 *
 * @param level one of `enum log_level`.
 * @param ... a format and its arguments: %c %s %d %i %u %x %p %f %g and %%, with `l`, `ll` and `z`.
 *     Widths and precisions are accepted and ignored; %f has four digits. What is no printable
 *     character becomes a space.
 */
#define log_line(level, ...)                                                                       \
    do {                                                                                           \
        if ((level) <= LOG_LEVEL) {                                                                \
            log_formatted((level), __VA_ARGS__);                                                   \
        }                                                                                          \
    } while (0)

/**
 * Logs a line whatever its level; log_line() calls it.
 *
 * @param level one of `enum log_level`.
 * @param format as of log_line().
 * @param ... its arguments.
 */
LOG_CHECKED void log_formatted(enum log_level level, const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
