// SPDX-License-Identifier: Apache-2.0
#include "ctc_decoder.h"

#include <cstring>

namespace asr {

void CtcDecoder::restart() { *this = CtcDecoder(alphabet_); }

uint32_t CtcDecoder::symbol_count() const {
    return static_cast<uint32_t>(std::strlen(alphabet_)) + 1;
}

float CtcDecoder::score() const {
    return emitted_ == 0 ? 0.0f : probabilities_ / static_cast<float>(emitted_);
}

bool CtcDecoder::push(uint32_t symbol, float probability) {
    const uint32_t blank = symbol_count() - 1;
    const bool repeated = symbol == previous_;
    previous_ = symbol;
    if (repeated || symbol == blank) {
        return true;
    }
    if (symbol > blank || !append(alphabet_[symbol])) {
        return false;
    }
    emitted_++;
    probabilities_ += probability;
    return true;
}

// A space is written when a letter follows it, so none begins or ends the text.
bool CtcDecoder::append(char character) {
    if (character == ' ') {
        space_waits_ = length_ > 0;
        return true;
    }
    const bool space_first = space_waits_;
    space_waits_ = false;
    return (!space_first || put(' ')) && put(character);
}

bool CtcDecoder::put(char character) {
    if (length_ + 1 >= sizeof text_) {
        return false;
    }
    text_[length_++] = character;
    return true;
}

} // namespace asr
