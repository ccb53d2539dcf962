// SPDX-License-Identifier: Apache-2.0
#include "sha256.h"

#include <string.h>

enum { ROUNDS = 64, WORD_BYTES = 4, LENGTH_BYTES = 8 };

// FIPS 180-4, section 4.2.2.
static const uint32_t CONSTANTS[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t word, uint32_t bits) {
    return (word >> bits) | (word << (32 - bits));
}

static uint32_t word_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void expand(uint32_t schedule[ROUNDS], const uint8_t *block) {
    for (uint32_t i = 0; i < 16; i++) {
        schedule[i] = word_at(block + WORD_BYTES * i);
    }
    for (uint32_t i = 16; i < ROUNDS; i++) {
        uint32_t a = schedule[i - 15];
        uint32_t b = schedule[i - 2];
        schedule[i] = schedule[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)) +
                      schedule[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10));
    }
}

static void add_block(struct sha256 *hash, const uint8_t *block) {
    uint32_t schedule[ROUNDS];
    uint32_t s[8];
    expand(schedule, block);
    memcpy(s, hash->state, sizeof s);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t first = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + choice +
                         CONSTANTS[i] + schedule[i];
        uint32_t second = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof s[0]);
        s[4] += first;
        s[0] = first + second;
    }
    for (uint32_t i = 0; i < 8; i++) {
        hash->state[i] += s[i];
    }
}

void sha256_start(struct sha256 *hash) {
    // Section 5.3.3.
    *hash = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                      0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *hash, const uint8_t *bytes, size_t size_bytes) {
    for (size_t i = 0; i < size_bytes; i++) {
        hash->block[hash->size_bytes++ % SHA256_BLOCK_BYTES] = bytes[i];
        if (hash->size_bytes % SHA256_BLOCK_BYTES == 0) {
            add_block(hash, hash->block);
        }
    }
}

void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]) {
    static const uint8_t ONE = 0x80;
    static const uint8_t ZERO = 0;
    uint64_t bits = 8 * hash->size_bytes;
    sha256_add(hash, &ONE, 1);
    while (hash->size_bytes % SHA256_BLOCK_BYTES != SHA256_BLOCK_BYTES - LENGTH_BYTES) {
        sha256_add(hash, &ZERO, 1);
    }
    for (uint32_t i = 0; i < LENGTH_BYTES; i++) {
        uint8_t byte = (uint8_t)(bits >> (8 * (LENGTH_BYTES - 1 - i)));
        sha256_add(hash, &byte, 1);
    }
    for (uint32_t i = 0; i < SHA256_BYTES; i++) {
        digest[i] =
            (uint8_t)(hash->state[i / WORD_BYTES] >> (8 * (WORD_BYTES - 1 - i % WORD_BYTES)));
    }
}
