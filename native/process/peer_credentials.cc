#include "process/peer_credentials.h"

#include <sys/socket.h>

#include <cerrno>

#include "js_value.h"

namespace vifwatch {

Napi::Value PeerCredentials(const Napi::CallbackInfo& info) {
  const int descriptor = info[0].As<Napi::Number>().Int32Value();
  ucred peer = {};
  socklen_t length = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    throw Napi::Error(info.Env(), ErrorToJs(info.Env(), errno));
  }
  auto credentials = Napi::Object::New(info.Env());
  credentials.Set("pid", Napi::Number::New(info.Env(), peer.pid));
  credentials.Set("uid", Napi::Number::New(info.Env(), peer.uid));
  credentials.Set("gid", Napi::Number::New(info.Env(), peer.gid));
  return credentials;
}

}  // namespace vifwatch
