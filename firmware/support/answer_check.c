// SPDX-License-Identifier: Apache-2.0
#include "answer_check.h"

#include <stddef.h>

#include "text.h"

static const char *numbered(const char *before, uint32_t number, const char *after) {
    static char reason[96];
    struct text text = text_in(reason, sizeof reason);
    text_string(&text, before);
    text_unsigned(&text, number);
    text_string(&text, after);
    return reason;
}

const char *answer_check(const struct answer *answer) {
    if (answer->text == NULL) {
        return "application_postprocess() gives an answer without text";
    }
    if (answer->ranked_count > ANSWER_MAX_RANKED) {
        return numbered("application_postprocess() ranks ", answer->ranked_count,
                        " answers, expected 5 at most");
    }
    for (uint32_t i = 0; i < answer->ranked_count; i++) {
        if (answer->ranked[i].text == NULL) {
            return numbered("application_postprocess() gives ranked answer ", i, " without text");
        }
    }
    return NULL;
}

_Static_assert(ANSWER_MAX_RANKED == 5, "the text above has the number");
