/* SPDX-License-Identifier: Apache-2.0 */
/* Calls into TVM's runtime, which is loaded from the bundle: nothing of it is needed before the files were
 * checked. Functions return 1, or 0 with one line in `why`, char[DIMMER_MESSAGE]. */
#ifndef DIMMER_TVM_CALLS_H
#define DIMMER_TVM_CALLS_H

#include <stddef.h>

#include <tvm/ffi/c_api.h>

#include "battery.h" /* DIMMER_MESSAGE */

typedef struct {
    void (*get_version)(TVMFFIVersion *version);
    int (*get_global)(const TVMFFIByteArray *name, TVMFFIObjectHandle *function);
    int (*set_global)(const TVMFFIByteArray *name, TVMFFIObjectHandle function, int replace);
    int (*create)(void *self, TVMFFISafeCallType call, void (*deleter)(void *), TVMFFIObjectHandle *function);
    int (*call)(TVMFFIObjectHandle function, TVMFFIAny *args, int32_t count, TVMFFIAny *result);
    int (*release)(TVMFFIObjectHandle object);
    int (*bytes)(const TVMFFIByteArray *content, TVMFFIAny *result);
    void (*take_error)(TVMFFIObjectHandle *error);
} tvm_calls_t;

/* Loads TVM's runtime, and for a GPU also the part that needs CUDA. */
int tvm_calls_load(tvm_calls_t *calls, const char *folder, int with_gpu, char *why);

/* The first line of what TVM says went wrong. */
void tvm_calls_error(const tvm_calls_t *calls, const char *doing, char *why);

TVMFFIAny tvm_any_object(TVMFFIObjectHandle object, int32_t type);
TVMFFIAny tvm_any_int(int64_t value);
TVMFFIAny tvm_any_text(const char *text);
TVMFFIAny tvm_any_pointer(void *pointer);
TVMFFIAny tvm_any_device(DLDevice device);

/* Calls one of TVM's own functions. */
int tvm_call_global(const tvm_calls_t *calls, const char *name, TVMFFIAny *args, int32_t count,
                    TVMFFIAny *result, char *why);

/* Makes a function known to TVM under a name. */
int tvm_set_global(const tvm_calls_t *calls, const char *name, TVMFFISafeCallType call, void *self,
                   char *why);

/* Member `name` of a module, to be released by the caller; null where there is none. */
TVMFFIObjectHandle tvm_member(const tvm_calls_t *calls, TVMFFIObjectHandle module, const char *name,
                              char *why);

/* Calls member `name` of a module once. */
int tvm_call_member(const tvm_calls_t *calls, TVMFFIObjectHandle module, const char *name, TVMFFIAny *args,
                    int32_t count, TVMFFIAny *result, char *why);

/* A new tensor on a device, to be released by the caller; null where there is no room. */
TVMFFIObjectHandle tvm_tensor(const tvm_calls_t *calls, DLDevice device, DLDataType type, int32_t rank,
                              const int64_t *shape, char *why);

/* Bytes into a tensor, and all of a tensor's bytes out of it. */
int tvm_tensor_write(const tvm_calls_t *calls, TVMFFIObjectHandle tensor, const void *bytes, size_t size,
                     char *why);
int tvm_tensor_read(const tvm_calls_t *calls, TVMFFIObjectHandle tensor, void *bytes, size_t size, char *why);

#endif
