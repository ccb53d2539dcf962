// SPDX-License-Identifier: Apache-2.0
#include "tensorflow/lite/micro/arena_allocator/single_arena_buffer_allocator.h"

#include "tensorflow/lite/micro/micro_log.h"

namespace tflite {

SingleArenaBufferAllocator::SingleArenaBufferAllocator(uint8_t *buffer, size_t size)
    : start_(buffer), end_(buffer + size), tail_(end_) {}

uint8_t *SingleArenaBufferAllocator::AllocatePersistentBuffer(size_t size, size_t alignment) {
    uintptr_t place = (reinterpret_cast<uintptr_t>(tail_) - size) / alignment * alignment;
    uintptr_t lowest = reinterpret_cast<uintptr_t>(start_ + head_size_);
    if (place < lowest) {
        MicroPrintf("Failed to allocate tail memory. Requested: %u, missing: %u",
                    static_cast<unsigned>(size), static_cast<unsigned>(lowest - place));
        return nullptr;
    }
    tail_ = reinterpret_cast<uint8_t *>(place);
    return tail_;
}

uint8_t *SingleArenaBufferAllocator::ResizeHead(size_t size) {
    if (size > static_cast<size_t>(tail_ - start_)) {
        MicroPrintf("Failed to resize buffer. Requested: %u, available %u",
                    static_cast<unsigned>(size), static_cast<unsigned>(tail_ - start_));
        return nullptr;
    }
    head_size_ = size;
    return start_;
}

size_t SingleArenaBufferAllocator::used_bytes() const {
    return head_size_ + static_cast<size_t>(end_ - tail_);
}

} // namespace tflite
