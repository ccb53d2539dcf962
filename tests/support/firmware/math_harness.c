// SPDX-License-Identifier: Apache-2.0
// NAME: applies a function of portable_math.c to each double of standard input.
#define ETHOSMITH_FRONTEND_OWN_SOURCE
#include "port.h"

struct function {
    const char *name;
    double (*call)(double);
};

static double power(double x) { return (double)portable_powf((float)x, -0.95f); }

static double log1p_single(double x) { return (double)portable_log1pf((float)x); }

static const struct function FUNCTIONS[] = {
    {"sin", portable_sin}, {"cos", portable_cos}, {"log", portable_log},
    {"exp", portable_exp}, {"pow", power},        {"log1p", log1p_single},
};

int main(int argc, char *argv[]) {
    for (size_t i = 0; argc == 2 && i < sizeof FUNCTIONS / sizeof FUNCTIONS[0]; i++) {
        if (strcmp(FUNCTIONS[i].name, argv[1]) == 0) {
            double x;
            while (fread(&x, sizeof x, 1, stdin) == 1) {
                printf("%.17g\n", FUNCTIONS[i].call(x));
            }
            return EXIT_SUCCESS;
        }
    }
    return EXIT_FAILURE;
}
