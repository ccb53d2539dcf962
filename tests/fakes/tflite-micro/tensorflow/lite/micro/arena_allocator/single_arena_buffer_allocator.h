// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_SINGLE_ARENA_BUFFER_ALLOCATOR_H_
#define FAKE_SINGLE_ARENA_BUFFER_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>

namespace tflite {

// Tensors from the arena's start (head), structures from its end (tail).
class SingleArenaBufferAllocator {
  public:
    SingleArenaBufferAllocator(uint8_t *buffer, size_t size);

    // Null, and a message, if there is no room.
    uint8_t *AllocatePersistentBuffer(size_t size, size_t alignment);
    // Where the head begins, if it may have `size` bytes.
    uint8_t *ResizeHead(size_t size);
    size_t used_bytes() const;

  private:
    uint8_t *start_;
    uint8_t *end_;
    uint8_t *tail_;
    size_t head_size_ = 0;
};

} // namespace tflite

#endif
