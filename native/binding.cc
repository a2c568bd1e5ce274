#include <napi.h>

#include "peer_credentials.h"
#include "pipe.h"
#include "spawn.h"
#include "vchan.h"
#include "xenstore.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Xenstore", Xenstore::Class(env));
  exports.Set("Vchan", Vchan::Class(env));
  exports.Set("VchanServer", VchanServer::Class(env));
  exports.Set("peerCredentials", Napi::Function::New<PeerCredentials>(env, "peerCredentials"));
  exports.Set("pipe", Napi::Function::New<Pipe>(env, "pipe"));
  exports.Set("spawn", Napi::Function::New<Spawn>(env, "spawn"));
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
