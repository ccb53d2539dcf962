// SPDX-License-Identifier: Apache-2.0
// The resolver of networks that are on the NPU whole. It is the same for all of them, so no other
// NPU compiles it again; the one that the build generates for other networks takes its place in the
// link.
#include "op_resolver.h"

const tflite::MicroOpResolver *op_resolver() {
    static Place<tflite::MicroMutableOpResolver<1>> place;
    auto *resolver = new (place.bytes()) tflite::MicroMutableOpResolver<1>();
    return resolver->AddEthosU() == kTfLiteOk ? resolver : nullptr;
}
