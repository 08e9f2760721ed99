/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "tvm_calls.h"
#include "tvm_files.h"

#define FFI_LIBRARY         "lib/libtvm_ffi.so"
#define RUNTIME_LIBRARY     "lib/libtvm_runtime.so"
#define GPU_RUNTIME_LIBRARY "lib/libtvm_runtime_cuda.so"

/* Of a tensor, and at least the arguments of its allocation. */
#define TVM_MAX_RANK 8

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

/* TVM's part for CUDA is linked with the driver, so that it loads only where there is one. */
static int load_gpu(const char *folder, char *why) {
    char said[DIMMER_MESSAGE];

    if (load(folder, GPU_RUNTIME_LIBRARY, said) != NULL) {
        return 1;
    }
    snprintf(why, DIMMER_MESSAGE, "no GPU with CUDA 13 here (%.400s): run with --device cpu", said);
    return 0;
}

int tvm_calls_load(tvm_calls_t *calls, const char *folder, int with_gpu, char *why) {
    void *const library = load(folder, FFI_LIBRARY, why);
    TVMFFIVersion version = {0u, 0u, 0u};

    if (library == NULL ||
        !symbol(library, "TVMFFIGetVersion", &calls->get_version, sizeof calls->get_version, why) ||
        !symbol(library, "TVMFFIFunctionGetGlobal", &calls->get_global, sizeof calls->get_global, why) ||
        !symbol(library, "TVMFFIFunctionSetGlobal", &calls->set_global, sizeof calls->set_global, why) ||
        !symbol(library, "TVMFFIFunctionCreate", &calls->create, sizeof calls->create, why) ||
        !symbol(library, "TVMFFIFunctionCall", &calls->call, sizeof calls->call, why) ||
        !symbol(library, "TVMFFIObjectDecRef", &calls->release, sizeof calls->release, why) ||
        !symbol(library, "TVMFFIBytesFromByteArray", &calls->bytes, sizeof calls->bytes, why) ||
        !symbol(library, "TVMFFIErrorMoveFromRaised", &calls->take_error, sizeof calls->take_error, why)) {
        return 0;
    }
    calls->get_version(&version);
    if (version.major != TVM_FFI_VERSION_MAJOR || version.minor != TVM_FFI_VERSION_MINOR ||
        version.patch != TVM_FFI_VERSION_PATCH) {
        snprintf(why, DIMMER_MESSAGE,
                 "%s speaks TVM FFI %u.%u.%u, this program %d.%d.%d: install the whole bundle again",
                 FFI_LIBRARY, (unsigned)version.major, (unsigned)version.minor, (unsigned)version.patch,
                 TVM_FFI_VERSION_MAJOR, TVM_FFI_VERSION_MINOR, TVM_FFI_VERSION_PATCH);
        return 0;
    }
    return load(folder, RUNTIME_LIBRARY, why) != NULL && (!with_gpu || load_gpu(folder, why));
}

/* What TVM says went wrong, its first line. */
void tvm_calls_error(const tvm_calls_t *calls, const char *doing, char *why) {
    TVMFFIObjectHandle error = NULL;

    calls->take_error(&error);
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
    calls->release(error);
}

TVMFFIAny tvm_any_object(TVMFFIObjectHandle object, int32_t type) {
    TVMFFIAny any;

    memset(&any, 0, sizeof any);
    any.type_index = type;
    any.v_obj = object;
    return any;
}

TVMFFIAny tvm_any_int(int64_t value) {
    TVMFFIAny any;

    memset(&any, 0, sizeof any);
    any.type_index = kTVMFFIInt;
    any.v_int64 = value;
    return any;
}

TVMFFIAny tvm_any_text(const char *text) {
    TVMFFIAny any;

    memset(&any, 0, sizeof any);
    any.type_index = kTVMFFIRawStr;
    any.v_c_str = text;
    return any;
}

/* Calls a function once and gives it up. */
static int call_once(const tvm_calls_t *calls, TVMFFIObjectHandle function, const char *name, TVMFFIAny *args,
                     int32_t count, TVMFFIAny *result, char *why) {
    int bad;

    memset(result, 0, sizeof *result);
    bad = calls->call(function, args, count, result);
    if (bad) {
        tvm_calls_error(calls, name, why);
    }
    calls->release(function);
    return !bad;
}

/* Calls one of TVM's own functions. */
int tvm_call_global(const tvm_calls_t *calls, const char *name, TVMFFIAny *args, int32_t count,
                    TVMFFIAny *result, char *why) {
    const TVMFFIByteArray bytes = {name, strlen(name)};
    TVMFFIObjectHandle function = NULL;

    if (calls->get_global(&bytes, &function) != 0 || function == NULL) {
        snprintf(why, DIMMER_MESSAGE, "TVM's runtime has no %s: install the whole bundle again", name);
        return 0;
    }
    return call_once(calls, function, name, args, count, result, why);
}

TVMFFIObjectHandle tvm_member(const tvm_calls_t *calls, TVMFFIObjectHandle module, const char *name,
                              char *why) {
    TVMFFIAny args[3];
    TVMFFIAny result;

    args[0] = tvm_any_object(module, kTVMFFIModule);
    args[1] = tvm_any_text(name);
    memset(&args[2], 0, sizeof args[2]);
    args[2].type_index = kTVMFFIBool;
    args[2].v_int64 = 1;
    if (!tvm_call_global(calls, "ffi.ModuleGetFunction", args, 3, &result, why)) {
        return NULL;
    }
    if (result.type_index != kTVMFFIFunction) {
        snprintf(why, DIMMER_MESSAGE, "the library has no function %s: build the bundle again", name);
        return NULL;
    }
    return result.v_obj;
}

/* Calls member `name` of a module once. */
int tvm_call_member(const tvm_calls_t *calls, TVMFFIObjectHandle module, const char *name, TVMFFIAny *args,
                    int32_t count, TVMFFIAny *result, char *why) {
    TVMFFIObjectHandle function = tvm_member(calls, module, name, why);

    if (function == NULL) {
        return 0;
    }
    return call_once(calls, function, name, args, count, result, why);
}

TVMFFIAny tvm_any_pointer(void *pointer) {
    TVMFFIAny any;

    memset(&any, 0, sizeof any);
    any.type_index = kTVMFFIOpaquePtr;
    any.v_ptr = pointer;
    return any;
}

TVMFFIAny tvm_any_device(DLDevice device) {
    TVMFFIAny any;

    memset(&any, 0, sizeof any);
    any.type_index = kTVMFFIDevice;
    any.v_device = device;
    return any;
}

int tvm_set_global(const tvm_calls_t *calls, const char *name, TVMFFISafeCallType call, void *self,
                   char *why) {
    const TVMFFIByteArray bytes = {name, strlen(name)};
    TVMFFIObjectHandle function = NULL;
    int good = calls->create(self, call, NULL, &function) == 0;

    if (good) {
        good = calls->set_global(&bytes, function, 1) == 0;
        calls->release(function);
    }
    if (!good) {
        tvm_calls_error(calls, name, why);
    }
    return good;
}

TVMFFIObjectHandle tvm_tensor(const tvm_calls_t *calls, DLDevice device, DLDataType type, int32_t rank,
                              const int64_t *shape, char *why) {
    TVMFFIAny args[TVM_MAX_RANK];
    TVMFFIAny sizes;
    TVMFFIAny result;
    int good;
    int32_t i;

    for (i = 0; i < rank; ++i) {
        args[i] = tvm_any_int(shape[i]);
    }
    if (!tvm_call_global(calls, "ffi.Shape", args, rank, &sizes, why)) {
        return NULL;
    }
    args[0] = tvm_any_object(sizes.v_obj, kTVMFFIShape);
    memset(&args[1], 0, sizeof args[1]);
    args[1].type_index = kTVMFFIDataType;
    args[1].v_dtype = type;
    args[2] = tvm_any_device(device);
    memset(&args[3], 0, sizeof args[3]);
    args[3].type_index = kTVMFFINone;
    good = tvm_call_global(calls, "runtime.TVMTensorAllocWithScope", args, 4, &result, why);
    calls->release(sizes.v_obj);
    return good ? result.v_obj : NULL;
}

int tvm_tensor_write(const tvm_calls_t *calls, TVMFFIObjectHandle tensor, const void *bytes, size_t size,
                     char *why) {
    TVMFFIAny args[3];
    TVMFFIAny result;

    args[0] = tvm_any_object(tensor, kTVMFFITensor);
    memset(&args[1], 0, sizeof args[1]);
    args[1].type_index = kTVMFFIOpaquePtr;
    /* TVM reads there, through a pointer that is not const. */
    memcpy(&args[1].v_ptr, &bytes, sizeof bytes);
    args[2] = tvm_any_int((int64_t)size);
    return tvm_call_global(calls, "runtime.TVMTensorCopyFromBytes", args, 3, &result, why);
}

int tvm_tensor_read(const tvm_calls_t *calls, TVMFFIObjectHandle tensor, void *bytes, size_t size,
                    char *why) {
    TVMFFIAny args[3];
    TVMFFIAny result;

    args[0] = tvm_any_object(tensor, kTVMFFITensor);
    args[1] = tvm_any_pointer(bytes);
    args[2] = tvm_any_int((int64_t)size);
    return tvm_call_global(calls, "runtime.TVMTensorCopyToBytes", args, 3, &result, why);
}
