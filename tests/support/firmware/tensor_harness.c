// SPDX-License-Identifier: Apache-2.0
// DTYPE SCALE ZERO_POINT: stores each float of standard input into a tensor and reads it back.
#include <stdio.h>
#include <stdlib.h>

#include "application.h"

static void round_trip(const struct tensor_info *info, float value) {
    uint32_t storage[2] = {0xAAAAAAAA, 0xAAAAAAAA};
    struct input input = {.info = info, .data = storage};
    struct output output = {.info = info, .data = storage};
    input_set(&input, 0, value);
    float back = output_get(&output, 0);
    input_set(&input, 1, value); // one too many: refused, and nothing stored
    printf("%08x %.9g %d %d\n", storage[0], (double)back, input.out_of_range,
           storage[1] == 0xAAAAAAAA);
}

int main(int argc, char *argv[]) {
    static const uint32_t BYTES[] = {1, 1, 2, 4, 4};
    if (argc != 4) {
        return EXIT_FAILURE;
    }
    int dtype = atoi(argv[1]);
    struct tensor_info info = {.dtype = (enum tensor_dtype)dtype,
                               .rank = 1,
                               .shape = {1},
                               .size_bytes = BYTES[dtype],
                               .scale = strtof(argv[2], NULL),
                               .zero_point = atoi(argv[3])};
    float value;
    while (fread(&value, sizeof value, 1, stdin) == 1) {
        round_trip(&info, value);
    }
    return EXIT_SUCCESS;
}
