// SPDX-License-Identifier: Apache-2.0
// Overlapping windows over a stream of features, for clips longer than a network's input.
#ifndef ETHOSMITH_FRONTEND_SLIDING_WINDOWS_H
#define ETHOSMITH_FRONTEND_SLIDING_WINDOWS_H

#include <cstdint>
#include <cstring>

namespace ethosmith {

// Cuts a stream of frames into windows, each given from first to last frame. Keeps the frames that
// neighbouring windows share, kMostShared at most, so that each frame is made once.
template <typename Frame, uint32_t kMostShared> class SlidingWindows {
  public:
    // The next window is the stream's first.
    void restart() { begun_ = false; }

    // Gives the next window to `take(index, frame)`, `frames` long and `hop` frames behind the one
    // before; `make(frame)` makes the frames that are new. frames - hop is kMostShared or less.
    template <typename Make, typename Take>
    void next(uint32_t frames, uint32_t hop, Make make, Take take) {
        for (uint32_t index = 0; index < frames; index++) {
            Frame frame;
            if (begun_ && index + hop < frames) {
                std::memcpy(frame, shared_[index], sizeof(Frame));
            } else {
                make(frame);
            }
            keep(index, hop, frame);
            take(index, frame);
        }
        begun_ = true;
    }

  private:
    // The frames from `hop` on are the next window's first. Where a window hops less than it
    // shares, they move down within the store: each place is read before it is written.
    void keep(uint32_t index, uint32_t hop, const Frame &frame) {
        if (index >= hop) {
            std::memcpy(shared_[index - hop], frame, sizeof(Frame));
        }
    }

    Frame shared_[kMostShared] = {};
    bool begun_ = false;
};

} // namespace ethosmith

#endif
