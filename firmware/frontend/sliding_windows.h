// SPDX-License-Identifier: Apache-2.0
/** @file Overlapping windows over a stream of features, for clips longer than a network's input. */
#ifndef ETHOSMITH_FRONTEND_SLIDING_WINDOWS_H
#define ETHOSMITH_FRONTEND_SLIDING_WINDOWS_H

#include <cstdint>
#include <cstring>

namespace ethosmith {

/**
 * Cuts a stream of frames into windows. Keeps the frames that neighbouring windows share, up to
 * kMaxShared, so that each frame is computed once.
 */
template <typename Frame, uint32_t kMaxShared> class SlidingWindows {
  public:
    /** Makes the next window the stream's first. */
    void restart() { started_ = false; }

    /**
     * Passes on the next window, from first to last frame.
     *
     * @param frames of the window.
     * @param hop frames from the window before to this one; frames - hop is kMaxShared or less.
     * @param compute called as compute(frame) for each frame that is new.
     * @param push called as push(index, frame) for each frame of the window.
     */
    template <typename Compute, typename Push>
    void next(uint32_t frames, uint32_t hop, Compute compute, Push push) {
        for (uint32_t index = 0; index < frames; index++) {
            Frame frame;
            if (started_ && index + hop < frames) {
                std::memcpy(frame, shared_[index], sizeof(Frame));
            } else {
                compute(frame);
            }
            keep(index, hop, frame);
            push(index, frame);
        }
        started_ = true;
    }

  private:
    // The frames from `hop` on are the next window's first. Where a window hops less than it
    // shares, they move down within the store: each place is read before it is written.
    void keep(uint32_t index, uint32_t hop, const Frame &frame) {
        if (index >= hop) {
            std::memcpy(shared_[index - hop], frame, sizeof(Frame));
        }
    }

    Frame shared_[kMaxShared] = {};
    bool started_ = false;
};

} // namespace ethosmith

#endif
