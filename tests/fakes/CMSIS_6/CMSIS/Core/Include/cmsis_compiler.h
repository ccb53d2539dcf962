/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_CMSIS_COMPILER_H
#define FAKE_CMSIS_COMPILER_H

#define __WEAK __attribute__((weak))

#endif
