/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_fixed_point.h"
#include "dimmer_image.h"

dimmer_status_t dimmer_image_init(dimmer_image_stream_t *stream, const dimmer_image_t *image, void *memory,
                                  size_t size) {
    if (stream == NULL || image == NULL || memory == NULL) {
        return DIMMER_ERR_ARGUMENT;
    }
    if ((uintptr_t)memory % 4u != 0u) {
        return DIMMER_ERR_ARENA_ALIGN;
    }
    if (size < DIMMER_IMAGE_BYTES((size_t)image->to_width, image->channels)) {
        return DIMMER_ERR_ARENA_SIZE;
    }
    stream->image = image;
    stream->sums = (uint32_t *)memory;
    stream->line = stream->sums;
    dimmer_image_reset(stream);
    return DIMMER_OK;
}

void dimmer_image_reset(dimmer_image_stream_t *stream) {
    const dimmer_image_t *image = stream->image;
    uint32_t *memory = stream->sums < stream->line ? stream->sums : stream->line;
    const size_t values = (size_t)image->to_width * image->channels;

    /* Two lines may have changed places. */
    stream->sums = memory;
    stream->line = memory + values;
    stream->at = 0;
    stream->row = 0;
    stream->left = image->height;
    memset(memory, 0, 2u * 4u * values);
}

static uint32_t byte_of(int32_t value) {
    return (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Red, green and blue of a pixel, or its grey. */
static void read_pixel(const dimmer_image_t *image, const uint8_t *line, uint32_t x, uint32_t pixel[3]) {
    const int grey = image->channels == 1u;

    if (image->format <= DIMMER_IMAGE_RGB565_BE) {
        const uint32_t high = line[2u * x + (image->format == DIMMER_IMAGE_RGB565_LE ? 1u : 0u)];
        const uint32_t low = line[2u * x + (image->format == DIMMER_IMAGE_RGB565_LE ? 0u : 1u)];
        const uint32_t red = high >> 3;
        const uint32_t green = (high & 7u) << 3 | low >> 5;
        const uint32_t blue = low & 31u;

        pixel[0] = red << 3 | red >> 2;
        pixel[1] = green << 2 | green >> 4;
        pixel[2] = blue << 3 | blue >> 2;
        if (grey) {
            pixel[0] = (77u * pixel[0] + 150u * pixel[1] + 29u * pixel[2] + 128u) >> 8;
        }
    } else {
        const uint32_t first = image->format == DIMMER_IMAGE_YUYV ? 0u : 1u;
        const uint8_t *pair = line + 4u * (x / 2u);
        const int16_t *of = image->colours;
        const int32_t y = of[0] * (pair[first + 2u * (x % 2u)] - of[1]) + 128;
        const int32_t u = pair[1u - first] - 128;
        const int32_t v = pair[3u - first] - 128;

        if (grey) {
            pixel[0] = byte_of(y >> 8);
            return;
        }
        pixel[0] = byte_of((y + of[2] * v) >> 8);
        pixel[1] = byte_of((y - of[3] * u - of[4] * v) >> 8);
        pixel[2] = byte_of((y + of[5] * u) >> 8);
    }
}

/* value: Q8. */
static int8_t code_of(const dimmer_image_t *image, uint32_t channel, uint32_t value) {
    const int32_t code =
        ((int32_t)value * image->multipliers[channel] + image->offsets[channel]) >> image->shift;

    return dimmer_clamp_s8(code, INT8_MIN, INT8_MAX);
}

static int8_t *begin_row(dimmer_image_stream_t *stream, int8_t *input) {
    const dimmer_image_t *image = stream->image;
    int8_t *row = input + (size_t)stream->row * image->to_width * image->channels;

    stream->row = (uint16_t)(stream->row + 1u);
    return row;
}

/* Widths are counted in 1 / to_width of a pixel: a column has `width` of them, a pixel `to_width`. */
static void add_widths(dimmer_image_stream_t *stream, const uint8_t *line) {
    const dimmer_image_t *image = stream->image;
    uint32_t *to = stream->line;
    uint32_t left = image->width;
    uint32_t pixel[3];
    uint32_t x;
    uint32_t c;

    memset(to, 0, 4u * (size_t)image->to_width * image->channels);
    for (x = 0; x < image->width; ++x) {
        uint32_t parts = image->to_width;

        read_pixel(image, line, (uint32_t)image->x + x, pixel);
        while (parts > 0u) {
            const uint32_t taken = parts < left ? parts : left;

            for (c = 0; c < image->channels; ++c) {
                to[c] += pixel[c] * taken;
            }
            parts -= taken;
            left -= taken;
            if (left == 0u) {
                to += image->channels;
                left = image->width;
            }
        }
    }
}

static void push_area(dimmer_image_stream_t *stream, const uint8_t *line, int8_t *input) {
    const dimmer_image_t *image = stream->image;
    const uint32_t values = (uint32_t)image->to_width * image->channels;
    uint32_t parts = image->to_height;

    add_widths(stream, line);
    while (parts > 0u) {
        const uint32_t taken = parts < stream->left ? parts : stream->left;
        uint32_t i;

        for (i = 0; i < values; ++i) {
            stream->sums[i] += stream->line[i] * taken;
        }
        parts -= taken;
        stream->left -= taken;
        if (stream->left == 0u) {
            int8_t *row = begin_row(stream, input);
            uint32_t c = 0;

            for (i = 0; i < values; ++i) {
                row[i] = code_of(image, c, (uint32_t)(((uint64_t)stream->sums[i] * image->reciprocal) >> 32));
                c = c + 1u == image->channels ? 0u : c + 1u;
            }
            memset(stream->sums, 0, 4u * values);
            stream->left = image->height;
        }
    }
}

static void push_bilinear(dimmer_image_stream_t *stream, const uint8_t *line, int8_t *input) {
    const dimmer_image_t *image = stream->image;
    const uint32_t at = (uint32_t)stream->at - image->y;
    uint32_t *before = stream->line;
    uint32_t *to = stream->sums;
    uint32_t i;
    uint32_t c;

    stream->line = to;
    stream->sums = before;
    for (i = 0; i < image->to_width; ++i) {
        const uint32_t place = image->columns[i];
        const uint32_t x = place >> 8;
        uint32_t left[3];
        uint32_t right[3];

        read_pixel(image, line, image->x + x, left);
        read_pixel(image, line, image->x + (x + 1u < image->width ? x + 1u : x), right);
        for (c = 0; c < image->channels; ++c) {
            *to++ = left[c] * (256u - (place & 255u)) + right[c] * (place & 255u);
        }
    }
    while (stream->row < image->to_height) {
        const uint32_t place = image->rows[stream->row];
        const uint32_t y = place >> 8;
        const uint32_t *upper = y == at ? stream->line : before;
        int8_t *row;

        if (y + 1u < image->height ? y + 1u > at : y > at) {
            break;
        }
        row = begin_row(stream, input);
        for (i = 0; i < image->to_width; ++i) {
            for (c = 0; c < image->channels; ++c) {
                const uint32_t value = *upper++ * (256u - (place & 255u)) +
                                       stream->line[i * image->channels + c] * (place & 255u);

                *row++ = code_of(image, c, value >> 8);
            }
        }
    }
}

int dimmer_image_push(dimmer_image_stream_t *stream, const uint8_t *line, int8_t *input) {
    const dimmer_image_t *image = stream->image;
    const uint16_t at = stream->at;

    DIMMER_ASSERT(line != NULL && input != NULL);
    if (at >= image->y && at < image->y + image->height && stream->row < image->to_height) {
        if (image->resize == DIMMER_IMAGE_AREA) {
            push_area(stream, line, input);
        } else {
            push_bilinear(stream, line, input);
        }
        stream->at = (uint16_t)(at + 1u);
        return stream->row == image->to_height;
    }
    stream->at = (uint16_t)(at + 1u);
    return 0;
}
