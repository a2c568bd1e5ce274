#include <napi.h>

#include "xenstore.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Xenstore", Xenstore::Class(env));
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
