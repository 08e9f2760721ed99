/* SPDX-License-Identifier: Apache-2.0 */
/* A camera's lines into a network's input: cut out, resized, normalised, without ever holding the picture.
 * The bits of firmware_gen/features/image.py. */
#ifndef DIMMER_IMAGE_H
#define DIMMER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "dimmer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of two pixels: RGB565 with the lower or the higher byte of each first, Y0 U Y1 V, or U Y0 V Y1. */
typedef enum {
    DIMMER_IMAGE_RGB565_LE,
    DIMMER_IMAGE_RGB565_BE,
    DIMMER_IMAGE_YUYV,
    DIMMER_IMAGE_UYVY
} dimmer_image_format_t;

/* The mean of what lies under a pixel, or between the four pixels next to its centre. */
typedef enum { DIMMER_IMAGE_AREA, DIMMER_IMAGE_BILINEAR } dimmer_image_resize_t;

/* In flash. */
typedef struct {
    uint16_t x; /* what is cut out of the camera's picture */
    uint16_t y;
    uint16_t width;
    uint16_t height;
    uint16_t to_width;
    uint16_t to_height;
    uint8_t format;          /* dimmer_image_format_t */
    uint8_t resize;          /* dimmer_image_resize_t */
    uint8_t channels;        /* 3: red, green, blue; 1: grey */
    uint8_t shift;           /* code = (value * multiplier + offset) >> shift, value Q8 */
    uint32_t reciprocal;     /* 2^40 / (width * height), for AREA */
    const uint32_t *columns; /* uint32[to_width]: place in the cut-out line, Q8, for BILINEAR */
    const uint32_t *rows;    /* uint32[to_height]: the same of lines */
    const int16_t
        *colours; /* int16[6]: of Y and what is taken from it, of V in red, U and V in green, U in blue, Q8 */
    const int32_t *multipliers; /* int32[channels] */
    const int32_t *offsets;     /* int32[channels] */
} dimmer_image_t;

/* The caller's; memory as large as the generated header says. */
typedef struct {
    const dimmer_image_t *image;
    uint32_t *sums; /* [to_width][channels]: of AREA; of BILINEAR the line before and the newest one */
    uint32_t *line; /* the newest line's */
    uint16_t at;    /* lines of the camera that came */
    uint16_t row;   /* that is to be written next */
    uint32_t left;  /* AREA: of the row's height, in parts of a line */
} dimmer_image_stream_t;

/* Bytes of memory for a stream, at a multiple of 4. */
#define DIMMER_IMAGE_BYTES(to_width, channels) (8u * (to_width) * (channels))

/* Begins a picture. memory must stay. Returns DIMMER_ERR_ARENA_SIZE where it is too small,
 * DIMMER_ERR_ARENA_ALIGN where it lies at no multiple of 4. */
dimmer_status_t dimmer_image_init(dimmer_image_stream_t *stream, const dimmer_image_t *image, void *memory,
                                  size_t size);

/* Begins another picture. */
void dimmer_image_reset(dimmer_image_stream_t *stream);

/* Takes the camera's next line, 2 bytes a pixel, those above and below what is cut out, too. Writes the rows
 * that it completes into int8[to_height][to_width][channels]. Returns 1 with the last of them, else 0. */
int dimmer_image_push(dimmer_image_stream_t *stream, const uint8_t *line, int8_t *input);

#ifdef __cplusplus
}
#endif

#endif
