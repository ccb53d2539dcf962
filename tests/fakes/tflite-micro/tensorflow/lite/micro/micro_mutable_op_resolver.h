// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_MICRO_MUTABLE_OP_RESOLVER_H_
#define FAKE_MICRO_MUTABLE_OP_RESOLVER_H_

#include <cstring>

#include "tensorflow/lite/micro/kernels/ethosu.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/micro_op_resolver.h"

namespace tflite {

template <unsigned int tOpCount> class MicroMutableOpResolver : public MicroOpResolver {
  public:
    explicit MicroMutableOpResolver() {}

    const TFLMRegistration *FindOp(BuiltinOperator op) const override {
        for (unsigned int i = 0; i < count_; ++i) {
            if (op != BuiltinOperator_CUSTOM && registrations_[i].builtin_code == op) {
                return &registrations_[i];
            }
        }
        return nullptr;
    }
    const TFLMRegistration *FindOp(const char *op) const override {
        for (unsigned int i = 0; i < count_; ++i) {
            const char *name = registrations_[i].custom_name;
            if (name != nullptr && strcmp(name, op) == 0) {
                return &registrations_[i];
            }
        }
        return nullptr;
    }

    TfLiteStatus AddCustom(const char *name, const TFLMRegistration *registration) {
        TFLMRegistration named = *registration;
        named.custom_name = name;
        return Append(BuiltinOperator_CUSTOM, named);
    }
    TfLiteStatus
    AddAveragePool2D(const TFLMRegistration &registration = Register_AVERAGE_POOL_2D()) {
        return Append(BuiltinOperator_AVERAGE_POOL_2D, registration);
    }
    TfLiteStatus AddConv2D(const TFLMRegistration &registration = Register_CONV_2D()) {
        return Append(BuiltinOperator_CONV_2D, registration);
    }
    TfLiteStatus
    AddDepthwiseConv2D(const TFLMRegistration &registration = Register_DEPTHWISE_CONV_2D()) {
        return Append(BuiltinOperator_DEPTHWISE_CONV_2D, registration);
    }
    TfLiteStatus AddEthosU() {
        TFLMRegistration *registration = Register_ETHOSU();
        return registration ? AddCustom(GetString_ETHOSU(), registration) : kTfLiteOk;
    }
    TfLiteStatus
    AddFullyConnected(const TFLMRegistration &registration = Register_FULLY_CONNECTED()) {
        return Append(BuiltinOperator_FULLY_CONNECTED, registration);
    }
    TfLiteStatus AddReshape(const TFLMRegistration &registration = Register_RESHAPE()) {
        return Append(BuiltinOperator_RESHAPE, registration);
    }
    TfLiteStatus AddSoftmax(const TFLMRegistration &registration = Register_SOFTMAX()) {
        return Append(BuiltinOperator_SOFTMAX, registration);
    }

    // Declared as the original has them; their kernels are not part of the fake.
    TfLiteStatus AddAbs();
    TfLiteStatus AddDecode();
    TfLiteStatus AddDelay();
    TfLiteStatus AddEnergy();
    TfLiteStatus AddFftAutoScale();
    TfLiteStatus AddFilterBank();
    TfLiteStatus AddFilterBankLog();
    TfLiteStatus AddFilterBankSpectralSubtraction();
    TfLiteStatus AddFilterBankSquareRoot();
    TfLiteStatus AddFramer();
    TfLiteStatus AddIrfft();
    TfLiteStatus AddOverlapAdd();
    TfLiteStatus AddPCAN();
    TfLiteStatus AddRfft();
    TfLiteStatus AddStacker();
    TfLiteStatus AddWindow();
    TfLiteStatus AddAdd();
    TfLiteStatus AddAddN();
    TfLiteStatus AddArgMax();
    TfLiteStatus AddArgMin();
    TfLiteStatus AddBatchMatMul();
    TfLiteStatus AddBatchToSpaceNd();
    TfLiteStatus AddBroadcastArgs();
    TfLiteStatus AddBroadcastTo();
    TfLiteStatus AddCast();
    TfLiteStatus AddCeil();
    TfLiteStatus AddCircularBuffer();
    TfLiteStatus AddConcatenation();
    TfLiteStatus AddCos();
    TfLiteStatus AddCumSum();
    TfLiteStatus AddDepthToSpace();
    TfLiteStatus AddDequantize();
    TfLiteStatus AddDetectionPostprocess();
    TfLiteStatus AddDiv();
    TfLiteStatus AddDynamicUpdateSlice();
    TfLiteStatus AddElu();
    TfLiteStatus AddEmbeddingLookup();
    TfLiteStatus AddEqual();
    TfLiteStatus AddExp();
    TfLiteStatus AddExpandDims();
    TfLiteStatus AddFill();
    TfLiteStatus AddFloor();
    TfLiteStatus AddFloorDiv();
    TfLiteStatus AddFloorMod();
    TfLiteStatus AddGather();
    TfLiteStatus AddGatherNd();
    TfLiteStatus AddGreater();
    TfLiteStatus AddGreaterEqual();
    TfLiteStatus AddHardSwish();
    TfLiteStatus AddL2Normalization();
    TfLiteStatus AddL2Pool2D();
    TfLiteStatus AddLeakyRelu();
    TfLiteStatus AddLess();
    TfLiteStatus AddLessEqual();
    TfLiteStatus AddLog();
    TfLiteStatus AddLogSoftmax();
    TfLiteStatus AddLogicalAnd();
    TfLiteStatus AddLogicalNot();
    TfLiteStatus AddLogicalOr();
    TfLiteStatus AddLogistic();
    TfLiteStatus AddMaxPool2D();
    TfLiteStatus AddMaximum();
    TfLiteStatus AddMean();
    TfLiteStatus AddMinimum();
    TfLiteStatus AddMirrorPad();
    TfLiteStatus AddMul();
    TfLiteStatus AddNeg();
    TfLiteStatus AddNotEqual();
    TfLiteStatus AddPack();
    TfLiteStatus AddPad();
    TfLiteStatus AddPadV2();
    TfLiteStatus AddPrelu();
    TfLiteStatus AddQuantize();
    TfLiteStatus AddReduceAll();
    TfLiteStatus AddReduceMax();
    TfLiteStatus AddReduceMin();
    TfLiteStatus AddRelu();
    TfLiteStatus AddRelu6();
    TfLiteStatus AddResizeBilinear();
    TfLiteStatus AddResizeNearestNeighbor();
    TfLiteStatus AddReverseV2();
    TfLiteStatus AddRound();
    TfLiteStatus AddRsqrt();
    TfLiteStatus AddSelectV2();
    TfLiteStatus AddShape();
    TfLiteStatus AddSin();
    TfLiteStatus AddSlice();
    TfLiteStatus AddSpaceToBatchNd();
    TfLiteStatus AddSpaceToDepth();
    TfLiteStatus AddSplit();
    TfLiteStatus AddSplitV();
    TfLiteStatus AddSqrt();
    TfLiteStatus AddSquare();
    TfLiteStatus AddSquaredDifference();
    TfLiteStatus AddSqueeze();
    TfLiteStatus AddStridedSlice();
    TfLiteStatus AddSub();
    TfLiteStatus AddSum();
    TfLiteStatus AddSvdf();
    TfLiteStatus AddTanh();
    TfLiteStatus AddTranspose();
    TfLiteStatus AddTransposeConv();
    TfLiteStatus AddUnidirectionalSequenceLSTM();
    TfLiteStatus AddUnpack();
    TfLiteStatus AddZerosLike();

  private:
    TfLiteStatus Append(BuiltinOperator op, const TFLMRegistration &registration) {
        if (count_ >= tOpCount) {
            MicroPrintf("Couldn't register op #%d, resolver size is too small (%d).", op, tOpCount);
            return kTfLiteError;
        }
        registrations_[count_] = registration;
        registrations_[count_].builtin_code = op;
        ++count_;
        return kTfLiteOk;
    }

    TFLMRegistration registrations_[tOpCount];
    unsigned int count_ = 0;
};

} // namespace tflite

#endif
