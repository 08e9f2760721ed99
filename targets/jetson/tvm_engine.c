#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tvm/ffi/c_api.h>

#include "tvm_engine.h"
#include "tvm_files.h"

#define FFI_LIBRARY     "lib/libtvm_ffi.so"
#define RUNTIME_LIBRARY "lib/libtvm_runtime.so"

/* Of Relax's virtual machine: it keeps the buffers of an inference for the next one. */
#define POOLED_ALLOCATOR 2

/* TVM's C interface, from the bundle's own library: nothing of it is needed before the files were checked. */
typedef struct {
    void (*get_version)(TVMFFIVersion *version);
    int (*get_global)(const TVMFFIByteArray *name, TVMFFIObjectHandle *function);
    int (*call)(TVMFFIObjectHandle function, TVMFFIAny *args, int32_t count, TVMFFIAny *result);
    int (*release)(TVMFFIObjectHandle object);
    int (*from_dlpack)(DLManagedTensor *from, int32_t alignment, int32_t contiguous,
                       TVMFFIObjectHandle *tensor);
    void (*take_error)(TVMFFIObjectHandle *error);
} interface_t;

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
    interface_t ffi;
    TVMFFIObjectHandle library;
    TVMFFIObjectHandle machine;
    entry_t *modes;                /* [mode_count] */
    TVMFFIObjectHandle *weights;   /* [weight_count] */
    DLManagedTensor *weight_views; /* [weight_count], which the tensors above refer to */
    uint8_t *weight_bytes;
    TVMFFIObjectHandle input;
    DLManagedTensor input_view;
    int64_t input_shape[4];
    int8_t *input_bytes; /* aligned as TVM's code wants it; an arena need not be */
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

static int symbol(void *library, const char *name, void *function, size_t size, char *why) {
    void *const found = dlsym(library, name);

    if (found == NULL) {
        snprintf(why, DIMMER_MESSAGE, "%s has no %s: install the whole bundle again", FFI_LIBRARY, name);
        return 0;
    }
    /* C has no conversion from an object's pointer to a function's. */
    memcpy(function, &found, size);
    return 1;
}

static void *load(const char *folder, const char *path, char *why) {
    char joined[TVM_PATH];
    void *library = NULL;

    if (tvm_path(joined, folder, path, why)) {
        library = dlopen(joined, RTLD_NOW | RTLD_GLOBAL);
        if (library == NULL) {
            snprintf(why, DIMMER_MESSAGE, "%s cannot be loaded: %.400s", path, dlerror());
        }
    }
    return library;
}

static int load_interface(interface_t *ffi, const char *folder, char *why) {
    void *const library = load(folder, FFI_LIBRARY, why);
    TVMFFIVersion version = {0u, 0u, 0u};

    if (library == NULL ||
        !symbol(library, "TVMFFIGetVersion", &ffi->get_version, sizeof ffi->get_version, why) ||
        !symbol(library, "TVMFFIFunctionGetGlobal", &ffi->get_global, sizeof ffi->get_global, why) ||
        !symbol(library, "TVMFFIFunctionCall", &ffi->call, sizeof ffi->call, why) ||
        !symbol(library, "TVMFFIObjectDecRef", &ffi->release, sizeof ffi->release, why) ||
        !symbol(library, "TVMFFITensorFromDLPack", &ffi->from_dlpack, sizeof ffi->from_dlpack, why) ||
        !symbol(library, "TVMFFIErrorMoveFromRaised", &ffi->take_error, sizeof ffi->take_error, why)) {
        return 0;
    }
    ffi->get_version(&version);
    if (version.major != TVM_FFI_VERSION_MAJOR || version.minor != TVM_FFI_VERSION_MINOR ||
        version.patch != TVM_FFI_VERSION_PATCH) {
        snprintf(why, DIMMER_MESSAGE,
                 "%s speaks TVM FFI %u.%u.%u, this program %d.%d.%d: install the whole bundle again",
                 FFI_LIBRARY, (unsigned)version.major, (unsigned)version.minor, (unsigned)version.patch,
                 TVM_FFI_VERSION_MAJOR, TVM_FFI_VERSION_MINOR, TVM_FFI_VERSION_PATCH);
        return 0;
    }
    return load(folder, RUNTIME_LIBRARY, why) != NULL;
}

/* What TVM says went wrong, its first line. */
static void take_error(const interface_t *ffi, const char *doing, char *why) {
    TVMFFIObjectHandle error = NULL;

    ffi->take_error(&error);
    if (error == NULL) {
        snprintf(why, DIMMER_MESSAGE, "TVM fails to %s and does not say why", doing);
        return;
    }
    {
        const TVMFFIErrorCell *cell =
            (const TVMFFIErrorCell *)(const void *)((const char *)error + sizeof(TVMFFIObject));
        const size_t size = cell->message.size > 300u ? 300u : cell->message.size;
        size_t line = 0u;

        while (line < size && cell->message.data[line] != '\n') {
            ++line;
        }
        snprintf(why, DIMMER_MESSAGE, "TVM fails to %s: %.*s", doing, (int)line, cell->message.data);
    }
    ffi->release(error);
}

static TVMFFIAny any_object(TVMFFIObjectHandle object, int32_t type) {
    TVMFFIAny any;

    memset(&any, 0, sizeof any);
    any.type_index = type;
    any.v_obj = object;
    return any;
}

static TVMFFIAny any_int(int64_t value) {
    TVMFFIAny any;

    memset(&any, 0, sizeof any);
    any.type_index = kTVMFFIInt;
    any.v_int64 = value;
    return any;
}

static TVMFFIAny any_text(const char *text) {
    TVMFFIAny any;

    memset(&any, 0, sizeof any);
    any.type_index = kTVMFFIRawStr;
    any.v_c_str = text;
    return any;
}

/* Calls one of TVM's own functions. */
static int call_global(const interface_t *ffi, const char *name, TVMFFIAny *args, int32_t count,
                       TVMFFIAny *result, char *why) {
    const TVMFFIByteArray bytes = {name, strlen(name)};
    TVMFFIObjectHandle function = NULL;
    int bad;

    if (ffi->get_global(&bytes, &function) != 0 || function == NULL) {
        snprintf(why, DIMMER_MESSAGE, "TVM's runtime has no %s: install the whole bundle again", name);
        return 0;
    }
    memset(result, 0, sizeof *result);
    bad = ffi->call(function, args, count, result);
    if (bad) {
        take_error(ffi, name, why);
    }
    ffi->release(function);
    return !bad;
}

static TVMFFIObjectHandle member(const interface_t *ffi, TVMFFIObjectHandle module, const char *name,
                                 char *why) {
    TVMFFIAny args[3];
    TVMFFIAny result;

    args[0] = any_object(module, kTVMFFIModule);
    args[1] = any_text(name);
    memset(&args[2], 0, sizeof args[2]);
    args[2].type_index = kTVMFFIBool;
    args[2].v_int64 = 1;
    if (!call_global(ffi, "ffi.ModuleGetFunction", args, 3, &result, why)) {
        return NULL;
    }
    if (result.type_index != kTVMFFIFunction) {
        snprintf(why, DIMMER_MESSAGE, "the library has no function %s: build the bundle again", name);
        return NULL;
    }
    return result.v_obj;
}

/* Calls member `name` of a module once. */
static int call_member(const interface_t *ffi, TVMFFIObjectHandle module, const char *name, TVMFFIAny *args,
                       int32_t count, TVMFFIAny *result, char *why) {
    TVMFFIObjectHandle function = member(ffi, module, name, why);
    int bad;

    if (function == NULL) {
        return 0;
    }
    memset(result, 0, sizeof *result);
    bad = ffi->call(function, args, count, result);
    if (bad) {
        take_error(ffi, name, why);
    }
    ffi->release(function);
    return !bad;
}

static int load_machine(dimmer_tvm_t *t, const char *folder, char *why) {
    char path[TVM_PATH];
    TVMFFIAny args[3];
    TVMFFIAny result;

    if (!tvm_path(path, folder, t->bundle->library, why)) {
        return 0;
    }
    args[0] = any_text(path);
    if (!call_global(&t->ffi, "ffi.ModuleLoadFromFile", args, 1, &result, why)) {
        return 0;
    }
    t->library = result.v_obj;
    if (!call_member(&t->ffi, t->library, "vm_load_executable", NULL, 0, &result, why)) {
        return 0;
    }
    t->machine = result.v_obj;
    args[0] = any_int(kDLCPU);
    args[1] = any_int(0);
    args[2] = any_int(POOLED_ALLOCATOR);
    return call_member(&t->ffi, t->machine, "vm_initialization", args, 3, &result, why);
}

static void keep(DLManagedTensor *self) {
    (void)self; /* the bytes are freed by dimmer_tvm_close */
}

static int as_tensor(const interface_t *ffi, DLManagedTensor *view, void *data, DLDataType type, int32_t rank,
                     const int64_t *shape, TVMFFIObjectHandle *tensor, char *why) {
    memset(view, 0, sizeof *view);
    view->dl_tensor.data = data;
    view->dl_tensor.device.device_type = kDLCPU;
    view->dl_tensor.ndim = rank;
    view->dl_tensor.dtype = type;
    /* DLPack's shape is not const, and nobody writes to it. */
    memcpy(&view->dl_tensor.shape, &shape, sizeof shape);
    view->deleter = keep;
    if (ffi->from_dlpack(view, 0, 0, tensor) != 0) {
        take_error(ffi, "take a tensor", why);
        return 0;
    }
    return 1;
}

static int load_weights(dimmer_tvm_t *t, const char *folder, char *why) {
    const dimmer_tvm_bundle_t *b = t->bundle;
    uint64_t room = 0u;
    uint64_t file_size = 0u;
    uint8_t *file;
    uint8_t *at;
    void *aligned = NULL;
    uint16_t i;

    for (i = 0; i < b->weight_count; ++i) {
        const uint64_t end = b->weights[i].offset + b->weights[i].size;

        room += (b->weights[i].size + 63u) / 64u * 64u;
        file_size = end > file_size ? end : file_size;
    }
    file = tvm_file_read(folder, b->weights_file, (size_t)file_size, why);
    if (file == NULL) {
        return 0;
    }
    if (posix_memalign(&aligned, 64u, room == 0u ? 64u : (size_t)room) != 0) {
        free(file);
        snprintf(why, DIMMER_MESSAGE, "no memory for the weights");
        return 0;
    }
    t->weight_bytes = aligned;
    at = t->weight_bytes;
    for (i = 0; i < b->weight_count; ++i) {
        const dimmer_tvm_weight_t *w = &b->weights[i];
        const DLDataType type = {w->code, w->bits, 1u};

        memcpy(at, file + w->offset, (size_t)w->size);
        if (!as_tensor(&t->ffi, &t->weight_views[i], at, type, w->rank, w->shape, &t->weights[i], why)) {
            free(file);
            return 0;
        }
        at += (w->size + 63u) / 64u * 64u;
    }
    free(file);
    return 1;
}

static int load_modes(dimmer_tvm_t *t, char *why) {
    const dimmer_tvm_bundle_t *b = t->bundle;
    const DLDataType type = {kDLInt, 8u, 1u};
    const int64_t shape[4] = {1, b->height, b->width, b->channels};
    void *aligned = NULL;
    uint16_t m;
    uint16_t i;

    if (posix_memalign(&aligned, 64u, b->input.size) != 0) {
        snprintf(why, DIMMER_MESSAGE, "no memory for the input");
        return 0;
    }
    t->input_bytes = aligned;
    memcpy(t->input_shape, shape, sizeof shape);
    if (!as_tensor(&t->ffi, &t->input_view, t->input_bytes, type, 4, t->input_shape, &t->input, why)) {
        return 0;
    }
    for (m = 0; m < b->mode_count; ++m) {
        const dimmer_tvm_mode_t *mode = &b->modes[m];

        t->modes[m].function = member(&t->ffi, t->machine, mode->function, why);
        t->modes[m].args = calloc(1u + mode->weight_count, sizeof *t->modes[m].args);
        if (t->modes[m].function == NULL || t->modes[m].args == NULL) {
            return 0;
        }
        t->modes[m].args[0] = any_object(t->input, kTVMFFITensor);
        for (i = 0; i < mode->weight_count; ++i) {
            t->modes[m].args[1u + i] = any_object(t->weights[mode->weights[i]], kTVMFFITensor);
        }
    }
    return 1;
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
    memcpy(t->input_bytes, arena + model->dims.input.offset, b->input.size);
    memset(output, 0, b->output.size);
    memset(&result, 0, sizeof result);
    if (t->ffi.call(t->modes[record.mode].function, t->modes[record.mode].args,
                    1 + (int32_t)b->modes[record.mode].weight_count, &result) != 0) {
        take_error(&t->ffi, b->modes[record.mode].function, t->error);
        return;
    }
    if (result.type_index == kTVMFFITensor) {
        const DLTensor *tensor =
            (const DLTensor *)(const void *)((const char *)result.v_obj + sizeof(TVMFFIObject));
        uint64_t size = tensor->dtype.bits / 8u;
        int32_t i;

        for (i = 0; i < tensor->ndim; ++i) {
            size *= (uint64_t)tensor->shape[i];
        }
        if (size == b->output.size) {
            memcpy(output, (const uint8_t *)tensor->data + tensor->byte_offset, b->output.size);
            t->failed = 0;
        }
    }
    if (t->failed) {
        snprintf(t->error, sizeof t->error,
                 "%s gives something else than the %u bytes of an output: build again",
                 b->modes[record.mode].function, (unsigned)b->output.size);
    }
    if (result.type_index >= kTVMFFIStaticObjectBegin) {
        t->ffi.release(result.v_obj);
    }
}

static uint32_t round_up(uint32_t size) {
    return (size + DIMMER_ARENA_ALIGN - 1u) / DIMMER_ARENA_ALIGN * DIMMER_ARENA_ALIGN;
}

/* The CRCs are computed here, over what dimmer_init will check: the records hold addresses. */
static void make_model(dimmer_tvm_t *t) {
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
    model->kernels = &t->kernel;
    model->steps = t->steps;
    model->blocks = t->blocks;
    model->schedules = t->schedules;
    model->modes = t->names;
    model->policy = b->policy;
    crc = dimmer_crc32(0u, n, sizeof *n);
    model->dims_crc = crc;
    crc = dimmer_crc32(crc, t->records, n->record_bytes);
    crc = dimmer_crc32(crc, t->steps, n->step_count * sizeof *t->steps);
    crc = dimmer_crc32(crc, t->blocks, n->block_count * sizeof *t->blocks);
    crc = dimmer_crc32(crc, t->schedules, n->mode_count * sizeof *t->schedules);
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
    t->weight_views = calloc(weights, sizeof *t->weight_views);
    return t->modes != NULL && t->records != NULL && t->steps != NULL && t->blocks != NULL &&
           t->schedules != NULL && t->names != NULL && t->weights != NULL && t->weight_views != NULL;
}

dimmer_tvm_t *dimmer_tvm_open(const dimmer_tvm_bundle_t *bundle, const char *folder, char *why) {
    dimmer_tvm_t *t;

    snprintf(why, DIMMER_MESSAGE, "no memory for %u modes", (unsigned)bundle->mode_count);
    t = calloc(1u, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->bundle = bundle;
    if (!make_room(t) || !tvm_files_check(bundle, folder, why) || !load_interface(&t->ffi, folder, why) ||
        !load_machine(t, folder, why) || !load_weights(t, folder, why) || !load_modes(t, why)) {
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
        t->ffi.release(object);
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
    free(tvm->input_bytes);
    free(tvm->weight_bytes);
    free(tvm->weight_views);
    free(tvm->weights);
    free(tvm->modes);
    free(tvm->records);
    free(tvm->steps);
    free(tvm->blocks);
    free(tvm->schedules);
    free(tvm->names);
    free(tvm);
}
