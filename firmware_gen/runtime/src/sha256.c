/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), small rather than fast: an image is read once, at start-up. */
#include <string.h>

#include "dimmer_slot.h"

static const uint32_t rounds[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
};

static uint32_t right(uint32_t word, unsigned bits) {
    return word >> bits | word << (32u - bits);
}

static void take_block(uint32_t *state, const uint8_t *block) {
    uint32_t w[16];
    uint32_t s[8];
    uint32_t i;

    memcpy(s, state, sizeof s);
    for (i = 0; i < 64u; ++i) {
        uint32_t a;
        uint32_t b;

        if (i < 16u) {
            w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
            block += 4;
        } else {
            const uint32_t x = w[(i + 1u) & 15u];
            const uint32_t y = w[(i + 14u) & 15u];

            w[i & 15u] += (right(x, 7u) ^ right(x, 18u) ^ x >> 3) + w[(i + 9u) & 15u] +
                          (right(y, 17u) ^ right(y, 19u) ^ y >> 10);
        }
        a = s[7] + (right(s[4], 6u) ^ right(s[4], 11u) ^ right(s[4], 25u)) +
            ((s[4] & s[5]) ^ (~s[4] & s[6])) + rounds[i] + w[i & 15u];
        b = (right(s[0], 2u) ^ right(s[0], 13u) ^ right(s[0], 22u)) +
            ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7u * sizeof *s);
        s[4] += a;
        s[0] = a + b;
    }
    for (i = 0; i < 8u; ++i) {
        state[i] += s[i];
    }
}

void dimmer_sha256(const void *data, size_t size, uint8_t digest[DIMMER_DIGEST]) {
    uint32_t state[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                         0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
    const uint8_t *at = (const uint8_t *)data;
    const uint64_t bits = (uint64_t)size * 8u;
    uint8_t last[128] = {0};
    size_t rest = size;
    size_t end;
    size_t i;

    for (; rest >= 64u; rest -= 64u) {
        take_block(state, at);
        at += 64;
    }
    if (rest != 0u) {
        memcpy(last, at, rest);
    }
    last[rest] = 0x80u;
    end = rest < 56u ? 64u : 128u;
    for (i = 0; i < 8u; ++i) {
        last[end - 1u - i] = (uint8_t)(bits >> 8u * i);
    }
    take_block(state, last);
    if (end == 128u) {
        take_block(state, last + 64);
    }
    for (i = 0; i < DIMMER_DIGEST; ++i) {
        digest[i] = (uint8_t)(state[i / 4u] >> (24u - 8u * (i % 4u)));
    }
}
