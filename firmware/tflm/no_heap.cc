// SPDX-License-Identifier: Apache-2.0
// Destructors of the library's classes name these, and nothing calls them: there is no heap.
#include <cstddef>
#include <cstdlib>
#include <new>

void operator delete(void *) noexcept { abort(); }
void operator delete(void *, size_t) noexcept { abort(); }
