// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_MICRO_ALLOCATOR_H_
#define FAKE_MICRO_ALLOCATOR_H_

#include "tensorflow/lite/micro/arena_allocator/single_arena_buffer_allocator.h"

namespace tflite {

enum class MemoryPlannerType { kGreedy, kLinear };

// Lies in the arena itself.
class MicroAllocator {
  public:
    static MicroAllocator *
    Create(uint8_t *tensor_arena, size_t arena_size,
           MemoryPlannerType memory_planner_type = MemoryPlannerType::kGreedy);

    explicit MicroAllocator(const SingleArenaBufferAllocator &memory) : memory_(memory) {}
    virtual ~MicroAllocator() {}
    void operator delete(void *) {}

    virtual void *AllocatePersistentBuffer(size_t bytes);
    SingleArenaBufferAllocator &memory() { return memory_; }
    size_t used_bytes() const;

  private:
    SingleArenaBufferAllocator memory_;
};

} // namespace tflite

#endif
