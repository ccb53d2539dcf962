// SPDX-License-Identifier: Apache-2.0
#include "tensorflow/lite/micro/memory_planner/greedy_memory_planner.h"

namespace tflite {

namespace {

constexpr size_t kAlignment = 16;

size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t EndOf(const PlannedBuffer &one) { return one.offset + Aligned(one.bytes); }

bool Meet(const PlannedBuffer &a, const PlannedBuffer &b) {
    return a.first <= b.last && b.first <= a.last;
}

// A buffer in the way at `offset`; null if there is none.
const PlannedBuffer *Obstacle(const PlannedBuffer *buffers, int count, const PlannedBuffer &one,
                              size_t offset) {
    for (int i = 0; i < count; ++i) {
        const PlannedBuffer &other = buffers[i];
        if (other.offset >= 0 && Meet(one, other) && offset < EndOf(other) &&
            static_cast<size_t>(other.offset) < offset + Aligned(one.bytes)) {
            return &other;
        }
    }
    return nullptr;
}

PlannedBuffer *LargestLeft(PlannedBuffer *buffers, int count) {
    PlannedBuffer *found = nullptr;
    for (int i = 0; i < count; ++i) {
        if (buffers[i].offset < 0 && (found == nullptr || buffers[i].bytes > found->bytes)) {
            found = &buffers[i];
        }
    }
    return found;
}

} // namespace

size_t PlanGreedily(PlannedBuffer *buffers, int count) {
    while (PlannedBuffer *one = LargestLeft(buffers, count)) {
        size_t offset = 0;
        while (const PlannedBuffer *other = Obstacle(buffers, count, *one, offset)) {
            offset = EndOf(*other);
        }
        one->offset = static_cast<int32_t>(offset);
    }
    size_t end = 0;
    for (int i = 0; i < count; ++i) {
        end = EndOf(buffers[i]) > end ? EndOf(buffers[i]) : end;
    }
    return end;
}

} // namespace tflite
