// SPDX-License-Identifier: Apache-2.0
// The kernels that the network uses; the build generates their list from the network itself.
#ifndef ETHOSMITH_TFLM_OP_RESOLVER_H
#define ETHOSMITH_TFLM_OP_RESOLVER_H

#include <new>

#include "tflm.h"

// Null if TensorFlow Lite Micro refuses one; its message is in the log.
const tflite::MicroOpResolver *op_resolver();

// Static storage for an object without a destructor's entry at exit: nothing here ever ends.
template <typename T> class Place {
  public:
    void *bytes() { return bytes_; }

  private:
    alignas(T) unsigned char bytes_[sizeof(T)];
};

#endif
