/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMITATION_CMSIS_COMPILER_H
#define IMITATION_CMSIS_COMPILER_H

#define __WEAK __attribute__((weak))

#endif
