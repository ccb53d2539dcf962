# SPDX-License-Identifier: Apache-2.0
"""The build's steps, one typed class a file; `ethosmith.steps.step` says what a step is."""
