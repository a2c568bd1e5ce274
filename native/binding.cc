#include <napi.h>

#include "file/lock_file.h"
#include "file/open_for_writing.h"
#include "network/link_settings.h"
#include "network/traffic_control.h"
#include "process/peer_credentials.h"
#include "process/pipe.h"
#include "process/spawn_program.h"
#include "vchan/vchan_class.h"
#include "xenstore/xenstore_class.h"

namespace vifwatch {

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("TrafficControlWatch", TrafficControlWatch::Class(env));
  exports.Set("Xenstore", Xenstore::Class(env));
  exports.Set("Vchan", Vchan::Class(env));
  exports.Set("VchanServer", VchanServer::Class(env));
  exports.Set("ingressQdiscs", Napi::Function::New<IngressQdiscs>(env, "ingressQdiscs"));
  exports.Set("linkSettings", Napi::Function::New<LinkSettings>(env, "linkSettings"));
  exports.Set("lockFile", Napi::Function::New<LockFile>(env, "lockFile"));
  exports.Set("isOpenForWriting", Napi::Function::New<IsOpenForWriting>(env, "isOpenForWriting"));
  exports.Set("peerCredentials", Napi::Function::New<PeerCredentials>(env, "peerCredentials"));
  exports.Set("ruleLinks", Napi::Function::New<RuleLinks>(env, "ruleLinks"));
  exports.Set("tcxLinks", Napi::Function::New<TcxLinks>(env, "tcxLinks"));
  exports.Set("pipe", Napi::Function::New<Pipe>(env, "pipe"));
  exports.Set("spawn", Napi::Function::New<Spawn>(env, "spawn"));
  return exports;
}

}  // namespace vifwatch

using vifwatch::Init;

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
