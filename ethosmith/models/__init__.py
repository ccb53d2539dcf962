# SPDX-License-Identifier: Apache-2.0
"""The way of a model: float Keras network -> int8 TFLite -> Vela's command stream."""
