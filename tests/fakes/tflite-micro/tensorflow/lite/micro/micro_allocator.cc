// SPDX-License-Identifier: Apache-2.0
#include "tensorflow/lite/micro/micro_allocator.h"

#include <new>

namespace tflite {

namespace {
constexpr size_t kAlignment = 16;
} // namespace

MicroAllocator *MicroAllocator::Create(uint8_t *tensor_arena, size_t arena_size,
                                       MemoryPlannerType memory_planner_type) {
    (void)memory_planner_type;
    SingleArenaBufferAllocator memory(tensor_arena, arena_size);
    uint8_t *place =
        memory.AllocatePersistentBuffer(sizeof(MicroAllocator), alignof(MicroAllocator));
    return place == nullptr ? nullptr : new (place) MicroAllocator(memory);
}

void *MicroAllocator::AllocatePersistentBuffer(size_t bytes) {
    return memory_.AllocatePersistentBuffer(bytes, kAlignment);
}

size_t MicroAllocator::used_bytes() const { return memory_.used_bytes(); }

} // namespace tflite
