// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_GREEDY_MEMORY_PLANNER_H_
#define FAKE_GREEDY_MEMORY_PLANNER_H_

#include <cstddef>
#include <cstdint>

namespace tflite {

// A buffer that lives from operator `first` to `last`; an offset of -1 is to be found.
struct PlannedBuffer {
    size_t bytes;
    int first;
    int last;
    int32_t offset;
};

// Gives each buffer an offset, the largest first; returns the end of the last one.
size_t PlanGreedily(PlannedBuffer *buffers, int count);

} // namespace tflite

#endif
