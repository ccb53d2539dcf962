# SPDX-License-Identifier: Apache-2.0
"""Hostile input for the NPU model: corrupted payloads, command streams and weight streams."""
