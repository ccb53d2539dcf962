# SPDX-License-Identifier: Apache-2.0
"""What several tests share; tests import helpers from here and from nowhere else."""
