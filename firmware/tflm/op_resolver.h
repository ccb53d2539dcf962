// SPDX-License-Identifier: Apache-2.0
/** @file The kernels that the network uses; the build generates their list from the network. */
#ifndef ETHOSMITH_TFLM_OP_RESOLVER_H
#define ETHOSMITH_TFLM_OP_RESOLVER_H

#include <new>

#include "tflm.h"

/**
 * Registers the kernels.
 *
 * @return null if TensorFlow Lite Micro refuses one; its message is in the log.
 */
const tflite::MicroOpResolver *op_resolver();

/** Static storage for an object whose destructor must never run: the program does not end. */
template <typename T> class Place {
  public:
    /** @return the storage. */
    void *bytes() { return bytes_; }

  private:
    alignas(T) unsigned char bytes_[sizeof(T)];
};

#endif
