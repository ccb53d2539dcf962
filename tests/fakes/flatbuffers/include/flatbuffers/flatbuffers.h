// SPDX-License-Identifier: Apache-2.0
// Reads FlatBuffers: as much of the library's job as the fake of TFLM needs.
#ifndef FAKE_FLATBUFFERS_H_
#define FAKE_FLATBUFFERS_H_

#include <cstdint>
#include <cstring>

namespace flatbuffers {

template <typename T> T read(const uint8_t *at) {
    T value;
    memcpy(&value, at, sizeof value);
    return value;
}

inline const uint8_t *follow(const uint8_t *at) { return at + read<uint32_t>(at); }

// A vector of scalars; null data is the empty one.
template <typename T> class Vector {
  public:
    explicit Vector(const uint8_t *at) : at_(at) {}
    uint32_t size() const { return at_ == nullptr ? 0 : read<uint32_t>(at_); }
    const uint8_t *bytes() const { return at_ + sizeof(uint32_t); }
    T operator[](uint32_t index) const { return read<T>(bytes() + index * sizeof(T)); }

  private:
    const uint8_t *at_;
};

class Table {
  public:
    explicit Table(const uint8_t *at) : at_(at) {}

    bool exists() const { return at_ != nullptr; }

    template <typename T> T scalar(uint32_t field, T otherwise) const {
        const uint8_t *found = find(field);
        return found == nullptr ? otherwise : read<T>(found);
    }
    Table table(uint32_t field) const {
        const uint8_t *found = find(field);
        return Table(found == nullptr ? nullptr : follow(found));
    }
    template <typename T> Vector<T> vector(uint32_t field) const {
        const uint8_t *found = find(field);
        return Vector<T>(found == nullptr ? nullptr : follow(found));
    }
    // One of a vector of tables.
    Table element(uint32_t field, uint32_t index) const {
        return Table(follow(vector<uint32_t>(field).bytes() + index * sizeof(uint32_t)));
    }
    const char *string(uint32_t field) const {
        return reinterpret_cast<const char *>(vector<uint8_t>(field).bytes());
    }

  private:
    const uint8_t *find(uint32_t field) const {
        if (at_ == nullptr) {
            return nullptr;
        }
        const uint8_t *vtable = at_ - read<int32_t>(at_);
        uint32_t entry = 2 * sizeof(uint16_t) + field * sizeof(uint16_t);
        uint16_t offset = entry < read<uint16_t>(vtable) ? read<uint16_t>(vtable + entry) : 0;
        return offset == 0 ? nullptr : at_ + offset;
    }

    const uint8_t *at_;
};

} // namespace flatbuffers

#endif
