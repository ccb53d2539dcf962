// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_MICRO_OP_RESOLVER_H_
#define FAKE_MICRO_OP_RESOLVER_H_

#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {

class MicroOpResolver {
  public:
    virtual const TFLMRegistration *FindOp(BuiltinOperator op) const = 0;
    virtual const TFLMRegistration *FindOp(const char *op) const = 0;
    virtual ~MicroOpResolver() {}
    void operator delete(void *) {}
};

} // namespace tflite

#endif
