/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tvm_calls.h"
#include "tvm_engine.h"
#include "tvm_files.h"

/* Of Relax's virtual machine: it keeps the buffers of an inference for the next one. */
#define POOLED_ALLOCATOR 2

/* What the engine hands to the kernel: read through memcpy, for the tables promise no more than 4 bytes of
 * alignment. */
typedef struct {
    dimmer_tvm_t *tvm;
    uint32_t mode;
    uint32_t reserved;
} record_t;

typedef struct {
    TVMFFIObjectHandle function;
    TVMFFIAny *args; /* [1 + weight_count] */
} entry_t;

struct dimmer_tvm {
    const dimmer_tvm_bundle_t *bundle;
    tvm_calls_t calls;
    TVMFFIObjectHandle library;
    TVMFFIObjectHandle machine;
    entry_t *modes;              /* [mode_count] */
    TVMFFIObjectHandle *weights; /* [weight_count], on the device, like the input */
    TVMFFIObjectHandle input;
    DLDevice device;
    void *gpu_code; /* the kernels, in the GPU's machine code */
    size_t gpu_code_size;
    int failed;
    char error[DIMMER_MESSAGE];

    /* The tables of the model: mode m is schedule m, block m, step m, record m. */
    dimmer_model_t model;
    dimmer_kernel_t kernel;
    record_t *records;
    dimmer_step_t *steps;
    dimmer_block_t *blocks;
    uint16_t *schedules;
    dimmer_mode_t *names;
};

/* TVM asks for the machine code of the CUDA source that it keeps: it was compiled where the bundle was made.
 */
static int give_gpu_code(void *self, const TVMFFIAny *args, int32_t count, TVMFFIAny *result) {
    const dimmer_tvm_t *t = self;
    const TVMFFIByteArray code = {t->gpu_code, t->gpu_code_size};

    (void)args;
    (void)count;
    return t->calls.bytes(&code, result);
}

static int load_gpu_code(dimmer_tvm_t *t, const char *folder, char *why) {
    const dimmer_tvm_bundle_t *b = t->bundle;
    uint16_t i;

    for (i = 0; i < b->file_count; ++i) {
        if (strcmp(b->files[i].path, b->gpu_code) == 0) {
            t->gpu_code_size = (size_t)b->files[i].size;
        }
    }
    t->gpu_code = tvm_file_read(folder, b->gpu_code, t->gpu_code_size, why);
    return t->gpu_code != NULL &&
           tvm_set_global(&t->calls, "tvm_callback_cuda_compile", give_gpu_code, t, why);
}

static int load_machine(dimmer_tvm_t *t, const char *folder, char *why) {
    const int on_gpu = t->device.device_type != kDLCPU;
    char path[TVM_PATH];
    TVMFFIAny args[6];
    TVMFFIAny result;

    if (on_gpu && !load_gpu_code(t, folder, why)) {
        return 0;
    }
    if (!tvm_path(path, folder, on_gpu ? t->bundle->gpu_library : t->bundle->library, why)) {
        return 0;
    }
    args[0] = tvm_any_text(path);
    if (!tvm_call_global(&t->calls, "ffi.ModuleLoadFromFile", args, 1, &result, why)) {
        return 0;
    }
    t->library = result.v_obj;
    if (!tvm_call_member(&t->calls, t->library, "vm_load_executable", NULL, 0, &result, why)) {
        return 0;
    }
    t->machine = result.v_obj;
    args[0] = tvm_any_int(t->device.device_type);
    args[1] = tvm_any_int(t->device.device_id);
    args[2] = tvm_any_int(POOLED_ALLOCATOR);
    /* The machine itself runs on the processor, whatever its functions run on. */
    args[3] = tvm_any_int(kDLCPU);
    args[4] = tvm_any_int(0);
    args[5] = tvm_any_int(POOLED_ALLOCATOR);
    return tvm_call_member(&t->calls, t->machine, "vm_initialization", args, on_gpu ? 6 : 3, &result, why);
}

static int load_weights(dimmer_tvm_t *t, const char *folder, char *why) {
    const dimmer_tvm_bundle_t *b = t->bundle;
    uint64_t file_size = 0u;
    uint8_t *file;
    uint16_t i;

    for (i = 0; i < b->weight_count; ++i) {
        const uint64_t end = b->weights[i].offset + b->weights[i].size;

        file_size = end > file_size ? end : file_size;
    }
    file = tvm_file_read(folder, b->weights_file, (size_t)file_size, why);
    if (file == NULL) {
        return 0;
    }
    for (i = 0; i < b->weight_count; ++i) {
        const dimmer_tvm_weight_t *w = &b->weights[i];
        const DLDataType type = {w->code, w->bits, 1u};

        t->weights[i] = tvm_tensor(&t->calls, t->device, type, w->rank, w->shape, why);
        if (t->weights[i] == NULL ||
            !tvm_tensor_write(&t->calls, t->weights[i], file + w->offset, (size_t)w->size, why)) {
            free(file);
            return 0;
        }
    }
    free(file);
    return 1;
}

static int load_modes(dimmer_tvm_t *t, char *why) {
    const dimmer_tvm_bundle_t *b = t->bundle;
    const DLDataType type = {kDLInt, 8u, 1u};
    const int64_t shape[4] = {1, b->height, b->width, b->channels};
    uint16_t m;
    uint16_t i;

    t->input = tvm_tensor(&t->calls, t->device, type, 4, shape, why);
    if (t->input == NULL) {
        return 0;
    }
    for (m = 0; m < b->mode_count; ++m) {
        const dimmer_tvm_mode_t *mode = &b->modes[m];

        t->modes[m].function = tvm_member(&t->calls, t->machine, mode->function, why);
        t->modes[m].args = calloc(1u + mode->weight_count, sizeof *t->modes[m].args);
        if (t->modes[m].function == NULL || t->modes[m].args == NULL) {
            return 0;
        }
        t->modes[m].args[0] = tvm_any_object(t->input, kTVMFFITensor);
        for (i = 0; i < mode->weight_count; ++i) {
            t->modes[m].args[1u + i] = tvm_any_object(t->weights[mode->weights[i]], kTVMFFITensor);
        }
    }
    return 1;
}

/* Bytes. */
static uint64_t tensor_size(const TVMFFIObject *object) {
    const DLTensor *tensor = (const DLTensor *)(const void *)((const char *)object + sizeof(TVMFFIObject));
    uint64_t size = tensor->dtype.bits / 8u;
    int32_t i;

    for (i = 0; i < tensor->ndim; ++i) {
        size *= (uint64_t)tensor->shape[i];
    }
    return size;
}

/* The kernel: one whole inference of one mode. */
static void run_mode(const dimmer_model_t *model, const void *bytes, uint8_t *arena) {
    record_t record;
    dimmer_tvm_t *t;
    const dimmer_tvm_bundle_t *b;
    TVMFFIAny result;
    uint8_t *const output = arena + model->dims.output.offset;

    memcpy(&record, bytes, sizeof record);
    t = record.tvm;
    b = t->bundle;
    t->failed = 1;
    memset(output, 0, b->output.size);
    memset(&result, 0, sizeof result);
    if (!tvm_tensor_write(&t->calls, t->input, arena + model->dims.input.offset, b->input.size, t->error)) {
        return;
    }
    if (t->calls.call(t->modes[record.mode].function, t->modes[record.mode].args,
                      1 + (int32_t)b->modes[record.mode].weight_count, &result) != 0) {
        tvm_calls_error(&t->calls, b->modes[record.mode].function, t->error);
        return;
    }
    if (result.type_index == kTVMFFITensor && tensor_size(result.v_obj) == b->output.size) {
        t->failed = !tvm_tensor_read(&t->calls, result.v_obj, output, b->output.size, t->error);
    } else {
        snprintf(t->error, sizeof t->error,
                 "%s gives something else than the %u bytes of an output: build again",
                 b->modes[record.mode].function, (unsigned)b->output.size);
    }
    if (result.type_index >= kTVMFFIStaticObjectBegin) {
        t->calls.release(result.v_obj);
    }
}

static uint32_t round_up(uint32_t size) {
    return (size + DIMMER_ARENA_ALIGN - 1u) / DIMMER_ARENA_ALIGN * DIMMER_ARENA_ALIGN;
}

/* The CRCs are computed here, over what dimmer_init will check: the records hold addresses. */
static void make_model(dimmer_tvm_t *t) {
    static const int32_t nothing = 0; /* what has no bytes still lies somewhere */
    const dimmer_tvm_bundle_t *b = t->bundle;
    dimmer_model_t *model = &t->model;
    dimmer_dims_t *n = &model->dims;
    uint16_t m;
    uint32_t crc;

    for (m = 0; m < b->mode_count; ++m) {
        t->records[m].tvm = t;
        t->records[m].mode = m;
        t->steps[m].record = m;
        t->blocks[m].first_step = m;
        t->blocks[m].step_count = 1u;
        t->schedules[m] = m;
        t->names[m].name = b->modes[m].name;
    }
    t->kernel.run = run_mode;
    t->kernel.records = t->records;
    t->kernel.record_size = sizeof(record_t);
    t->kernel.record_count = b->mode_count;
    n->input = b->input;
    n->output = b->output;
    n->input.offset = 0u;
    n->output.offset = round_up(b->input.size);
    n->arena_size = n->output.offset + round_up(b->output.size);
    n->record_bytes = (uint32_t)sizeof(record_t) * b->mode_count;
    n->kernel_count = 1u;
    n->step_count = b->mode_count;
    n->block_count = b->mode_count;
    n->mode_count = b->mode_count;
    n->position_count = 1u;
    model->magic = DIMMER_MAGIC;
    model->abi = DIMMER_ABI;
    model->name = b->model;
    model->weights = (const int8_t *)&nothing;
    model->params = &nothing;
    model->shifts = (const int8_t *)&nothing;
    model->kernels = &t->kernel;
    model->kernels_again = &t->kernel;
    model->steps = t->steps;
    model->blocks = t->blocks;
    model->schedules = t->schedules;
    model->modes = t->names;
    model->modes_again = t->names;
    memcpy(&model->again, &model->name, DIMMER_FOUND_SIZE);
    model->policy = b->policy;
    crc = dimmer_crc32(0u, n, sizeof *n);
    model->dims_crc = crc;
    crc = dimmer_crc32(crc, t->steps, n->step_count * sizeof *t->steps);
    crc = dimmer_crc32(crc, t->blocks, n->block_count * sizeof *t->blocks);
    crc = dimmer_crc32(crc, t->schedules, n->mode_count * sizeof *t->schedules);
    crc = dimmer_crc32(crc, t->records, n->record_bytes);
    model->crc = dimmer_crc32(crc, &model->policy, sizeof model->policy);
}

static int make_room(dimmer_tvm_t *t) {
    const size_t modes = t->bundle->mode_count;
    const size_t weights = t->bundle->weight_count + 1u;

    t->modes = calloc(modes, sizeof *t->modes);
    t->records = calloc(modes, sizeof *t->records);
    t->steps = calloc(modes, sizeof *t->steps);
    t->blocks = calloc(modes, sizeof *t->blocks);
    t->schedules = calloc(modes, sizeof *t->schedules);
    t->names = calloc(modes, sizeof *t->names);
    t->weights = calloc(weights, sizeof *t->weights);
    return t->modes != NULL && t->records != NULL && t->steps != NULL && t->blocks != NULL &&
           t->schedules != NULL && t->names != NULL && t->weights != NULL;
}

dimmer_tvm_t *dimmer_tvm_open(const dimmer_tvm_bundle_t *bundle, const char *folder,
                              dimmer_tvm_device_t device, char *why) {
    dimmer_tvm_t *t;

    snprintf(why, DIMMER_MESSAGE, "no memory for %u modes", (unsigned)bundle->mode_count);
    t = calloc(1u, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->bundle = bundle;
    t->device.device_type = device == DIMMER_TVM_CUDA ? kDLCUDA : kDLCPU;
    if (device == DIMMER_TVM_CUDA && bundle->gpu_library == NULL) {
        snprintf(why, DIMMER_MESSAGE, "this bundle has no modes for a GPU: run with --device cpu");
        dimmer_tvm_close(t);
        return NULL;
    }
    if (!make_room(t) || !tvm_files_check(bundle, folder, why) ||
        !tvm_calls_load(&t->calls, folder, device == DIMMER_TVM_CUDA, why) || !load_machine(t, folder, why) ||
        !load_weights(t, folder, why) || !load_modes(t, why)) {
        dimmer_tvm_close(t);
        return NULL;
    }
    make_model(t);
    return t;
}

const dimmer_model_t *dimmer_tvm_model(const dimmer_tvm_t *tvm) {
    return &tvm->model;
}

size_t dimmer_tvm_arena_size(const dimmer_tvm_t *tvm) {
    return tvm->model.dims.arena_size;
}

const char *dimmer_tvm_error(const dimmer_tvm_t *tvm) {
    return tvm->failed ? tvm->error : NULL;
}

static void release(const dimmer_tvm_t *t, TVMFFIObjectHandle object) {
    if (object != NULL) {
        t->calls.release(object);
    }
}

void dimmer_tvm_close(dimmer_tvm_t *tvm) {
    uint16_t i;

    if (tvm == NULL) {
        return;
    }
    for (i = 0; tvm->modes != NULL && i < tvm->bundle->mode_count; ++i) {
        release(tvm, tvm->modes[i].function);
        free(tvm->modes[i].args);
    }
    for (i = 0; tvm->weights != NULL && i < tvm->bundle->weight_count; ++i) {
        release(tvm, tvm->weights[i]);
    }
    release(tvm, tvm->input);
    release(tvm, tvm->machine);
    release(tvm, tvm->library);
    free(tvm->gpu_code);
    free(tvm->weights);
    free(tvm->modes);
    free(tvm->records);
    free(tvm->steps);
    free(tvm->blocks);
    free(tvm->schedules);
    free(tvm->names);
    free(tvm);
}
