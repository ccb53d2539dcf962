"""Ethosmith: from a Keras file to an Arm Cortex-M55 with an Ethos-U NPU."""
