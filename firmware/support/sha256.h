// SPDX-License-Identifier: Apache-2.0
/** @file SHA-256 of FIPS 180-4, of bytes that are all in memory. */
#ifndef ETHOSMITH_SUPPORT_SHA256_H
#define ETHOSMITH_SUPPORT_SHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SHA256_BYTES = 32, SHA256_BLOCK_BYTES = 64 };

/** A hash under way. */
struct sha256 {
    uint32_t state[8];
    uint64_t size_bytes;
    uint8_t block[SHA256_BLOCK_BYTES];
};

/**
 * Starts a hash.
 *
 * @param hash to start.
 */
void sha256_start(struct sha256 *hash);

/**
 * Adds bytes.
 *
 * @param hash to add to.
 * @param bytes what to add.
 * @param size_bytes how many.
 */
void sha256_add(struct sha256 *hash, const uint8_t *bytes, size_t size_bytes);

/**
 * Ends a hash.
 *
 * @param hash to end.
 * @param digest filled in.
 */
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
