#include "file/open_for_writing.h"

#include <fcntl.h>

#include <cerrno>
#include <csignal>

#include "js_value.h"

namespace vifwatch {

// The kernel grants a read lease only while nobody has the file open for writing. If somebody opens it for
// writing before the lease is given back, the kernel sends a signal: SIGURG, which a process ignores by
// default, and not SIGIO, which would end it.
Napi::Value IsOpenForWriting(const Napi::CallbackInfo& info) {
  const int descriptor = info[0].As<Napi::Number>().Int32Value();
  if (fcntl(descriptor, F_SETSIG, SIGURG) != 0) {
    throw Napi::Error(info.Env(), ErrorToJs(info.Env(), errno));
  }
  if (fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0) {
    fcntl(descriptor, F_SETLEASE, F_UNLCK);
    return Napi::Boolean::New(info.Env(), false);
  }
  return Napi::Boolean::New(info.Env(), errno == EAGAIN);
}

}  // namespace vifwatch
