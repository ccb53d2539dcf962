// SPDX-License-Identifier: Apache-2.0
// The use case's pre- and post-processing for the host, from the same sources as the device's:
// representative data for quantisation, and the oracle of the smoke test.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer_check.h"
#include "application.h"
#include "log_write.h"
#include "sample.h"
#include "tensor.h"
#include "text.h"

enum { EXIT_USAGE = 2, LINE_BYTES = 256, WORDS_PER_TENSOR = 4 };

static const char USAGE[] =
    "usage: preprocess SAMPLE_INDEX (DTYPE SCALE ZERO_POINT SHAPE)... > TENSORS\n"
    "       preprocess-file PATH (DTYPE SCALE ZERO_POINT SHAPE)... > TENSORS\n"
    "       postprocess (DTYPE SCALE ZERO_POINT SHAPE)... < TENSORS\n"
    "       answer SAMPLE_INDEX (INPUT TENSORS AS ABOVE)... to (OUTPUTS)... < TENSORS\n"
    "       answer-file PATH (INPUT TENSORS AS ABOVE)... to (OUTPUTS)... < TENSORS\n"
    "DTYPE: float32, int8, uint8, int16 or int32; SHAPE: such as 1x32x32x3\n"
    "PATH: of a sample's bytes as they would be baked in\n"
    "TENSORS: those of a sample's first window, then those of the second, and so on\n";

static const unsigned long MAX_ELEMENTS = 1ul << 28;

enum { MAX_SAMPLE_BYTES = 32 << 20 };

struct dtype {
    const char *name;
    enum tensor_dtype value;
    uint32_t bytes;
};

static const struct dtype DTYPES[] = {
    {"float32", TENSOR_FLOAT32, 4}, {"int8", TENSOR_INT8, 1},   {"uint8", TENSOR_UINT8, 1},
    {"int16", TENSOR_INT16, 2},     {"int32", TENSOR_INT32, 4},
};

void log_write(const char *line) { fputs(line, stderr); }

static int fail(const char *what, const char *which) {
    fprintf(stderr, "error: %s%s\n", what, which);
    return EXIT_FAILURE;
}

static bool parse_unsigned(const char *text, unsigned long max, uint32_t *value) {
    char *end = NULL;
    errno = 0;
    unsigned long parsed = strtoul(text, &end, 10);
    *value = (uint32_t)parsed;
    return errno == 0 && end != text && *end == '\0' && *text != '-' && parsed <= max;
}

static bool parse_zero_point(const char *text, int32_t *value) {
    char *end = NULL;
    errno = 0;
    long parsed = strtol(text, &end, 10);
    *value = (int32_t)parsed;
    return errno == 0 && end != text && *end == '\0' && parsed == *value;
}

static bool parse_scale(const char *text, float *value) {
    char *end = NULL;
    *value = strtof(text, &end);
    return end != text && *end == '\0' && *value >= 0.0f;
}

static const struct dtype *find_dtype(const char *name) {
    for (size_t i = 0; i < sizeof DTYPES / sizeof DTYPES[0]; i++) {
        if (strcmp(DTYPES[i].name, name) == 0) {
            return &DTYPES[i];
        }
    }
    return NULL;
}

// Sizes with 'x' between them, outermost first.
static bool parse_shape(const char *text, struct tensor_info *info, uint32_t *elements) {
    *elements = 1;
    info->rank = 0;
    do {
        char *end = NULL;
        unsigned long size = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || size == 0 || size > MAX_ELEMENTS / *elements ||
            info->rank == TENSOR_MAX_RANK || (*end != 'x' && *end != '\0')) {
            return false;
        }
        *elements *= (uint32_t)size;
        info->shape[info->rank++] = (uint32_t)size;
        text = *end == 'x' ? end + 1 : NULL;
    } while (text != NULL);
    return true;
}

// DTYPE SCALE ZERO_POINT SHAPE
static bool parse_tensor(char *const arguments[4], struct tensor_info *info) {
    const struct dtype *dtype = find_dtype(arguments[0]);
    uint32_t elements;
    *info = (struct tensor_info){.name = "tensor"};
    if (dtype == NULL || !parse_scale(arguments[1], &info->scale) ||
        !parse_zero_point(arguments[2], &info->zero_point) ||
        !parse_shape(arguments[3], info, &elements)) {
        return false;
    }
    bool quantised = dtype->value != TENSOR_FLOAT32;
    info->dtype = dtype->value;
    info->size_bytes = elements * dtype->bytes;
    return !quantised || info->scale > 0.0f;
}

// The network's tensors as the command line gives them, all in one block of memory.
struct tensors {
    uint32_t count;
    uint32_t size_bytes;
    struct tensor_info info[APPLICATION_MAX_TENSORS];
    uint8_t *data;
};

static bool parse_tensors(char *const arguments[], int words, struct tensors *tensors) {
    *tensors = (struct tensors){.count = (uint32_t)words / WORDS_PER_TENSOR};
    if (words % WORDS_PER_TENSOR != 0 || tensors->count == 0 ||
        tensors->count > APPLICATION_MAX_TENSORS) {
        return false;
    }
    for (uint32_t i = 0; i < tensors->count; i++) {
        struct tensor_info *info = &tensors->info[i];
        if (!parse_tensor(&arguments[i * WORDS_PER_TENSOR], info) ||
            info->size_bytes > UINT32_MAX - tensors->size_bytes) {
            return false;
        }
        info->offset = tensors->size_bytes;
        tensors->size_bytes += info->size_bytes;
    }
    return true;
}

static int fail_sample(const struct sample *sample, const char *reason) {
    // A sample by its path is one that the caller knows.
    bool named = *sample->name != '\0';
    fprintf(stderr, "error: %s%s%s%s\n", named ? "sample " : "", sample->name, named ? ": " : "",
            reason);
    return EXIT_FAILURE;
}

// Returns NULL or a reason, as the application does.
static const char *prepare(const struct sample *sample, const struct tensors *tensors,
                           uint32_t window) {
    struct input inputs[APPLICATION_MAX_TENSORS + 1] = {0};
    for (uint32_t i = 0; i < tensors->count; i++) {
        inputs[i].info = &tensors->info[i];
        inputs[i].data = tensors->data + tensors->info[i].offset;
        inputs[i].window = window;
    }
    const char *reason = application_preprocess(sample, inputs);
    for (uint32_t i = 0; i < tensors->count && reason == NULL; i++) {
        if (inputs[i].out_of_range) {
            reason = "application_preprocess() writes past the end of a network input";
        }
    }
    return reason;
}

static int write_tensors(const struct tensors *tensors) {
    size_t written = fwrite(tensors->data, 1, tensors->size_bytes, stdout);
    if (written != tensors->size_bytes || fflush(stdout) != 0) {
        return fail("cannot write the tensor", "");
    }
    return EXIT_SUCCESS;
}

static int write_windows(const struct sample *sample, const struct tensors *tensors) {
    uint32_t windows = 0;
    const char *reason = application_window_count(sample, &tensors->info[0], &windows);
    for (uint32_t window = 0; window < windows && reason == NULL; window++) {
        memset(tensors->data, 0, tensors->size_bytes);
        reason = prepare(sample, tensors, window);
        if (reason == NULL && write_tensors(tensors) != EXIT_SUCCESS) {
            return EXIT_FAILURE;
        }
    }
    return reason == NULL ? EXIT_SUCCESS : fail_sample(sample, reason);
}

static int preprocess(const struct sample *sample, struct tensors *tensors) {
    tensors->data = malloc(tensors->size_bytes);
    if (tensors->data == NULL) {
        return fail("out of memory", "");
    }
    int code = write_windows(sample, tensors);
    free(tensors->data);
    return code;
}

static void print_answer(const struct answer *answer) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    text_fixed4(&line, answer->score);
    printf("answer=\"%s\" score=%s\n", answer->text, line.start);
}

static void print_ranked(const struct answer *answer) {
    char buffer[LINE_BYTES];
    for (uint32_t i = 0; i < answer->ranked_count; i++) {
        struct text line = text_in(buffer, sizeof buffer);
        text_string(&line, i == 0 ? "top \"" : " \"");
        text_string(&line, answer->ranked[i].text);
        text_string(&line, "\"=");
        text_fixed4(&line, answer->ranked[i].score);
        fputs(line.start, stdout);
    }
    if (answer->ranked_count > 0) {
        puts("");
    }
}

static int report(const struct answer *answer) {
    const char *reason = answer_check(answer);
    if (reason != NULL) {
        return fail(reason, "");
    }
    print_answer(answer);
    print_ranked(answer);
    return EXIT_SUCCESS;
}

// Returns NULL or a reason, as the application does.
static const char *answer_window(const struct tensors *tensors, uint32_t window,
                                 struct answer *answer) {
    struct output outputs[APPLICATION_MAX_TENSORS + 1] = {0};
    for (uint32_t i = 0; i < tensors->count; i++) {
        outputs[i].info = &tensors->info[i];
        outputs[i].data = tensors->data + tensors->info[i].offset;
        outputs[i].window = window;
    }
    return application_postprocess(outputs, answer);
}

static size_t read_tensors(const struct tensors *tensors) {
    return fread(tensors->data, 1, tensors->size_bytes, stdin);
}

static int read_windows(const struct tensors *tensors) {
    struct answer answer = {0};
    uint32_t windows = 0;
    size_t got = read_tensors(tensors);
    while (got == tensors->size_bytes) {
        const char *reason = answer_window(tensors, windows++, &answer);
        if (reason != NULL) {
            return fail(reason, "");
        }
        got = read_tensors(tensors);
    }
    if (got != 0 || windows == 0) {
        return fail("standard input does not contain whole tensors for each window", "");
    }
    return report(&answer);
}

static int postprocess(struct tensors *tensors) {
    tensors->data = malloc(tensors->size_bytes);
    int code = tensors->data == NULL ? fail("out of memory", "") : read_windows(tensors);
    free(tensors->data);
    return code;
}

static int run_preprocess(char *const arguments[], int words) {
    struct tensors tensors;
    uint32_t index;
    if (!parse_unsigned(arguments[0], UINT32_MAX, &index) ||
        !parse_tensors(&arguments[1], words - 1, &tensors)) {
        return fail("not a sample index and a tensor\n", USAGE);
    }
    if (index >= sample_count) {
        return fail("no sample has the index ", arguments[0]);
    }
    return preprocess(&samples[index], &tensors);
}

// Pre- and post-processing in turns, as on the device; the outputs come from standard input.
static int answer_windows(const struct sample *sample, const struct tensors *inputs,
                          const struct tensors *outputs) {
    struct answer answer = {0};
    uint32_t windows = 0;
    const char *reason = application_window_count(sample, &inputs->info[0], &windows);
    for (uint32_t window = 0; window < windows && reason == NULL; window++) {
        reason = prepare(sample, inputs, window);
        if (reason == NULL && read_tensors(outputs) != outputs->size_bytes) {
            return fail("standard input does not contain the tensors of each window", "");
        }
        if (reason == NULL) {
            reason = answer_window(outputs, window, &answer);
        }
    }
    if (reason != NULL) {
        return fail_sample(sample, reason);
    }
    if (windows == 0 || getchar() != EOF) {
        return fail("number of tensors differs from the sample's windows: ", sample->name);
    }
    return report(&answer);
}

static int answer(const struct sample *sample, struct tensors *inputs, struct tensors *outputs) {
    inputs->data = calloc(inputs->size_bytes, 1);
    outputs->data = malloc(outputs->size_bytes);
    int code = inputs->data == NULL || outputs->data == NULL
                   ? fail("out of memory", "")
                   : answer_windows(sample, inputs, outputs);
    free(inputs->data);
    free(outputs->data);
    return code;
}

// INPUTS... to OUTPUTS...
static bool parse_both(char *const arguments[], int words, struct tensors *inputs,
                       struct tensors *outputs) {
    int to = 0;
    while (to < words && strcmp(arguments[to], "to") != 0) {
        to++;
    }
    return to < words && parse_tensors(arguments, to, inputs) &&
           parse_tensors(&arguments[to + 1], words - to - 1, outputs);
}

// SAMPLE_INDEX INPUTS... to OUTPUTS...
static int run_answer(char *const arguments[], int words) {
    struct tensors inputs;
    struct tensors outputs;
    uint32_t index;
    if (!parse_unsigned(arguments[0], UINT32_MAX, &index) ||
        !parse_both(&arguments[1], words - 1, &inputs, &outputs)) {
        return fail("not a sample index, inputs, 'to' and outputs\n", USAGE);
    }
    if (index >= sample_count) {
        return fail("no sample has the index ", arguments[0]);
    }
    return answer(&samples[index], &inputs, &outputs);
}

static int read_sample(const char *path, FILE *file, struct sample *sample) {
    void *data = malloc(MAX_SAMPLE_BYTES + 1);
    if (data == NULL) {
        return fail("out of memory", "");
    }
    size_t size_bytes = fread(data, 1, MAX_SAMPLE_BYTES + 1, file);
    *sample = (struct sample){.name = "", .data = data, .size_bytes = (uint32_t)size_bytes};
    if (ferror(file) != 0 || size_bytes == 0 || size_bytes > MAX_SAMPLE_BYTES) {
        free(data);
        return fail("the sample is empty or larger than 32 MiB: ", path);
    }
    return EXIT_SUCCESS;
}

static int open_sample(const char *path, struct sample *sample) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return fail("cannot open ", path);
    }
    int code = read_sample(path, file, sample);
    fclose(file);
    return code;
}

static int run_preprocess_file(char *const arguments[], int words) {
    struct tensors tensors;
    struct sample sample;
    if (!parse_tensors(&arguments[1], words - 1, &tensors)) {
        return fail("not a path and a tensor\n", USAGE);
    }
    int code = open_sample(arguments[0], &sample);
    if (code == EXIT_SUCCESS) {
        code = preprocess(&sample, &tensors);
        free((void *)sample.data);
    }
    return code;
}

// PATH INPUTS... to OUTPUTS...
static int run_answer_file(char *const arguments[], int words) {
    struct tensors inputs;
    struct tensors outputs;
    struct sample sample;
    if (!parse_both(&arguments[1], words - 1, &inputs, &outputs)) {
        return fail("not a path, inputs, 'to' and outputs\n", USAGE);
    }
    int code = open_sample(arguments[0], &sample);
    if (code == EXIT_SUCCESS) {
        code = answer(&sample, &inputs, &outputs);
        free((void *)sample.data);
    }
    return code;
}

int main(int argc, char *argv[]) {
    if (argc >= 7 && strcmp(argv[1], "preprocess-file") == 0) {
        return run_preprocess_file(&argv[2], argc - 2);
    }
    if (argc >= 7 && strcmp(argv[1], "preprocess") == 0) {
        return run_preprocess(&argv[2], argc - 2);
    }
    if (argc >= 4 && strcmp(argv[1], "answer") == 0) {
        return run_answer(&argv[2], argc - 2);
    }
    if (argc >= 4 && strcmp(argv[1], "answer-file") == 0) {
        return run_answer_file(&argv[2], argc - 2);
    }
    struct tensors tensors;
    if (argc >= 6 && strcmp(argv[1], "postprocess") == 0 &&
        parse_tensors(&argv[2], argc - 2, &tensors)) {
        return postprocess(&tensors);
    }
    fputs(USAGE, stderr);
    return EXIT_USAGE;
}
