// SPDX-License-Identifier: Apache-2.0
// Only its name is read.
