// SPDX-License-Identifier: Apache-2.0
#error "a port of TFLM brings its own of this"
