/* SPDX-License-Identifier: Apache-2.0 */
/* Images and frames, from files or standard input, as the network's input codes. */
#ifndef DIMMER_FRAMES_H
#define DIMMER_FRAMES_H

#include <stdint.h>
#include <stdio.h>

#include "battery.h" /* DIMMER_MESSAGE */

typedef enum { FRAMES_AUTO, FRAMES_I8, FRAMES_U8, FRAMES_PACKED } frames_format_t;

/* Before a packed frame: "DMF1", the pixels' bytes and their CRC-32, both little-endian. */
#define FRAMES_HEADER 12u

/* The network's input. */
typedef struct {
    uint32_t height;
    uint32_t width;
    uint32_t channels;
} frame_shape_t;

typedef struct {
    FILE *file;
    const char *name;
    frame_shape_t shape;
    int is_netpbm;
    int is_unsigned; /* pixels 0..255: the code is the pixel - 128 */
    uint64_t left;   /* frames in an .npy file; UINT64_MAX: until the file ends */
    uint64_t lost;   /* bytes so far that belonged to no whole packed frame */
    uint8_t *packed; /* a header and a frame, of which `held` bytes were read; NULL: not FRAMES_PACKED */
    size_t held;
} frames_t;

/* Opens a file, or standard input where the name is "-". FRAMES_AUTO goes by the name's ending: .npy (int8 or
 * uint8, [N,H,W,C] or [H,W,C]), .ppm or .pgm (binary, any number one after the other), .i8 (codes) or .u8
 * (pixels) without a header. FRAMES_PACKED is for pipes that others write into, who may die: pixels behind a
 * header each, and what is no whole frame is skipped and counted. Returns 1, or 0 with one line in `why`,
 * char[DIMMER_MESSAGE]. */
int frames_open(frames_t *frames, const char *name, frames_format_t format, frame_shape_t shape, char *why);

/* Reads the next frame into int8[H*W*C].
 * Returns 1; 0 at the end; -1 with one line in `why` where the file ends within a frame. */
int frames_next(frames_t *frames, int8_t *codes, char *why);

void frames_close(frames_t *frames);

#endif
